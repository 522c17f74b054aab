/** A kind of picture file as its content tells. RAW families are told apart as far as their content does. */
export interface PhotoFormat {
  readonly name: string;
  readonly mimeType: string;
  /** Names (lower case, without the dot) under which such a file is no surprise; the first is the usual one. */
  readonly extensions: readonly string[];
}

const define = (name: string, mimeType: string, ...extensions: string[]): PhotoFormat => ({
  name,
  mimeType,
  extensions,
});

/** RAW formats that are TIFF files: only maker, sensor data and name tell which. */
const TIFF_RAW_EXTENSIONS = ['3fr', 'dcr', 'erf', 'fff', 'iiq', 'kdc', 'mef', 'mos', 'nrw', 'sr2', 'srf', 'rwl', 'gpr'];

const FORMATS = [
  define('jpeg', 'image/jpeg', 'jpg', 'jpeg', 'jpe', 'jfif', 'jif', 'mpo', 'thm', 'insp', 'jps'),
  define('png', 'image/png', 'png', 'apng'),
  define('webp', 'image/webp', 'webp'),
  define('gif', 'image/gif', 'gif'),
  define('tiff', 'image/tiff', 'tif', 'tiff', ...TIFF_RAW_EXTENSIONS),
  define('heic', 'image/heic', 'heic', 'heics', 'hif', 'heif', 'heifs'),
  define('heif', 'image/heif', 'heif', 'heifs', 'hif', 'heic', 'heics'),
  define('avif', 'image/avif', 'avif', 'avifs', 'avci', 'hif', 'heif'),
  define('jxl', 'image/jxl', 'jxl'),
  define('jp2', 'image/jp2', 'jp2', 'j2k', 'jpf', 'jpx', 'j2c', 'jpc', 'jpm'),
  define('bmp', 'image/bmp', 'bmp', 'dib'),
  define('ico', 'image/vnd.microsoft.icon', 'ico'),
  define('psd', 'image/vnd.adobe.photoshop', 'psd', 'psb'),
  define('svg', 'image/svg+xml', 'svg'),
  define('dng', 'image/x-adobe-dng', 'dng', 'gpr', 'tif', 'tiff'),
  define('cr2', 'image/x-canon-cr2', 'cr2'),
  define('cr3', 'image/x-canon-cr3', 'cr3'),
  define('crw', 'image/x-canon-crw', 'crw', 'ciff'),
  define('nef', 'image/x-nikon-nef', 'nef', 'nrw'),
  define('arw', 'image/x-sony-arw', 'arw', 'sr2', 'srf'),
  define('rw2', 'image/x-panasonic-rw2', 'rw2', 'raw', 'rwl'),
  define('raf', 'image/x-fuji-raf', 'raf'),
  define('orf', 'image/x-olympus-orf', 'orf', 'ori'),
  define('pef', 'image/x-pentax-pef', 'pef'),
  define('srw', 'image/x-samsung-srw', 'srw'),
  define('x3f', 'image/x-sigma-x3f', 'x3f'),
  define('mrw', 'image/x-minolta-mrw', 'mrw'),
  define('kyocera-raw', 'image/x-raw', 'raw'),
] as const satisfies readonly PhotoFormat[];

const byName: ReadonlyMap<string, PhotoFormat> = new Map(FORMATS.map((format) => [format.name, format]));

export function getPhotoFormat(name: string): PhotoFormat {
  const format = byName.get(name);
  if (format === undefined) throw new Error(`no such picture format: ${name}`);
  return format;
}

/** File names that a scan takes for photos, in lower case without the dot. What they really are, their content says. */
export const extensionsOfPhotos: readonly string[] = [
  ...new Set(FORMATS.flatMap(({ extensions }) => extensions)),
].filter(
  // Thumbnails that cameras lay beside their films and that are no photos of their own.
  (extension) => extension !== 'thm',
);
