import type { ByteSource } from '../byte-source.js';
import { corrupt, setSize, type EmbeddedMetadata } from '../embedded-metadata.js';
import { cleanName } from '../text.js';
import { wallClock } from './ciff.js';
import { readJpeg } from './jpeg.js';

/** Properties by the names that the rest of the reader knows. */
const PROPERTY_NAMES: ReadonlyMap<string, string> = new Map([
  ['CAMMANUF', 'Make'],
  ['CAMMODEL', 'Model'],
  ['CAMSERIAL', 'SerialNumber'],
  ['TIME', 'DateTimeOriginal'],
]);
const MAX_SECTIONS = 50;
const MAX_PROPERTIES_BYTES = 256 * 1024;
const SECTION_HEADER_BYTES = 28;
const VERSION_4 = 0x0004_0000;

/** Sigma X3F: the size in the header; a directory, found by the last four bytes, of properties and previews. */
export async function readX3f(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const header = await source.read(0, 48);
  if (header.length < 48) {
    found.problems.push(corrupt('The X3F ends within its header.'));
    return;
  }
  const sizeAt = header.readUInt32LE(4) >= VERSION_4 ? 40 : 28;
  const [width, height] = [header.readUInt32LE(sizeAt), header.readUInt32LE(sizeAt + 4)];
  const pointer = await source.read(source.size - 4, 4);
  const directoryAt = pointer.length === 4 ? pointer.readUInt32LE(0) : 0;
  const directory = await source.read(directoryAt, 12 + MAX_SECTIONS * 12);
  if (directory.length >= 12 && directory.toString('latin1', 0, 4) === 'SECd') {
    const count = Math.min(directory.readUInt32LE(8), MAX_SECTIONS);
    for (let at = 12; at + 12 <= directory.length && at < 12 + count * 12; at += 12) {
      const section = source.window(directory.readUInt32LE(at), directory.readUInt32LE(at + 4));
      const type = directory.toString('latin1', at + 8, at + 12);
      if (type === 'PROP') await readProperties(section, found);
      if (type === 'IMA2') await readPreview(section, found);
    }
  }
  setSize(found, width, height);
}

async function readPreview(section: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const jpeg = section.window(SECTION_HEADER_BYTES);
  const isJpeg = (await jpeg.read(0, 2)).toString('hex') === 'ffd8';
  if (isJpeg && found.exif === undefined) await readJpeg(jpeg, found);
}

/** Pairs of UTF-16 texts, given by their character offsets. */
async function readProperties(section: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const bytes = await section.read(0, Math.min(section.size, MAX_PROPERTIES_BYTES));
  if (bytes.length < 24 || bytes.toString('latin1', 0, 4) !== 'SECp') return;
  const count = bytes.readUInt32LE(8);
  const textAt = 24 + count * 8;
  const text = bytes.subarray(Math.min(textAt, bytes.length)).toString('utf16le');
  const textFrom = (character: number): string => text.slice(character, character + 200).replace(/\0.*$/s, '');
  for (let at = 24; at + 8 <= Math.min(textAt, bytes.length); at += 8) {
    const name = PROPERTY_NAMES.get(textFrom(bytes.readUInt32LE(at)));
    const value = cleanName(textFrom(bytes.readUInt32LE(at + 4)));
    if (name === undefined || value === undefined) continue;
    const isTime = name === 'DateTimeOriginal';
    const shown = isTime ? (/^\d{1,10}$/.test(value) ? wallClock(Number(value)) : undefined) : value;
    if (shown !== undefined) found.texts.set(name, shown);
  }
}
