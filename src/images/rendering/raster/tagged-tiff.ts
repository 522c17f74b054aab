import type { Pixels } from './pixels.js';

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;
const HEADER_BYTES = 8;

/**
 * Pixels with an ICC profile, as an uncompressed TIFF (TIFF 6.0; the profile as in ICC.1 Annex B.4): the way to hand
 * libvips pixels in another colour space than sRGB.
 */
export function taggedTiff({ data, width, height, channels }: Pixels, icc: Buffer): Buffer {
  const entries: (readonly [tag: number, type: number, count: number, value: number])[] = [
    [256, SHORT, 1, width],
    [257, SHORT, 1, height],
    [258, SHORT, channels, 0],
    [259, SHORT, 1, 1], // no compression
    [262, SHORT, 1, 2], // RGB
    [273, LONG, 1, 0],
    [277, SHORT, 1, channels],
    [278, LONG, 1, height],
    [279, LONG, 1, data.length],
    [34675, UNDEFINED, icc.length, 0],
  ];
  const bitsAt = HEADER_BYTES + 2 + entries.length * 12 + 4;
  const profileAt = bitsAt + channels * 2;
  const pixelsAt = profileAt + icc.length;
  const places: Readonly<Record<number, number>> = { 258: bitsAt, 273: pixelsAt, 34675: profileAt };

  const head = Buffer.alloc(profileAt);
  head.write('II*\0', 0, 'latin1');
  head.writeUInt32LE(HEADER_BYTES, 4);
  head.writeUInt16LE(entries.length, HEADER_BYTES);
  entries.forEach(([tag, type, count, value], index) => {
    const at = HEADER_BYTES + 2 + index * 12;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    head.writeUInt32LE(places[tag] ?? value, at + 8);
  });
  for (let channel = 0; channel < channels; channel++) head.writeUInt16LE(8, bitsAt + channel * 2);
  return Buffer.concat([head, icc, data]);
}
