export interface JpegSize {
  readonly width: number;
  readonly height: number;
}

const STANDALONE = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
/** Baseline, extended and progressive Huffman coding: what decoders of pictures know. The lossless one is sensor data. */
const FRAMES = [0xc0, 0xc1, 0xc2];
const OTHER_FRAMES = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

/** Size of the JPEG that begins here; undefined when none does, or one that is no picture. */
export function readJpegSize(bytes: Buffer): JpegSize | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  for (let at = 2; at + 9 <= bytes.length;) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes.readUInt8(at + 1);
    if (marker === 0xff || STANDALONE(marker)) {
      at += marker === 0xff ? 1 : 2;
    } else if (FRAMES.includes(marker)) {
      const [height, width] = [bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7)];
      return width > 0 && height > 0 ? { width, height } : undefined;
    } else if (
      marker < 0xc0 ||
      marker === 0xd8 ||
      marker === 0xd9 ||
      marker === 0xda ||
      OTHER_FRAMES.includes(marker)
    ) {
      return undefined;
    } else {
      at += 2 + Math.max(2, bytes.readUInt16BE(at + 2));
    }
  }
  return undefined;
}

/** Whether a JPEG's bytes stop before its end-of-image marker: in its header or in the middle of the picture. */
export function jpegEndsEarly(bytes: Buffer): boolean {
  for (let at = 2; ;) {
    at = bytes.indexOf(0xff, at);
    const marker = at === -1 ? undefined : bytes[at + 1];
    if (marker === undefined) return true;
    if (marker === 0xd9) return false;
    if (marker === 0xff) at += 1;
    else if (marker === 0x00 || marker === 0xd8 || STANDALONE(marker)) at += 2;
    else if (at + 4 > bytes.length) return true;
    else at += 2 + bytes.readUInt16BE(at + 2);
  }
}
