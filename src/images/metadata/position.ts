import ngeohash from 'ngeohash';
import type { PhotoProblem, Position } from '../photo-facts.js';
import { parseDateText } from './dates/date-text.js';
import { badMetadata } from './embedded-metadata.js';
import type { ExifTags } from './tiff/exif-tags.js';
import { GPS_TAG } from './tiff/tag-names.js';
import { xmpText, type XmpProperties } from './xmp/xmp-packet.js';

const GEOHASH_PRECISION = 7;
/** Below the Dead Sea's diver and above the stratosphere's balloons a figure is an overflow. */
const ALTITUDE_RANGE_M = [-12_000, 100_000] as const;

interface Reading {
  readonly latitude: number | undefined;
  readonly longitude: number | undefined;
  readonly altitudeM: number | undefined;
}

/** Where the picture was taken, by the GPS fields of EXIF. */
export function exifPosition(exif: ExifTags, problems: PhotoProblem[]): Position | undefined {
  const field = (tag: number) => exif.gps.fields.get(tag);
  const altitude = field(GPS_TAG.GPSAltitude)?.number();
  const isBelowSea = field(GPS_TAG.GPSAltitudeRef)?.number() === 1;
  return position(
    {
      latitude: signed(degrees(field(GPS_TAG.GPSLatitude)?.numbers()), field(GPS_TAG.GPSLatitudeRef)?.text()),
      longitude: signed(degrees(field(GPS_TAG.GPSLongitude)?.numbers()), field(GPS_TAG.GPSLongitudeRef)?.text()),
      altitudeM: altitude !== undefined && isBelowSea ? -Math.abs(altitude) : altitude,
    },
    problems,
  );
}

/** The same of XMP, where a coordinate is a text such as `48,24.5N`. */
export function xmpPosition(xmp: XmpProperties, problems: PhotoProblem[]): Position | undefined {
  const altitude = fraction(xmpText(xmp, 'exif:GPSAltitude'));
  const isBelowSea = xmpText(xmp, 'exif:GPSAltitudeRef')?.trim() === '1';
  return position(
    {
      latitude: coordinate(xmpText(xmp, 'exif:GPSLatitude')),
      longitude: coordinate(xmpText(xmp, 'exif:GPSLongitude')),
      altitudeM: altitude !== undefined && isBelowSea ? -Math.abs(altitude) : altitude,
    },
    problems,
  );
}

function position({ latitude, longitude, altitudeM }: Reading, problems: PhotoProblem[]): Position | undefined {
  if (latitude === undefined || longitude === undefined) return undefined;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) {
    problems.push(badMetadata(`The GPS position ${String(latitude)}, ${String(longitude)} is not on Earth.`));
    return undefined;
  }
  // Zero is a latitude (the equator) and a longitude (Greenwich), but both at once to the last digit is what receivers
  // write that found no satellite; only a height above or below the sea shows that this one did.
  if (latitude === 0 && longitude === 0 && (altitudeM ?? 0) === 0) {
    problems.push(badMetadata('The GPS position 0, 0 was taken for a missing one.'));
    return undefined;
  }
  const [lowest, highest] = ALTITUDE_RANGE_M;
  const hasHeight = altitudeM !== undefined && altitudeM >= lowest && altitudeM <= highest;
  if (altitudeM !== undefined && !hasHeight) problems.push(badMetadata(`No place is ${String(altitudeM)} m high.`));
  return {
    latitude,
    longitude,
    altitudeM: hasHeight ? altitudeM : undefined,
    geohash: ngeohash.encode(latitude, longitude, GEOHASH_PRECISION),
  };
}

/** Degrees, minutes, seconds, of which the last may be missing or a fraction over zero. */
function degrees(parts: readonly number[] | undefined): number | undefined {
  const [whole, minutes = 0, seconds = 0] = parts ?? [];
  if (whole === undefined || !Number.isFinite(whole)) return undefined;
  const rest = (Number.isFinite(minutes) ? minutes : 0) / 60 + (Number.isFinite(seconds) ? seconds : 0) / 3600;
  return whole < 0 ? whole - rest : whole + rest;
}

/** Without a reference (or with one that is none) the number's own sign holds. */
function signed(value: number | undefined, reference: string | undefined): number | undefined {
  if (value === undefined || value === 0) return value;
  return /^\s*[SW]/i.test(reference ?? '') ? -Math.abs(value) : value;
}

function coordinate(text: string | undefined): number | undefined {
  const match =
    /^\s*([+-]?\d+(?:\.\d+)?)(?:[,\s°]+(\d+(?:\.\d+)?))?(?:[,\s'′]+(\d+(?:\.\d+)?))?["″\s]*([NSEW])?\s*$/i.exec(
      text ?? '',
    );
  if (match === null) return undefined;
  const parts = [1, 2, 3].map((group) => Number(match[group] ?? 0));
  return signed(degrees(parts), match[4]);
}

/** `1483/10` or `148.3`; undefined over zero. */
export function fraction(text: string | undefined): number | undefined {
  const match = /^\s*([+-]?\d+(?:\.\d+)?)(?:\s*\/\s*(\d+))?\s*$/.exec(text ?? '');
  if (match === null) return undefined;
  const value = Number(match[1]) / Number(match[2] ?? 1);
  return Number.isFinite(value) ? value : undefined;
}

/** The receiver's clock, in milliseconds of UTC; only with date and time, as either alone tells no instant. */
export function gpsTimeOf(exif: ExifTags | undefined, xmp: XmpProperties): number | undefined {
  const date = exif?.gps.fields.get(GPS_TAG.GPSDateStamp)?.text();
  const time = exif?.gps.fields.get(GPS_TAG.GPSTimeStamp)?.numbers() ?? [];
  const day = parseDateText(date);
  const [hours, minutes, seconds] = time;
  if (day !== undefined && hours !== undefined && minutes !== undefined && seconds !== undefined) {
    const milliseconds = Math.round(((hours * 60 + minutes) * 60 + seconds) * 1000);
    if (milliseconds >= 0 && milliseconds < 86_400_000)
      return Math.floor(day.wallMs / 86_400_000) * 86_400_000 + milliseconds;
  }
  const written = parseDateText(xmpText(xmp, 'exif:GPSTimeStamp'));
  return written?.hasTime === true ? written.wallMs - (written.offsetMinutes ?? 0) * 60_000 : undefined;
}
