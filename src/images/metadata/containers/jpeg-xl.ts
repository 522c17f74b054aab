import { brotliDecompressSync } from 'node:zlib';
import { ByteSource } from '../byte-source.js';
import {
  addXmpPacket,
  corrupt,
  MAX_EXIF_BYTES,
  setSize,
  truncated,
  type EmbeddedMetadata,
} from '../embedded-metadata.js';
import { addExifBlock } from '../tiff/read-tiff.js';
import { withoutExifPrefix } from './png.js';
import { listBoxes, type Box } from './iso-boxes.js';

/** EXIF, XMP, and a maker's own; each may unpack to megabytes. */
const MAX_PACKED_BOXES = 4;

/** JPEG XL: a bare codestream, or boxes of which metadata may be packed (`brob`). */
export async function readJpegXl(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const start = await source.read(0, 2);
  if (start.toString('hex') === 'ff0a') {
    readCodestreamHeader(await source.read(0, 16), found);
  } else {
    const boxes = await listBoxes(source);
    const isPacked = (box: Box): boolean => box.type === 'brob';
    const packed = boxes.filter(isPacked).slice(0, MAX_PACKED_BOXES);
    for (const box of [...boxes.filter((box) => !isPacked(box)), ...packed]) await readBox(box, found);
    if (boxes.some((box) => box.cut)) found.problems.push(truncated('The JPEG XL picture ends within a box.'));
  }
  if (found.width === undefined) found.problems.push(corrupt('The JPEG XL picture states no size.'));
}

async function readBox({ type, content }: Box, found: EmbeddedMetadata): Promise<void> {
  if (type === 'jxlc') readCodestreamHeader(await content.read(0, 16), found);
  else if (type === 'jxlp' && found.width === undefined) readCodestreamHeader(await content.read(4, 16), found);
  else if (type === 'brob') {
    const packed = await content.read(0, Math.min(content.size, MAX_EXIF_BYTES));
    await readMetadata(packed.toString('latin1', 0, 4), unpack(packed.subarray(4)), found);
  } else if ((type === 'Exif' || type === 'xml ') && content.size <= MAX_EXIF_BYTES) {
    await readMetadata(type, await content.read(0, content.size), found);
  }
}

async function readMetadata(type: string, data: Buffer, found: EmbeddedMetadata): Promise<void> {
  if (type === 'xml ') addXmpPacket(found, data);
  if (type === 'Exif' && data.length > 8) {
    const block = withoutExifPrefix(data.subarray(Math.min(4 + data.readUInt32BE(0), data.length)));
    await addExifBlock(ByteSource.ofBytes(block), found);
  }
}

/** Empty when the data are damaged or unpack to more than any metadata has. */
function unpack(packed: Buffer): Buffer {
  try {
    return brotliDecompressSync(packed, { maxOutputLength: MAX_EXIF_BYTES });
  } catch {
    return Buffer.alloc(0);
  }
}

/** Width to height, by the number that stands for a common one (ISO 18181-1, SizeHeader). */
const RATIOS: readonly (readonly [number, number])[] = [
  [1, 1],
  [12, 10],
  [4, 3],
  [3, 2],
  [16, 9],
  [5, 4],
  [2, 1],
];

function readCodestreamHeader(bytes: Buffer, found: EmbeddedMetadata): void {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== 0xff0a) return;
  let bit = 16;
  const take = (count: number): number => {
    let value = 0;
    for (let index = 0; index < count; index++, bit++) {
      value += (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) * 2 ** index;
    }
    return value;
  };
  const isSmall = take(1) === 1;
  const length = (): number => (isSmall ? (take(5) + 1) * 8 : take([9, 13, 18, 30][take(2)] ?? 9) + 1);
  const height = length();
  const ratio = RATIOS[take(3) - 1];
  setSize(found, ratio === undefined ? length() : Math.floor((height * ratio[0]) / ratio[1]), height);
}
