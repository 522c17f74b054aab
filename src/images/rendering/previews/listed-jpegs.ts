import { TAG } from '../../metadata/tiff/tag-names.js';
import type { Ifd } from '../../metadata/tiff/tiff-reader.js';
import type { OpenPhoto } from '../open-photo.js';
import type { EmbeddedJpeg } from './embedded-jpeg.js';
import { tiffStructure } from '../structure.js';
import { readJpegSize } from './jpeg-header.js';

const STRIP = { offsets: 0x0111, lengths: 0x0117 } as const;
const JPEG_INTERCHANGE = { offset: 0x0201, length: 0x0202 } as const;
/** Of Panasonic's directory: a whole JPEG as a value. */
const RW2_PREVIEW = 0x002e;
/** JPEG as TIFF 6.0 had it and as everybody does it. */
const JPEG_COMPRESSIONS = [6, 7];
/** Room for the metadata that stands before a preview's frame header. */
const HEADER_BYTES = 256 * 1024;

interface Range {
  readonly offset: number;
  readonly length: number;
}

/** The JPEG pictures that the directories of a TIFF or a TIFF-like RAW file name (DNG, NEF, CR2, ARW, RW2, SRW, …). */
export async function listedJpegs(photo: OpenPhoto): Promise<EmbeddedJpeg[]> {
  const contents = await tiffStructure(photo);
  const found: EmbeddedJpeg[] = [];
  for (const { offset, length } of contents?.images.flatMap(jpegRanges) ?? []) {
    const size = readJpegSize(await photo.range(offset, Math.min(length, HEADER_BYTES)));
    if (size) found.push({ offset, length, ...size });
  }
  return found;
}

function jpegRanges({ fields }: Ifd): Range[] {
  const ranges: Range[] = [];
  const number = (tag: number): number | undefined => fields.get(tag)?.number();
  const add = (offset: number | undefined, length: number | undefined): void => {
    if (offset !== undefined && length !== undefined) ranges.push({ offset, length });
  };
  add(number(JPEG_INTERCHANGE.offset), number(JPEG_INTERCHANGE.length));
  // One strip is a whole picture; more are slices of one.
  const strips = fields.get(STRIP.offsets);
  if (strips?.count === 1 && JPEG_COMPRESSIONS.includes(number(TAG.Compression) ?? 0)) {
    add(strips.number(), number(STRIP.lengths));
  }
  const value = fields.get(RW2_PREVIEW);
  if (value) add(value.offset, value.sizeBytes);
  return ranges;
}
