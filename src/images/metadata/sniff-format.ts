/** What the first bytes of a file show. `tiff` may turn out to be one of the RAW formats that are TIFF files. */
export type Sniffed =
  | { readonly kind: 'picture'; readonly format: string }
  /** A known kind of file that is no picture, in words (`an MP4 film`). */
  | { readonly kind: 'other'; readonly what: string }
  | { readonly kind: 'unknown' };

/** How many bytes `sniffFormat` looks at. */
export const SNIFFED_BYTES = 4096;

const HEIC_BRANDS = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'hevm', 'hevs'];
const HEIF_BRANDS = ['mif1', 'mif2', 'msf1'];
const AVIF_BRANDS = ['avif', 'avis'];

type Test = (head: Buffer) => boolean;

const startsWith =
  (signature: string, at = 0): Test =>
  (head) =>
    head.toString('latin1', at, at + signature.length) === signature;

const both =
  (first: Test, second: Test): Test =>
  (head) =>
    first(head) && second(head);

/** In order: the more particular signatures stand before those that they contain. */
const PICTURES: readonly (readonly [string, Test])[] = [
  ['jpeg', startsWith('\xff\xd8\xff')],
  ['png', startsWith('\x89PNG\r\n\x1a\n')],
  ['gif', (head) => /^GIF8[79]a/.test(head.toString('latin1', 0, 6))],
  ['webp', both(startsWith('RIFF'), startsWith('WEBP', 8))],
  ['crw', both((head) => /^(II|MM)/.test(head.toString('latin1', 0, 2)), startsWith('HEAPCCDR', 6))],
  ['cr2', both(startsWith('II*\0'), startsWith('CR\x02', 8))],
  ['orf', (head) => /^(IIR[OS]|MMO[RS])/.test(head.toString('latin1', 0, 4))],
  ['rw2', startsWith('IIU\0')],
  ['tiff', (head) => /^(II\*\0|MM\0\*|II\+\0|MM\0\+)/.test(head.toString('latin1', 0, 4))],
  ['raf', startsWith('FUJIFILMCCD-RAW ')],
  ['x3f', startsWith('FOVb')],
  ['mrw', startsWith('\0MRM')],
  ['kyocera-raw', startsWith('ARECOYK', 0x19)],
  ['psd', both(startsWith('8BPS\0'), (head) => head[5] === 1 || head[5] === 2)],
  ['jp2', startsWith('\0\0\0\x0cjP  \r\n\x87\n')],
  ['jp2', startsWith('\xff\x4f\xff\x51\0')],
  ['jxl', startsWith('\0\0\0\x0cJXL \r\n\x87\n')],
  ['jxl', startsWith('\xff\x0a')],
  ['ico', isIcon],
  ['bmp', isBitmap],
  ['svg', isSvg],
];

const OTHERS: readonly (readonly [string, Test])[] = [
  ['a PDF document', startsWith('%PDF-')],
  ['a ZIP archive', startsWith('PK\x03\x04')],
  ['an AVI film', both(startsWith('RIFF'), startsWith('AVI ', 8))],
  ['a Matroska film', startsWith('\x1aE\xdf\xa3')],
  ['an HTML page', (head) => /^\s*<(!doctype html|html)/i.test(head.toString('latin1', 0, 200))],
  ['an XMP sidecar', (head) => /^(\ufeff)?\s*<(\?xpacket|x:xmpmeta|rdf:RDF)/.test(head.toString('utf8', 0, 200))],
  ['a text', isText],
];

/** The kind of file by its content; the name is not asked. */
export function sniffFormat(head: Buffer): Sniffed {
  const start = head.subarray(0, SNIFFED_BYTES);
  const isoFormat = sniffIsoFormat(start);
  if (isoFormat !== undefined) return isoFormat;
  const picture = PICTURES.find(([, test]) => test(start));
  if (picture !== undefined) return { kind: 'picture', format: picture[0] };
  const other = OTHERS.find(([, test]) => test(start));
  return other === undefined ? { kind: 'unknown' } : { kind: 'other', what: other[0] };
}

/** HEIF and its kin say what they are in the brands of their first box. */
function sniffIsoFormat(head: Buffer): Sniffed | undefined {
  const type = head.toString('latin1', 4, 8);
  if (['moov', 'mdat', 'wide', 'free', 'skip', 'pnot'].includes(type) && head.readUInt32BE(0) < 2 ** 31) {
    return { kind: 'other', what: 'a QuickTime film' };
  }
  if (type !== 'ftyp' || head.length < 16) return undefined;
  const major = head.toString('latin1', 8, 12);
  const end = Math.min(head.length, Math.max(16, head.readUInt32BE(0)), 256);
  const brands = [major];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(head.toString('latin1', at, at + 4));
  if (major === 'crx ') return { kind: 'picture', format: 'cr3' };
  if (AVIF_BRANDS.includes(major)) return { kind: 'picture', format: 'avif' };
  if (HEIC_BRANDS.includes(major)) return { kind: 'picture', format: 'heic' };
  if (HEIF_BRANDS.includes(major)) {
    // The general brand: what codes the picture stands among the others.
    const isAvif =
      brands.some((brand) => AVIF_BRANDS.includes(brand)) && !brands.some((brand) => HEIC_BRANDS.includes(brand));
    return { kind: 'picture', format: isAvif ? 'avif' : 'heif' };
  }
  return { kind: 'other', what: major === 'qt  ' ? 'a QuickTime film' : 'an MP4 film' };
}

/** The root element is `svg`, after what may stand before a root element. */
function isSvg(head: Buffer): boolean {
  let text = head.toString('utf8').trimStart();
  for (const [start, end] of [
    ['<?', '?>'],
    ['<!--', '-->'],
    ['<!DOCTYPE', '>'],
    ['<!--', '-->'],
  ] as const) {
    while (text.startsWith(start)) {
      const index = text.indexOf(end);
      if (index === -1) return false;
      text = text.slice(index + end.length).trimStart();
    }
  }
  return /^<svg[\s>]/.test(text);
}

function isIcon(head: Buffer): boolean {
  if (head.length < 22 || head.readUInt16LE(0) !== 0 || ![1, 2].includes(head.readUInt16LE(2))) return false;
  const count = head.readUInt16LE(4);
  return count > 0 && count <= 256 && head.readUInt8(9) === 0 && head.readUInt32LE(14) > 0;
}

/** `BM` begins many a text, so the size of the second header must be one that exists. */
function isBitmap(head: Buffer): boolean {
  if (head.length < 26 || head.toString('latin1', 0, 2) !== 'BM') return false;
  return [12, 16, 40, 52, 56, 64, 108, 124].includes(head.readUInt32LE(14));
}

function isText(head: Buffer): boolean {
  const start = head.subarray(0, 512);
  try {
    // A stream, as the cut may halve a character.
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
  } catch {
    return false;
  }
  return start.length > 0 && start.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
}
