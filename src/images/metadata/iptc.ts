import { cleanText, decodeText } from './text.js';

/** Record 2 of IPTC-IIM 4.2: what photo software fills in. */
const DATASET_NAMES: ReadonlyMap<number, string> = new Map([
  [5, 'ObjectName'],
  [10, 'Urgency'],
  [15, 'Category'],
  [20, 'SupplementalCategories'],
  [25, 'Keywords'],
  [40, 'SpecialInstructions'],
  [55, 'DateCreated'],
  [60, 'TimeCreated'],
  [62, 'DigitalCreationDate'],
  [63, 'DigitalCreationTime'],
  [80, 'By-line'],
  [85, 'By-lineTitle'],
  [90, 'City'],
  [92, 'Sub-location'],
  [95, 'Province-State'],
  [100, 'Country-PrimaryLocationCode'],
  [101, 'Country-PrimaryLocationName'],
  [105, 'Headline'],
  [110, 'Credit'],
  [115, 'Source'],
  [116, 'CopyrightNotice'],
  [120, 'Caption-Abstract'],
  [122, 'Writer-Editor'],
]);

const MARKER = 0x1c;
const CODED_CHARACTER_SET = 90;
const MAX_DATASETS = 2000;

/** Values by dataset name; most datasets may occur several times. */
export type IptcRecord = ReadonlyMap<string, readonly string[]>;

/** Reads IIM datasets until the first byte that is none: padding and damage look alike. */
export function parseIptc(bytes: Buffer): IptcRecord {
  const raw: { name: string; value: Buffer }[] = [];
  let isUtf8 = false;
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === MARKER && raw.length < MAX_DATASETS;) {
    const record = bytes.readUInt8(at + 1);
    const dataset = bytes.readUInt8(at + 2);
    const length = bytes.readUInt16BE(at + 3);
    // The top bit marks lengths of lengths, which are for pictures of megabytes.
    if ((length & 0x8000) !== 0) break;
    const value = bytes.subarray(at + 5, at + 5 + length);
    const name = record === 2 ? DATASET_NAMES.get(dataset) : undefined;
    if (record === 1 && dataset === CODED_CHARACTER_SET) isUtf8 = value.toString('latin1') === '\x1b%G';
    if (name !== undefined) raw.push({ name, value });
    at += 5 + length;
  }
  const values = new Map<string, string[]>();
  for (const { name, value } of raw) {
    // Without a declared character set it is anybody's guess; UTF-8 is recognised, the rest is read as one byte a character.
    const text = cleanText(isUtf8 ? value.toString('utf8') : decodeText(value));
    if (text !== undefined) values.set(name, [...(values.get(name) ?? []), text]);
  }
  return values;
}
