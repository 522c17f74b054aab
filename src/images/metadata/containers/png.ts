import { inflateSync } from 'node:zlib';
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
import { cleanText, decodeText } from '../text.js';
import { addPhotoshopResources } from './photoshop.js';

const SIGNATURE_BYTES = 8;
const XMP_KEYWORD = 'XML:com.adobe.xmp';
const MAX_TEXT_CHUNK_BYTES = 4 * 1024 * 1024;
const MAX_TEXTS = 50;
/** Of all chunks of one file together. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

interface Budget {
  bytes: number;
}

/** Walks the chunks to the end, as text and EXIF may stand after the picture. */
export async function readPng(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const unpacking = { bytes: MAX_UNPACKED_BYTES };
  for (let offset = SIGNATURE_BYTES; ;) {
    const header = await source.read(offset, 8);
    if (header.length < 8) {
      found.problems.push(truncated('The PNG ends before its last chunk.'));
      return;
    }
    const length = header.readUInt32BE(0);
    const type = header.toString('latin1', 4, 8);
    if (type === 'IEND') break;
    if (!/^[A-Za-z]{4}$/.test(type)) {
      found.problems.push(corrupt('The PNG has a damaged chunk.'));
      return;
    }
    if (offset + 12 + length > source.size) {
      found.problems.push(truncated(`The PNG ends within its ${type} chunk.`));
      return;
    }
    await readChunk({ type, content: source.window(offset + 8, length) }, found, unpacking);
    offset += 12 + length;
  }
  if (found.width === undefined) found.problems.push(corrupt('The PNG states no size.'));
}

interface Chunk {
  readonly type: string;
  readonly content: ByteSource;
}

async function readChunk({ type, content }: Chunk, found: EmbeddedMetadata, unpacking: Budget): Promise<void> {
  if (type === 'IHDR') {
    const header = await content.read(0, 8);
    if (header.length === 8 && found.width === undefined)
      setSize(found, header.readUInt32BE(0), header.readUInt32BE(4));
  } else if (type === 'eXIf' && content.size <= MAX_EXIF_BYTES) {
    const block = await content.read(0, content.size);
    await addExifBlock(ByteSource.ofBytes(withoutExifPrefix(block)), found);
  } else if (['tEXt', 'zTXt', 'iTXt'].includes(type) && content.size <= MAX_TEXT_CHUNK_BYTES) {
    const text = textOf(type, await content.read(0, content.size), unpacking);
    if (text !== undefined) await addText(text.keyword, text.value, found);
  }
}

async function addText(keyword: string, value: Buffer, found: EmbeddedMetadata): Promise<void> {
  if (keyword === XMP_KEYWORD) {
    addXmpPacket(found, value);
    return;
  }
  const profile = /^Raw profile type (\w+)$/.exec(keyword)?.[1];
  if (profile === undefined) {
    const text = cleanText(decodeText(value.subarray(0, 16_384)));
    if (text !== undefined && found.texts.size < MAX_TEXTS) found.texts.set(cleanText(keyword, 80) ?? 'Text', text);
    return;
  }
  const bytes = rawProfile(value);
  if (profile === 'xmp') addXmpPacket(found, bytes);
  else if (profile === 'iptc' || profile === '8bim') await addPhotoshopResources(bytes, found);
  else if (profile === 'exif' || profile === 'APP1')
    await addExifBlock(ByteSource.ofBytes(withoutExifPrefix(bytes)), found);
}

/** ImageMagick's way: `\nexif\n    1234\n` and hexadecimal lines. */
function rawProfile(value: Buffer): Buffer {
  const [, , , ...lines] = value.toString('latin1').split('\n');
  return Buffer.from(lines.join('').replace(/[^0-9a-f]/gi, ''), 'hex');
}

export function withoutExifPrefix(block: Buffer): Buffer {
  return block.toString('latin1', 0, 4) === 'Exif' ? block.subarray(6) : block;
}

function textOf(type: string, chunk: Buffer, unpacking: Budget): { keyword: string; value: Buffer } | undefined {
  const keywordEnd = chunk.indexOf(0);
  if (keywordEnd < 1) return undefined;
  const keyword = chunk.toString('latin1', 0, keywordEnd);
  if (type === 'tEXt') return { keyword, value: chunk.subarray(keywordEnd + 1) };
  if (type === 'zTXt') return { keyword, value: inflate(chunk.subarray(keywordEnd + 2), unpacking) };
  const compressed = chunk[keywordEnd + 1] === 1;
  const languageEnd = chunk.indexOf(0, keywordEnd + 3);
  const translatedEnd = languageEnd === -1 ? -1 : chunk.indexOf(0, languageEnd + 1);
  if (translatedEnd === -1) return undefined;
  const value = chunk.subarray(translatedEnd + 1);
  return { keyword, value: compressed ? inflate(value, unpacking) : value };
}

/** Empty when the data are damaged or unpack to more than any metadata has. */
function inflate(bytes: Buffer, unpacking: Budget): Buffer {
  if (unpacking.bytes <= 0) return Buffer.alloc(0);
  try {
    const unpacked = inflateSync(bytes, { maxOutputLength: MAX_TEXT_CHUNK_BYTES });
    unpacking.bytes -= unpacked.length;
    return unpacked;
  } catch {
    // It may have unpacked all that is allowed before it failed.
    unpacking.bytes -= MAX_TEXT_CHUNK_BYTES;
    return Buffer.alloc(0);
  }
}
