import type { Exif } from 'sharp';
import type { Position, SampleShot } from './sample-plan.js';
import { SeededRandom } from './seeded-random.js';

/**
 * What the camera writes about a shot, in the words of libvips: IFD0 is the image, IFD2 the Exif directory, IFD3 GPS;
 * rationals are `numerator/denominator`. (The orientation is set apart: libvips overrides what stands here.)
 */
export function exifOf(shot: SampleShot): Exif {
  const { camera } = shot;
  const random = new SeededRandom(shot.seed ^ 0x5eed);
  const taken = exifTime(shot.localMs);
  const offset = camera.writesOffset ? offsetOf(shot.offsetMinutes) : undefined;
  const focalLength = random.pick(camera.focalLengthsMm);
  const dark = shot.light === 'night' || shot.light === 'dusk';
  return {
    IFD0: { Make: camera.make, Model: camera.model, Software: camera.software, DateTime: taken },
    IFD2: {
      DateTimeOriginal: taken,
      DateTimeDigitized: taken,
      ...(camera.writesSubSeconds ? { SubSecTimeOriginal: String(shot.localMs % 1_000).padStart(3, '0') } : {}),
      ...(offset ? { OffsetTime: offset, OffsetTimeOriginal: offset, OffsetTimeDigitized: offset } : {}),
      ExposureTime: `1/${String(dark ? random.pick([8, 15, 30, 60]) : random.pick([125, 250, 500, 1000]))}`,
      FNumber: rational(random.pick(camera.fNumbers), 10),
      ISOSpeedRatings: String(dark ? random.pick([800, 1600, 3200]) : random.pick([50, 100, 200])),
      FocalLength: rational(focalLength, 10),
      FocalLengthIn35mmFilm: String(Math.round(focalLength * camera.cropFactor)),
      LensModel: camera.lens,
      ...(camera.serial ? { BodySerialNumber: camera.serial } : {}),
      Flash: '0',
      ColorSpace: '1',
    },
    ...(shot.position ? { IFD3: gpsOf(shot.position, shot.localMs - shot.offsetMinutes * 60_000) } : {}),
  };
}

/** `YYYY:MM:DD HH:MM:SS` */
export function exifTime(localMs: number): string {
  return new Date(localMs).toISOString().slice(0, 19).replaceAll('-', ':').replace('T', ' ');
}

function gpsOf({ latitude, longitude, altitudeM }: Position, utcMs: number): Record<string, string> {
  const utc = new Date(utcMs);
  return {
    // Zero has a hemisphere as well: without its letter a position on the equator is none.
    GPSLatitudeRef: latitude < 0 ? 'S' : 'N',
    GPSLatitude: sexagesimal(latitude),
    GPSLongitudeRef: longitude < 0 ? 'W' : 'E',
    GPSLongitude: sexagesimal(longitude),
    GPSAltitudeRef: altitudeM < 0 ? '1' : '0',
    GPSAltitude: rational(Math.abs(altitudeM), 10),
    GPSDateStamp: utc.toISOString().slice(0, 10).replaceAll('-', ':'),
    GPSTimeStamp: `${String(utc.getUTCHours())}/1 ${String(utc.getUTCMinutes())}/1 ${String(utc.getUTCSeconds())}/1`,
  };
}

/** Degrees, minutes, and seconds to 1/10,000 (3 mm). */
function sexagesimal(degrees: number): string {
  const tenThousandths = Math.round(Math.abs(degrees) * 36_000_000);
  const minutes = Math.floor(tenThousandths / 600_000);
  return `${String(Math.floor(minutes / 60))}/1 ${String(minutes % 60)}/1 ${String(tenThousandths % 600_000)}/10000`;
}

function offsetOf(minutes: number): string {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

function rational(value: number, denominator: number): string {
  return `${String(Math.round(value * denominator))}/${String(denominator)}`;
}
