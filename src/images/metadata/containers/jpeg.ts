import { ByteSource } from '../byte-source.js';
import { addXmpPacket, corrupt, setSize, truncated, type EmbeddedMetadata } from '../embedded-metadata.js';
import { addExifBlock } from '../tiff/read-tiff.js';
import { cleanText } from '../text.js';
import { readCiff } from './ciff.js';
import { addPhotoshopResources } from './photoshop.js';

const SOF_EXCEPTIONS = [0xc4, 0xc8, 0xcc];
const EXIF = Buffer.from('Exif\0', 'latin1');
const XMP = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');
const PHOTOSHOP = Buffer.from('Photoshop 3.0\0', 'latin1');
/** Decoders skip a few stray bytes between segments; more than this is not a JPEG header any more. */
const MAX_STRAY_BYTES = 16;
/** A header of more segments than this is not one: 16,000 full ones would be a gigabyte. */
const MAX_SEGMENTS = 16_000;

/** Parts of what may be spread over several segments. */
interface Collected {
  readonly exifBlocks: Buffer[];
  readonly photoshop: Buffer[];
}

interface Segment {
  readonly marker: number;
  readonly offset: number;
  readonly length: number;
}

/** Walks the segments up to the first scan; the picture itself is not looked at. */
export async function readJpeg(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const collected: Collected = { exifBlocks: [], photoshop: [] };
  let offset = 2;
  let sawFrame = false;
  for (let count = 0; ; count++) {
    const segment = count < MAX_SEGMENTS ? await nextSegment(source, offset) : 'damaged';
    if (segment === 'end' || segment === 'damaged') {
      const what = sawFrame ? 'before its picture begins' : 'within its header';
      found.problems.push(
        segment === 'end' ? truncated(`The JPEG ends ${what}.`) : corrupt(`The JPEG is damaged ${what}.`),
      );
      break;
    }
    if (segment.marker === 0xda) {
      if (!sawFrame) found.problems.push(corrupt('The JPEG has no frame header.'));
      break;
    }
    offset = segment.offset + segment.length;
    if (isFrame(segment.marker)) {
      const frame = await source.read(segment.offset, 5);
      if (!sawFrame && frame.length === 5) setSize(found, frame.readUInt16BE(3), frame.readUInt16BE(1));
      sawFrame = true;
    } else {
      await readApplicationSegment(source.window(segment.offset, segment.length), segment.marker, {
        collected,
        found,
      });
    }
  }
  for (const block of collected.exifBlocks) await addExifBlock(ByteSource.ofBytes(block), found);
  if (collected.photoshop.length > 0) await addPhotoshopResources(Buffer.concat(collected.photoshop), found);
}

async function nextSegment(source: ByteSource, offset: number): Promise<Segment | 'end' | 'damaged'> {
  const bytes = await source.read(offset, MAX_STRAY_BYTES + 2);
  // A marker is 0xff, which may be repeated, and a byte that is neither 0xff nor 0.
  const at = bytes.findIndex((byte, index) => byte === 0xff && ![0, 0xff, undefined].includes(bytes[index + 1]));
  const marker = bytes[at + 1];
  if (at === -1 || marker === undefined) return bytes.length < MAX_STRAY_BYTES + 2 ? 'end' : 'damaged';
  const start = offset + at + 2;
  if (marker === 0xd9) return 'end';
  const isAlone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8) || marker === 0xda;
  if (isAlone) return { marker, offset: start, length: 0 };
  const lengthField = await source.read(start, 2);
  if (lengthField.length < 2) return 'end';
  const length = lengthField.readUInt16BE(0);
  if (length < 2) return 'damaged';
  if (start + length > source.size) return 'end';
  return { marker, offset: start + 2, length: length - 2 };
}

const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && !SOF_EXCEPTIONS.includes(marker);

async function readApplicationSegment(
  segment: ByteSource,
  marker: number,
  { collected, found }: { collected: Collected; found: EmbeddedMetadata },
): Promise<void> {
  if (marker === 0xe1) {
    const payload = await segment.read(0, segment.size);
    if (startsWith(payload, EXIF)) addExifSegment(payload.subarray(6), collected.exifBlocks);
    else if (startsWith(payload, XMP)) addXmpPacket(found, payload.subarray(XMP.length));
  } else if (marker === 0xed) {
    const payload = await segment.read(0, segment.size);
    if (startsWith(payload, PHOTOSHOP)) collected.photoshop.push(payload.subarray(PHOTOSHOP.length));
  } else if (marker === 0xe0 && segment.size > 14) {
    const start = await segment.read(0, 14);
    if (start.toString('latin1', 6, 14) === 'HEAPJPGM') await readCiff(segment, found);
  } else if (marker === 0xfe) {
    const comment = cleanText((await segment.read(0, 4096)).toString('latin1'));
    if (comment !== undefined) found.texts.set('Comment', comment);
  }
}

/** EXIF beyond 64 KB goes on in a further segment, which then does not begin as TIFF does. */
function addExifSegment(block: Buffer, blocks: Buffer[]): void {
  const order = block.toString('latin1', 0, 2);
  const previous = blocks.pop();
  if (previous === undefined) blocks.push(block);
  else if (order === 'II' || order === 'MM') blocks.push(previous, block);
  else blocks.push(Buffer.concat([previous, block]));
}

const startsWith = (bytes: Buffer, signature: Buffer): boolean =>
  bytes.length > signature.length && bytes.subarray(0, signature.length).equals(signature);
