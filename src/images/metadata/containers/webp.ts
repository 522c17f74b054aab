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
import { addExifBlock } from '../tiff/read-tiff.js';
import { withoutExifPrefix } from './png.js';

/** RIFF chunks: VP8X states the canvas, VP8 and VP8L the picture; EXIF and XMP follow the picture. */
export async function readWebp(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  for (let offset = 12; offset + 8 <= source.size;) {
    const header = await source.read(offset, 8);
    if (header.length < 8) break;
    const type = header.toString('latin1', 0, 4);
    const size = header.readUInt32LE(4);
    await readChunk(source.window(offset + 8, size), type, found);
    offset += 8 + size + (size % 2);
    // One byte of padding is often left out at the end.
    if (offset > source.size + 1) found.problems.push(truncated('The WebP ends within a chunk.'));
  }
  if (found.width === undefined) found.problems.push(corrupt('The WebP states no size.'));
}

async function readChunk(chunk: ByteSource, type: string, found: EmbeddedMetadata): Promise<void> {
  if (type === 'EXIF' && chunk.size <= MAX_EXIF_BYTES) {
    const block = withoutExifPrefix(await chunk.read(0, chunk.size));
    await addExifBlock(ByteSource.ofBytes(block), found);
  } else if (type === 'XMP ' && chunk.size <= MAX_XMP_BYTES) {
    addXmpPacket(found, await chunk.read(0, chunk.size));
  } else if (found.width === undefined) {
    const start = await chunk.read(0, 10);
    if (type === 'VP8X' && start.length === 10) setSize(found, 1 + start.readUIntLE(4, 3), 1 + start.readUIntLE(7, 3));
    if (type === 'VP8 ' && start.length === 10) {
      setSize(found, start.readUInt16LE(6) & 0x3fff, start.readUInt16LE(8) & 0x3fff);
    }
    if (type === 'VP8L' && start.length >= 5) {
      const bits = start.readUInt32LE(1);
      setSize(found, 1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff));
    }
  }
}
