import { ByteSource } from '../byte-source.js';
import {
  addXmpPacket,
  corrupt,
  MAX_EXIF_BYTES,
  MAX_XMP_BYTES,
  setSize,
  truncated,
  type EmbeddedMetadata,
} from '../embedded-metadata.js';
import { ExifTags } from '../tiff/exif-tags.js';
import { addExifBlock, readTiff } from '../tiff/read-tiff.js';
import { EMPTY_IFD, type Ifd } from '../tiff/tiff-reader.js';
import { TAG } from '../tiff/tag-names.js';
import { cleanName } from '../text.js';
import { listBoxes, type Box } from './iso-boxes.js';
import { readJpeg } from './jpeg.js';

const CANON_UUID = '85c0b687820f11e08111f4ce462b6a48';
/** MRW files have five. */
const MAX_BLOCKS = 50;
const XMP_UUID = 'be7acfcb97a942e89c71999491e3afac';

/** Canon CR3: IFD0, Exif and GPS directories are TIFF structures of their own in a box of the `moov` box. */
export async function readCr3(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const boxes = await listBoxes(source);
  const movie = boxes.find((box) => box.type === 'moov');
  const canon = (movie && (await listBoxes(movie.content)))?.find((box) => box.uuid === CANON_UUID);
  const parts = canon ? await listBoxes(canon.content) : [];
  const image = await onlyIfd(parts, 'CMT1');
  found.exif = new ExifTags(image, await onlyIfd(parts, 'CMT2'), await onlyIfd(parts, 'CMT4'));
  setSize(found, image.fields.get(TAG.ImageWidth)?.number(), image.fields.get(TAG.ImageLength)?.number());
  const xmp = boxes.find((box) => box.uuid === XMP_UUID);
  if (xmp !== undefined) addXmpPacket(found, await xmp.content.read(0, Math.min(xmp.content.size, MAX_XMP_BYTES)));
  if (boxes.some((box) => box.cut)) found.problems.push(truncated('The CR3 ends within a box.'));
  else if (image.fields.size === 0) found.problems.push(corrupt('The CR3 has no metadata of a camera.'));
}

async function onlyIfd(parts: readonly Box[], type: string): Promise<Ifd> {
  const box = parts.find((part) => part.type === type);
  return (box && (await readTiff(box.content)))?.tags.image ?? EMPTY_IFD;
}

/** Fujifilm RAF: a JPEG with the EXIF, and a directory of the sensor's data. */
export async function readRaf(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const header = await source.read(0, 0x64);
  if (header.length < 0x64) {
    found.problems.push(truncated('The RAF ends within its header.'));
    return;
  }
  const preview = source.window(header.readUInt32BE(0x54), header.readUInt32BE(0x58));
  if (preview.size > 0) await readJpeg(preview, found);
  const model = cleanName(header.toString('latin1', 0x1c, 0x3c).replace(/\0.*$/s, ''));
  if (model !== undefined) found.texts.set('Model', model).set('Make', 'FUJIFILM');

  const directory = await source.read(header.readUInt32BE(0x5c), Math.min(header.readUInt32BE(0x60), 64 * 1024));
  for (let at = 4; at + 8 <= directory.length; at += 4 + directory.readUInt16BE(at + 2)) {
    // RawImageCroppedSize: the picture without the sensor's dark border.
    if (directory.readUInt16BE(at) === 0x0111)
      setSize(found, directory.readUInt16BE(at + 6), directory.readUInt16BE(at + 4));
  }
}

/** Minolta MRW: blocks before the picture; PRD has the size, TTW is a TIFF structure. */
export async function readMrw(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const header = await source.read(0, 8);
  const end = 8 + (header.length === 8 ? header.readUInt32BE(4) : 0);
  for (let offset = 8, count = 0; offset + 8 <= Math.min(end, source.size) && count < MAX_BLOCKS; count++) {
    const block = await source.read(offset, 24);
    if (block.length < 24) break;
    const length = block.readUInt32BE(4);
    const type = block.toString('latin1', 1, 4);
    if (type === 'PRD') setSize(found, block.readUInt16BE(22), block.readUInt16BE(20));
    if (type === 'TTW' && length <= MAX_EXIF_BYTES) await addExifBlock(source.window(offset + 8, length), found);
    offset += 8 + length;
  }
  if (found.width === undefined) found.problems.push(corrupt('The MRW states no size.'));
}

/** Kyocera's RAW (Contax N Digital): fixed places, texts written backwards. */
export async function readKyoceraRaw(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const header = await source.read(0, 0x40);
  const backwards = (from: number, length: number): string =>
    Buffer.from(header.subarray(from, from + length))
      .reverse()
      .toString('latin1')
      .replaceAll('\0', '');
  const fields = { Make: backwards(0x19, 7), Model: backwards(0x0c, 12), DateTimeOriginal: backwards(0x21, 20) };
  for (const [name, value] of Object.entries(fields)) {
    const text = cleanName(value);
    if (text !== undefined) found.texts.set(name, text);
  }
}
