import { compact, otherPhone, phone } from './cameras.js';
import { exifOf } from './exif-of-shot.js';
import { planShots, type SampleShot } from './sample-plan.js';

describe('exifOf', () => {
  it('writes wall-clock time, sub-seconds and offset as three tags', () => {
    const exif = exifOf(
      aShot({ localMs: Date.parse('2024-10-28T16:05:09.042Z'), offsetMinutes: 345, camera: otherPhone }),
    );

    expect(exif.IFD2).toMatchObject({
      DateTimeOriginal: '2024:10:28 16:05:09',
      SubSecTimeOriginal: '042',
      OffsetTimeOriginal: '+05:45',
    });
    expect(exif.IFD0).toMatchObject({ Make: 'samsung', Model: 'SM-G991B', DateTime: '2024:10:28 16:05:09' });
  });

  it('writes a western offset with its sign', () => {
    expect(exifOf(aShot({ offsetMinutes: -210 })).IFD2).toMatchObject({ OffsetTimeOriginal: '-03:30' });
  });

  it('writes neither offset, nor sub-seconds, nor position for a camera that knows none', () => {
    const exif = exifOf(aShot({ camera: compact, position: undefined }));

    expect(Object.keys(exif.IFD2 ?? {}).filter((tag) => /Offset|SubSec/.test(tag))).toEqual([]);
    expect(exif.IFD3).toBeUndefined();
  });

  it('gives the equator and the prime meridian a hemisphere', () => {
    expect(exifOf(aShot({ position: { latitude: 0, longitude: 0, altitudeM: 0 } })).IFD3).toMatchObject({
      GPSLatitudeRef: 'N',
      GPSLatitude: '0/1 0/1 0/10000',
      GPSLongitudeRef: 'E',
      GPSLongitude: '0/1 0/1 0/10000',
    });
  });

  it('writes south and west without a sign, in degrees, minutes and seconds', () => {
    const position = { latitude: -50.9423, longitude: -73.4068, altitudeM: 220 };

    expect(exifOf(aShot({ position })).IFD3).toMatchObject({
      GPSLatitudeRef: 'S',
      GPSLatitude: '50/1 56/1 322800/10000',
      GPSLongitudeRef: 'W',
      GPSLongitude: '73/1 24/1 244800/10000',
      GPSAltitude: '2200/10',
    });
  });

  it('writes the satellites’ time in UTC, on the day that it was there', () => {
    const shot = aShot({ localMs: Date.parse('2023-09-12T08:30:00Z'), offsetMinutes: 720 });

    expect(exifOf(shot).IFD3).toMatchObject({ GPSDateStamp: '2023:09:11', GPSTimeStamp: '20/1 30/1 0/1' });
  });
});

function aShot(fields: Partial<SampleShot>): SampleShot {
  const [shot] = planShots(0, 1);
  if (shot === undefined) throw new Error('a plan has shots');
  return { ...shot, camera: phone, position: { latitude: 1, longitude: 1, altitudeM: 1 }, ...fields };
}
