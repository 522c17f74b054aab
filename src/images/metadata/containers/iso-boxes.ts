import type { ByteSource } from '../byte-source.js';

/** A box of the ISO base media format (HEIF, AVIF, CR3, JPEG 2000, JPEG XL). */
export interface Box {
  readonly type: string;
  /** Hexadecimal extended type of a `uuid` box. */
  readonly uuid: string | undefined;
  readonly content: ByteSource;
  /** The box claims more bytes than its container has. */
  readonly cut: boolean;
}

const MAX_BOXES = 2000;

/** The boxes at one level. A box that claims more than its container has is the last one, cut to what is there. */
export async function listBoxes(source: ByteSource, start = 0): Promise<Box[]> {
  const boxes: Box[] = [];
  for (let offset = start; offset + 8 <= source.size && boxes.length < MAX_BOXES;) {
    const header = await source.read(offset, 32);
    if (header.length < 8) break;
    let size = header.readUInt32BE(0);
    const type = header.toString('latin1', 4, 8);
    let headerSize = 8;
    if (size === 1 && header.length >= 16) {
      size = Number(header.readBigUInt64BE(8));
      headerSize = 16;
    } else if (size === 0) {
      size = source.size - offset;
    }
    if (size < headerSize) break;
    const isUuid = type === 'uuid' && header.length >= headerSize + 16;
    const uuid = isUuid ? header.toString('hex', headerSize, headerSize + 16) : undefined;
    if (isUuid) headerSize += 16;
    const content = source.window(offset + headerSize, size - headerSize);
    boxes.push({ type, uuid, content, cut: offset + size > source.size });
    offset += size;
  }
  return boxes;
}

export const findBox = (boxes: readonly Box[], type: string): Box | undefined => boxes.find((box) => box.type === type);
