import type { ExifTags } from '../tiff/exif-tags.js';
import { TAG } from '../tiff/tag-names.js';
import type { MetadataSources } from '../embedded-metadata.js';
import type { IptcRecord } from '../iptc.js';
import { xmpText, type XmpProperties } from '../xmp/xmp-packet.js';
import { CONFIDENCE, type DateOffer } from './capture-time.js';
import { parseDateText, parseOffset, withSubSeconds, type ParsedDate } from './date-text.js';

/** The three dates of EXIF, each with the fields of its fractions and of its offset. */
const EXIF_DATES = {
  original: {
    source: 'exif.DateTimeOriginal',
    date: TAG.DateTimeOriginal,
    subSeconds: TAG.SubSecTimeOriginal,
    offset: TAG.OffsetTimeOriginal,
  },
  digitized: {
    source: 'exif.DateTimeDigitized',
    date: TAG.DateTimeDigitized,
    subSeconds: TAG.SubSecTimeDigitized,
    offset: TAG.OffsetTimeDigitized,
  },
  modified: { source: 'exif.DateTime', date: TAG.DateTime, subSeconds: TAG.SubSecTime, offset: TAG.OffsetTime },
} as const;

type ExifDateName = keyof typeof EXIF_DATES;

/** All dates that the file and its sidecar state. */
export function statedDates(embeddedSources: MetadataSources, sidecar: XmpProperties): DateOffer[] {
  const embedded = embeddedDates(embeddedSources);
  return [...sidecarDates(sidecar).map((found) => withDetailsOf(embedded, found)), ...embedded];
}

/** Sidecars often repeat the file's date without its zone and fractions, and mean no other instant by that. */
function withDetailsOf(embedded: readonly DateOffer[], found: DateOffer): DateOffer {
  const second = Math.floor(found.time.wallMs / 1000);
  const same = embedded.find(({ time }) => time.hasTime && Math.floor(time.wallMs / 1000) === second);
  return {
    ...found,
    time: same && !found.time.hasFraction ? same.time : found.time,
    offset: found.offset ?? same?.offset,
    otherOffsetMinutes: embedded.find(({ offset }) => offset?.source === 'offset-tag')?.offset?.minutes,
  };
}

/**
 * When the picture was taken, then when it was made digital (a scan's date), then when the file was changed; within
 * each EXIF before XMP before IPTC, as the Metadata Working Group reconciles them.
 */
function embeddedDates({ exif, xmp, iptc, texts }: MetadataSources): DateOffer[] {
  const written = texts.get('DateTimeOriginal');
  return [
    exif && exifOffer(exif, 'original'),
    written && offer('header.DateTimeOriginal', parseDateText(written)),
    ...xmpOffers(xmp, 'xmp', ['exif:DateTimeOriginal', 'photoshop:DateCreated']),
    offer('iptc.DateCreated', iptcDate(iptc, 'DateCreated', 'TimeCreated')),
    exif && exifOffer(exif, 'digitized'),
    ...xmpOffers(xmp, 'xmp', ['exif:DateTimeDigitized', 'xmp:CreateDate']),
    offer('iptc.DigitalCreationDate', iptcDate(iptc, 'DigitalCreationDate', 'DigitalCreationTime')),
    offer('png.CreationTime', parseDateText(texts.get('Creation Time'))),
    exif && exifOffer(exif, 'modified'),
    ...xmpOffers(xmp, 'xmp', ['xmp:ModifyDate']).map((found) => ({ ...found, confidence: CONFIDENCE.modified })),
  ].filter((found) => found !== undefined && found !== '');
}

/** A sidecar's dates stand above all others: someone put them there to correct the file. */
function sidecarDates(xmp: XmpProperties): DateOffer[] {
  const names = ['exif:DateTimeOriginal', 'photoshop:DateCreated', 'exif:DateTimeDigitized', 'xmp:CreateDate'];
  return xmpOffers(xmp, 'sidecar', names).map((found) => ({
    ...found,
    confidence: found.time.hasTime ? CONFIDENCE.sidecar : found.confidence,
    offset: found.offset && { ...found.offset, source: 'sidecar' as const },
  }));
}

function offer(source: string, date: ParsedDate | undefined): DateOffer | undefined {
  if (date === undefined) return undefined;
  const { offsetMinutes } = date;
  return {
    source,
    confidence: date.hasTime ? CONFIDENCE.embedded : CONFIDENCE.embeddedDay,
    time: date,
    offset: offsetMinutes === undefined ? undefined : { minutes: offsetMinutes, source: 'in-date' },
  };
}

function xmpOffers(xmp: XmpProperties, group: string, names: readonly string[]): DateOffer[] {
  return names.flatMap((name) => {
    const parsed = parseDateText(xmpText(xmp, name));
    const isOriginal = name === 'exif:DateTimeOriginal';
    const date = parsed && isOriginal ? withSubSeconds(parsed, xmpText(xmp, 'exif:SubSecTimeOriginal')) : parsed;
    return offer(`${group}.${name}`, date) ?? [];
  });
}

function exifDate(exif: ExifTags, name: ExifDateName): ParsedDate | undefined {
  const tags = EXIF_DATES[name];
  const date = parseDateText(exif.text(tags.date));
  return date && withSubSeconds(date, exif.text(tags.subSeconds));
}

const exifOffset = (exif: ExifTags, name: ExifDateName): number | undefined =>
  parseOffset(exif.text(EXIF_DATES[name].offset));

function exifOffer(exif: ExifTags, name: ExifDateName): DateOffer | undefined {
  const date = exifDate(exif, name);
  const found = offer(EXIF_DATES[name].source, date);
  if (date === undefined || found === undefined) return undefined;
  const minutes = exifOffset(exif, name) ?? offsetOfSameClock(exif, name, date);
  const hours = name === 'original' ? exif.number(TAG.TimeZoneOffset) : undefined;
  const tagMinutes = minutes ?? (hours !== undefined && Math.abs(hours) <= 14 ? hours * 60 : undefined);
  return {
    ...found,
    confidence: name === 'modified' ? CONFIDENCE.modified : found.confidence,
    offset: tagMinutes === undefined ? found.offset : { minutes: tagMinutes, source: 'offset-tag' },
    otherOffsetMinutes: exifOffset(exif, 'digitized') ?? exifOffset(exif, 'modified'),
  };
}

/**
 * Each date has its own offset. That of another date holds for this one only where both show the same second: then one
 * clock wrote both (phones of some makers fill in `OffsetTime` alone); an editor's clock may be in another country.
 */
function offsetOfSameClock(exif: ExifTags, name: ExifDateName, date: ParsedDate): number | undefined {
  const second = (wallMs: number): number => Math.floor(wallMs / 1000);
  for (const other of ['digitized', 'modified'] as const) {
    if (other === name) continue;
    const otherDate = exifDate(exif, other);
    const minutes = exifOffset(exif, other);
    if (otherDate !== undefined && second(otherDate.wallMs) === second(date.wallMs) && minutes !== undefined)
      return minutes;
  }
  return undefined;
}

/** IPTC: `20170713` and `170100+0000`. */
function iptcDate(iptc: IptcRecord, dateName: string, timeName: string): ParsedDate | undefined {
  const day = /^(\d{4})-?(\d\d)-?(\d\d)$/.exec(iptc.get(dateName)?.[0] ?? '');
  if (day === null) return undefined;
  const time = /^(\d\d):?(\d\d):?(\d\d)(.*)$/.exec(iptc.get(timeName)?.[0] ?? '');
  const text = day.slice(1).join('-') + (time ? `T${time.slice(1, 4).join(':')}${time[4] ?? ''}` : '');
  return parseDateText(text);
}
