import { sniffFormat } from '../metadata/sniff-format.js';
import { TAG } from '../metadata/tiff/tag-names.js';
import type { PhotoProblem } from '../photo-facts.js';
import { endsEarly } from './ends-early.js';
import type { OpenPhoto } from './open-photo.js';
import { findPreview } from './previews/find-preview.js';
import { corrupt, notAnImage, previewOnly, truncated, Undecodable, unsupportedFormat } from './problems.js';
import { decodeHeic } from './raster/decode-heic.js';
import { decodeRaster, readHeader, type Raster, type RasterLimits } from './raster/decode-raster.js';
import { containerStructure, tiffStructure } from './structure.js';

export interface DecodeRequest extends RasterLimits {
  /** The metadata reader's finding, which tells RAW files that are TIFF files from plain ones. */
  readonly format: string;
  readonly orientation: number | undefined;
}

export interface DecodedPhoto extends Raster {
  readonly problems: readonly PhotoProblem[];
}

const RASTER_FORMATS = ['jpeg', 'png', 'gif', 'webp', 'tiff'];
/** Of these, the ones that may hold a second, smaller picture. */
const EMBEDDING_FORMATS = ['jpeg', 'tiff'];
const HEIF_FORMATS = ['heic', 'heif', 'avif'];
/** RAW formats that begin as every TIFF does. */
const TIFF_RAW_FORMATS = ['dng', 'nef', 'arw', 'pef', 'srw'];
/** Formats that PhotoSafe knows and whose pictures it cannot decode, nor any preview in them. */
const UNDECODABLE_FORMATS = ['jp2', 'jxl', 'bmp', 'ico', 'svg'];
/** What libtiff decodes here: none, fax, LZW, JPEG, deflate, PackBits. */
const TIFF_COMPRESSIONS = [1, 2, 3, 4, 5, 7, 8, 32773, 32946];

/** The picture of a photo, by whatever way there is to one. Throws Undecodable when there is none. */
export async function decodePhoto(photo: OpenPhoto, request: DecodeRequest): Promise<DecodedPhoto> {
  const format = formatOf(photo, request.format);
  if (UNDECODABLE_FORMATS.includes(format)) throw unsupported(format);
  if (HEIF_FORMATS.includes(format)) return decodeHeif(photo, format, request);
  if (RASTER_FORMATS.includes(format)) return decodePlain(photo, format, request);
  return decodePreviewOf(photo, format, request);
}

/** By the content, which may have changed since the file was analysed. */
function formatOf(photo: OpenPhoto, analysed: string): string {
  const sniffed = sniffFormat(photo.head);
  if (sniffed.kind !== 'picture')
    throw new Undecodable(notAnImage('The file does not hold a picture of a known format.'));
  return sniffed.format === 'tiff' && TIFF_RAW_FORMATS.includes(analysed) ? analysed : sniffed.format;
}

async function decodePlain(photo: OpenPhoto, format: string, request: DecodeRequest): Promise<DecodedPhoto> {
  const raster = await decodeRaster(await photo.decoderInput(), request);
  const upright = { orientation: request.orientation ?? raster?.orientation };
  if (raster && !raster.damaged) return { ...raster, ...upright, problems: [] };
  // A compression that nobody writes any more is no damage; old scanners put a whole JPEG into their TIFF.
  if (!raster && (await isBeyondDecoder(photo, format))) return decodePreviewOf(photo, format, request);
  const damage = await damageOf(photo, format);
  if (raster) return { ...raster, ...upright, problems: [damage] };
  const preview = EMBEDDING_FORMATS.includes(format) ? await decodeEmbedded(photo, format, request) : undefined;
  if (preview) return { ...preview, problems: [damage, ...preview.problems] };
  throw new Undecodable(damage);
}

/**
 * Turns and mirrorings that the container states are applied by the decoder, and EXIF then repeats them. Where it
 * states none, EXIF's orientation is all there is.
 */
async function decodeHeif(photo: OpenPhoto, format: string, request: DecodeRequest): Promise<DecodedPhoto> {
  const bytes = await photo.whole();
  if (!bytes) throw unsupported(format);
  const codec: string = (await readHeader(bytes))?.compression ?? (format === 'avif' ? 'av1' : 'hevc');
  if (codec !== 'av1' && codec !== 'hevc') throw unsupported(format);
  const raster = await (codec === 'hevc' ? decodeHeic(bytes, request) : decodeRaster(bytes, request));
  if (!raster) throw new Undecodable(await damageOf(photo, format));
  const found = await containerStructure(photo, format);
  const orientation = found.containerOrientation === undefined ? (request.orientation ?? found.exif?.orientation) : 1;
  return { ...raster, orientation, problems: raster.damaged ? [await damageOf(photo, format)] : [] };
}

/** RAW files and Photoshop documents: what their makers rendered is as good as what we could, and 30 times cheaper. */
async function decodePreviewOf(photo: OpenPhoto, format: string, request: DecodeRequest): Promise<DecodedPhoto> {
  const preview = await decodeEmbedded(photo, format, request);
  if (preview) return preview;
  // Some DNG files have no JPEG, but a small uncompressed picture where a TIFF has its first page.
  const firstPage = await decodeRaster(await photo.decoderInput(), request);
  if (!firstPage || firstPage.damaged) {
    throw (await endsEarly(photo, format)) ? new Undecodable(await damageOf(photo, format)) : unsupported(format);
  }
  const orientation = request.orientation ?? firstPage.orientation;
  return { ...firstPage, orientation, problems: [fromPreview(firstPage.width, firstPage.height)] };
}

/** The best JPEG inside the file. Its own orientation counts before that of the file around it. */
async function decodeEmbedded(
  photo: OpenPhoto,
  format: string,
  request: DecodeRequest,
): Promise<DecodedPhoto | undefined> {
  const preview = await findPreview(photo, format, request.longestEdge);
  if (!preview) return undefined;
  const raster = await decodeRaster(await photo.range(preview.offset, preview.length), request);
  if (!raster) return undefined;
  const problems = [fromPreview(preview.width, preview.height)];
  if (raster.damaged) problems.push(corrupt('The embedded preview is damaged.'));
  return { ...raster, orientation: raster.orientation ?? request.orientation, problems };
}

async function damageOf(photo: OpenPhoto, format: string): Promise<PhotoProblem> {
  return (await endsEarly(photo, format))
    ? truncated(`The ${format.toUpperCase()} file ends before its picture does.`)
    : corrupt(`The ${format.toUpperCase()} file is damaged.`);
}

async function isBeyondDecoder(photo: OpenPhoto, format: string): Promise<boolean> {
  if (format !== 'tiff') return false;
  const compression = (await tiffStructure(photo))?.images[0]?.fields.get(TAG.Compression)?.number();
  return compression !== undefined && !TIFF_COMPRESSIONS.includes(compression);
}

const fromPreview = (width: number, height: number): PhotoProblem =>
  previewOnly(`The thumbnails come from an embedded preview of ${width} × ${height} pixels.`);

const unsupported = (format: string): Undecodable =>
  new Undecodable(
    unsupportedFormat(`${format.toUpperCase()} pictures cannot be decoded, and this one holds no preview.`),
  );
