import type { ByteSource } from '../byte-source.js';
import { corrupt, setSize, truncated, type EmbeddedMetadata } from '../embedded-metadata.js';
import { decodeText } from '../text.js';

/** Windows and OS/2 bitmap; a negative height means rows from the top. */
export async function readBmp(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const header = await source.read(14, 12);
  if (header.length < 12) {
    found.problems.push(truncated('The bitmap ends within its header.'));
    return;
  }
  const isOldOs2 = header.readUInt32LE(0) === 12;
  if (isOldOs2) setSize(found, header.readUInt16LE(4), header.readUInt16LE(6));
  else setSize(found, header.readInt32LE(4), Math.abs(header.readInt32LE(8)));
  if (found.width === undefined) found.problems.push(corrupt('The bitmap states no size.'));
}

/** Icon: the size of the first picture, where 0 stands for 256. */
export async function readIco(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const entry = await source.read(6, 16);
  if (entry.length < 16) {
    found.problems.push(truncated('The icon ends within its directory.'));
    return;
  }
  setSize(found, entry.readUInt8(0) || 256, entry.readUInt8(1) || 256);
}

/** Vector graphics: the size in pixels if the root element states one, else that of its view box. */
export async function readSvg(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const root = /<svg\b[^>]*>/i.exec(decodeText(await source.read(0, 64 * 1024)))?.[0] ?? '';
  const attribute = (name: string): string => new RegExp(`\\s${name}=["']([^"']{1,100})["']`).exec(root)?.[1] ?? '';
  const length = (name: string): number => Math.round(Number(attribute(name).replace(/px$/, '') || NaN));
  const [, , boxWidth, boxHeight] = attribute('viewBox')
    .split(/[\s,]+/)
    .map((part) => Math.round(Number(part)));
  setSize(found, length('width'), length('height'));
  if (found.width === undefined) setSize(found, boxWidth, boxHeight);
}
