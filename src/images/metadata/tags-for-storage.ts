import { MAX_TEXT_LENGTH, cleanText } from './text.js';
import type { ExifTags } from './tiff/exif-tags.js';
import { APPLE_TAG } from './tiff/apple-maker-note.js';
import { GPS_TAG_NAMES, TAG, TAG_NAMES } from './tiff/tag-names.js';
import type { TiffField } from './tiff/tiff-field.js';
import type { Ifd } from './tiff/tiff-reader.js';
import { userComment } from './descriptions.js';

/** What all tags of one photo may take as JSON text. Too small: captions are lost; too large: rows no longer fit a page cache. */
export const MAX_TAGS_BYTES = 64 * 1024;
const MAX_ITEMS = 100;
const MAX_DEPTH = 6;

/** Directories, pictures and maker's data: meaningless outside the file. */
const NOT_STORED: ReadonlySet<number> = new Set([
  TAG.ExifIfd,
  TAG.GpsIfd,
  TAG.SubIfds,
  TAG.MakerNote,
  TAG.Xmp,
  TAG.IptcNaa,
  TAG.Photoshop,
  TAG.UserComment,
]);

type Plain = string | number | boolean | readonly Plain[] | { readonly [name: string]: Plain };

/** Groups of tags with whatever their readers gave; comes out as JSON that PostgreSQL takes, cut to size. */
export function tagsForStorage(
  groups: Readonly<Record<string, ReadonlyMap<string, unknown> | undefined>>,
): Record<string, unknown> {
  const stored: Record<string, Record<string, Plain>> = {};
  let bytes = 2;
  for (const [group, tags] of Object.entries(groups)) {
    const kept: [string, Plain][] = [];
    for (const [name, value] of tags ?? []) {
      const key = cleanText(name, 100);
      const plain = plainOf(value, 0);
      if (key === undefined || plain === undefined) continue;
      const size = Buffer.byteLength(JSON.stringify([key, plain]));
      if (bytes + size + group.length + 8 > MAX_TAGS_BYTES) continue;
      bytes += size;
      kept.push([key, plain]);
    }
    if (kept.length > 0) stored[group] = Object.fromEntries(kept);
  }
  return stored;
}

/** Undefined for what JSON cannot say, and for nothing. */
function plainOf(value: unknown, depth: number): Plain | undefined {
  if (typeof value === 'string') return cleanText(value, MAX_TEXT_LENGTH);
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH) return undefined;
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map((item) => plainOf(item, depth + 1));
    return items.filter((item) => item !== undefined);
  }
  const fields = Object.entries(value)
    .slice(0, MAX_ITEMS)
    .flatMap(([name, field]) => {
      const key = cleanText(name, 100);
      const plain = plainOf(field, depth + 1);
      return key === undefined || plain === undefined ? [] : [[key, plain] as const];
    });
  return Object.fromEntries(fields);
}

/** The named tags of the image's and the Exif directory, by the names of the specification. */
export function exifTagMap(exif: ExifTags): Map<string, unknown> {
  const tags = tagMap(exif.photo, TAG_NAMES);
  for (const [name, value] of tagMap(exif.image, TAG_NAMES)) if (!tags.has(name)) tags.set(name, value);
  const comment = userComment(exif);
  if (comment !== undefined) tags.set('UserComment', comment);
  return tags;
}

export const gpsTagMap = (exif: ExifTags): Map<string, unknown> => tagMap(exif.gps, GPS_TAG_NAMES);

export function appleTagMap(exif: ExifTags): Map<string, unknown> {
  const names = new Map(Object.entries(APPLE_TAG).map(([name, tag]) => [tag, name] as const));
  return tagMap(exif.apple, names);
}

function tagMap(ifd: Ifd, names: ReadonlyMap<number, string>): Map<string, unknown> {
  const tags = new Map<string, unknown>();
  for (const [tag, field] of ifd.fields) {
    const name = names.get(tag);
    if (name !== undefined && !NOT_STORED.has(tag)) tags.set(name, valueOf(field));
  }
  return tags;
}

function valueOf(field: TiffField): unknown {
  if (field.isText) return field.text();
  if (field.isOpaque) {
    // Versions (`0232`) are text by another name, the rest is the maker's business.
    const text = field.text() ?? '';
    return /^[\x20-\x7e]+$/.test(text) ? text : field.bytes?.length === 1 ? field.bytes[0] : undefined;
  }
  const numbers = field.numbers();
  return numbers.length === 1 ? numbers[0] : numbers;
}
