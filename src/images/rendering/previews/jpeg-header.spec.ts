import { jpegEndsEarly, readJpegSize } from './jpeg-header.js';

const hex = (...parts: readonly string[]): Buffer => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');

const START = 'ffd8';
const APP1 = 'ffe1 0006 ffd8 ffc0'; // what looks like a picture inside metadata is none
const TABLES = 'ffdb 0004 0000';
const frame = (marker: string): string => `${marker} 0011 08 0300 0400 03 011100 021100 031100`;
const SCAN = 'ffda 0008 01 01 00 00 3f 00';
/** With a stuffed byte, a restart marker and a second scan. */
const PICTURE = `${SCAN} 12ff00 34 ffd0 56 ffc4 0004 0000 ${SCAN} 78`;
const END = 'ffd9';

describe('readJpegSize', () => {
  it.each(['ffc0', 'ffc1', 'ffc2'])('reads the frame header %s behind metadata, tables and fill bytes', (marker) => {
    expect(readJpegSize(hex(START, APP1, 'ffff', TABLES, frame(marker), SCAN))).toEqual({ width: 1024, height: 768 });
  });

  it.each([
    ['nothing', ''],
    ['another file', '89504e470d0a1a0a0000'],
    ['only the start', START],
    ['a lossless JPEG, which is sensor data', START + frame('ffc3')],
    ['a JPEG without a size', START + 'ffc0 0011 08 0000 0400 03 011100 021100 031100'],
    ['no frame before the scan', START + TABLES + SCAN],
    ['stray bytes where a segment should be', `${START} 0011223344556677 ${frame('ffc0')}`],
    ['another start', `${START} ffd8 ${frame('ffc0')}`],
    ['a header that is cut', `${START} ffe1 ffff 0000`],
    ['a segment of an impossible length', `${START} ffe1 0000 0000 0000 0000`],
  ])('finds none in %s', (_what, bytes) => {
    expect(readJpegSize(hex(bytes))).toBeUndefined();
  });
});

describe('jpegEndsEarly', () => {
  it('is false for a whole picture, whatever follows it', () => {
    expect(jpegEndsEarly(hex(START, APP1, TABLES, frame('ffc2'), PICTURE, END))).toBe(false);
    expect(jpegEndsEarly(hex(START, frame('ffc0'), PICTURE, END, START, APP1))).toBe(false);
  });

  it('is true wherever a picture is cut', () => {
    const whole = hex(START, APP1, TABLES, frame('ffc2'), PICTURE, END);

    const early = Array.from({ length: whole.length - 2 }, (_, cut) => jpegEndsEarly(whole.subarray(0, cut + 2)));

    expect(early).not.toContain(false);
  });
});
