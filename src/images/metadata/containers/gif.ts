import type { ByteSource } from '../byte-source.js';
import {
  addXmpPacket,
  corrupt,
  MAX_XMP_BYTES,
  setSize,
  truncated,
  type EmbeddedMetadata,
} from '../embedded-metadata.js';
import { cleanText } from '../text.js';

const XMP_APPLICATION = 'XMP DataXMP';
/** After the XMP packet stand 258 bytes that make it skippable as sub-blocks. */
const XMP_TRAILER_BYTES = 257;
/** Beyond this only frames follow, in sub-blocks of 255 bytes that would take long to step over. */
const MAX_WALKED_BYTES = 1024 * 1024;

/** The logical screen, and the extension blocks among the first frames. */
export async function readGif(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const header = await source.read(0, 13);
  if (header.length < 13) {
    found.problems.push(truncated('The GIF ends within its header.'));
    return;
  }
  setSize(found, header.readUInt16LE(6), header.readUInt16LE(8));
  if (found.width === undefined) found.problems.push(corrupt('The GIF states a width or height of zero.'));
  let offset = 13 + colourTableBytes(header.readUInt8(10));
  while (offset < MAX_WALKED_BYTES) {
    const block = await source.read(offset, 14);
    const introducer = block[0];
    if (introducer === 0x2c && block.length >= 10) {
      offset = await afterSubBlocks(source, offset + 10 + colourTableBytes(block.readUInt8(9)) + 1);
    } else if (introducer === 0x21 && block.length >= 3) {
      offset = await readExtension(source, offset, found);
    } else {
      return;
    }
  }
}

async function readExtension(source: ByteSource, offset: number, found: EmbeddedMetadata): Promise<number> {
  const block = await source.read(offset, 14);
  const label = block[1];
  if (label === 0xff && block.toString('latin1', 3, 14) === XMP_APPLICATION) {
    const start = offset + 14;
    const candidate = await source.read(start, MAX_XMP_BYTES);
    const end = candidate.indexOf(Buffer.from([0x01, 0xff, 0xfe]));
    if (end === -1) return source.size;
    addXmpPacket(found, candidate.subarray(0, end));
    return start + end + XMP_TRAILER_BYTES + 1;
  }
  if (label === 0xfe) {
    const comment = await source.read(offset + 3, block.readUInt8(2));
    const text = cleanText(comment.toString('latin1'));
    if (text !== undefined && !found.texts.has('Comment')) found.texts.set('Comment', text);
  }
  return afterSubBlocks(source, offset + 2);
}

async function afterSubBlocks(source: ByteSource, offset: number): Promise<number> {
  for (let at = offset; at < MAX_WALKED_BYTES;) {
    const length = (await source.read(at, 1))[0];
    if (length === undefined || length === 0) return at + 1;
    at += 1 + length;
  }
  return MAX_WALKED_BYTES;
}

const colourTableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
