import { anExif, anXmp, type Fields, type FieldValue } from '../../../test/support/build-photo.js';
import type { PhotoProblem } from '../photo-facts.js';
import { ByteSource } from './byte-source.js';
import { exifPosition, gpsTimeOf, xmpPosition } from './position.js';
import { ExifTags } from './tiff/exif-tags.js';
import { readTiff } from './tiff/read-tiff.js';
import { GPS_TAG } from './tiff/tag-names.js';
import { EMPTY_IFD } from './tiff/tiff-reader.js';
import { parseXmp } from './xmp/xmp-packet.js';

interface GpsFields {
  readonly lat?: FieldValue;
  readonly latRef?: string;
  readonly lon?: FieldValue;
  readonly lonRef?: string;
  readonly rest?: Fields;
}

const degrees = (...parts: number[]): FieldValue => parts.map((part) => [Math.round(part * 1000), 1000] as const);

async function exifWith({ lat, latRef, lon, lonRef, rest = {} }: GpsFields): Promise<ExifTags> {
  const gps: Record<number, FieldValue> = { ...rest };
  if (lat !== undefined) gps[GPS_TAG.GPSLatitude] = lat;
  if (lon !== undefined) gps[GPS_TAG.GPSLongitude] = lon;
  if (latRef !== undefined) gps[GPS_TAG.GPSLatitudeRef] = latRef;
  if (lonRef !== undefined) gps[GPS_TAG.GPSLongitudeRef] = lonRef;
  const contents = await readTiff(ByteSource.ofBytes(anExif({ gps })));
  return contents?.tags ?? new ExifTags(EMPTY_IFD);
}

async function read(fields: GpsFields): Promise<string> {
  const problems: PhotoProblem[] = [];
  const found = exifPosition(await exifWith(fields), problems);
  const place = found === undefined ? 'none' : `${found.latitude}, ${found.longitude}, ${found.altitudeM ?? '-'} m`;
  return [place, ...problems.map(({ severity, code }) => `${severity} ${code}`)].join('; ');
}

describe('a GPS position in EXIF', () => {
  it('is degrees, minutes and seconds with a hemisphere', async () => {
    expect(await read({ lat: degrees(52, 30, 18), latRef: 'N', lon: degrees(13, 24, 0), lonRef: 'E' })).toBe(
      '52.505, 13.4, - m',
    );
    expect(await read({ lat: degrees(33, 57.3, 0), latRef: 'S', lon: degrees(118, 0, 36), lonRef: 'W' })).toBe(
      '-33.955, -118.01, - m',
    );
  });

  it('may have lower-case, long or missing references, and missing parts', async () => {
    expect(await read({ lat: degrees(33.5), latRef: 's', lon: degrees(18, 30), lonRef: 'East' })).toBe(
      '-33.5, 18.5, - m',
    );
    expect(await read({ lat: degrees(33.5), lon: degrees(18.5) })).toBe('33.5, 18.5, - m');
  });

  it('may be written as text', async () => {
    expect(await read({ lat: '52,30,18', latRef: 'N', lon: '13.4', lonRef: 'E' })).toBe('52.505, 13.4, - m');
  });

  it('is on the equator or the meridian as anywhere else', async () => {
    expect(await read({ lat: degrees(0, 0, 0), latRef: 'N', lon: degrees(36, 30, 0), lonRef: 'E' })).toBe(
      '0, 36.5, - m',
    );
    expect(await read({ lat: degrees(51, 30, 0), latRef: 'N', lon: degrees(0, 0, 0), lonRef: 'W' })).toBe(
      '51.5, 0, - m',
    );
  });

  it('of exactly 0, 0 is a receiver without satellites, unless it measured a height', async () => {
    const zero = { lat: degrees(0, 0, 0), latRef: 'N', lon: degrees(0, 0, 0), lonRef: 'E' };
    expect(await read(zero)).toBe('none; warning bad_metadata');
    expect(await read({ ...zero, rest: { [GPS_TAG.GPSAltitude]: [[125, 10]] } })).toBe('0, 0, 12.5 m');
  });

  it('with fractions over zero is none in degrees, and lacks what they stand for in the rest', async () => {
    const empty: FieldValue = [
      [0, 0],
      [0, 0],
      [0, 0],
    ];
    expect(await read({ lat: empty, latRef: 'N', lon: empty, lonRef: 'E' })).toBe('none');
    const withoutSeconds: FieldValue = [
      [52, 1],
      [30, 1],
      [0, 0],
    ];
    expect(await read({ lat: withoutSeconds, latRef: 'N', lon: degrees(13), lonRef: 'E' })).toBe('52.5, 13, - m');
  });

  it('beyond the poles is dropped and said', async () => {
    expect(await read({ lat: degrees(213, 38, 24), latRef: 'N', lon: degrees(103.48), lonRef: 'E' })).toBe(
      'none; warning bad_metadata',
    );
  });

  it('needs both coordinates', async () => {
    expect(await read({ lat: degrees(52), latRef: 'N' })).toBe('none');
    expect(await read({})).toBe('none');
  });

  it('has a height above or below the sea', async () => {
    const place = { lat: degrees(31.5), latRef: 'N', lon: degrees(35.5), lonRef: 'E' };
    const height = (metres: FieldValue, reference: number): Fields => ({
      [GPS_TAG.GPSAltitude]: metres,
      [GPS_TAG.GPSAltitudeRef]: Buffer.of(reference),
    });
    expect(await read({ ...place, rest: height([[4305, 10]], 1) })).toBe('31.5, 35.5, -430.5 m');
    expect(await read({ ...place, rest: height([[4305, 10]], 0) })).toBe('31.5, 35.5, 430.5 m');
    expect(await read({ ...place, rest: height([[0, 0]], 0) })).toBe('31.5, 35.5, - m');
    expect(await read({ ...place, rest: height([[4_294_967_284, 1]], 0) })).toBe(
      '31.5, 35.5, - m; warning bad_metadata',
    );
  });

  it('has a geohash of seven letters', async () => {
    const exif = await exifWith({ lat: [[5_764_911, 100_000]], latRef: 'N', lon: [[1_040_744, 100_000]], lonRef: 'E' });
    expect(exifPosition(exif, [])?.geohash).toBe('u4pruyd');
  });
});

describe('a GPS position in XMP', () => {
  it.each([
    ['48,24.5N', '2,30W', '48.408333, -2.5'],
    ['48,24,30N', '2,30,0E', '48.408333, 2.5'],
    ['33,57.3s', '18.5E', '-33.955, 18.5'],
    ['+47.35', '-10.2', '47.35, -10.2'],
    ['0,0N', '36,30.0E', '0, 36.5'],
    ['not known', '36,30.0E', 'none'],
    ['48,24.5N', '', 'none'],
  ])('%s and %s is %s', (latitude, longitude, expected) => {
    const xmp = parseXmp(Buffer.from(anXmp({ 'exif:GPSLatitude': latitude, 'exif:GPSLongitude': longitude })));
    const found = xmpPosition(xmp, []);
    const round = (value: number): number => Math.round(value * 1e6) / 1e6;
    expect(found ? `${round(found.latitude)}, ${round(found.longitude)}` : 'none').toBe(expected);
  });
});

describe('GPS time', () => {
  const stamp = async (rest: Fields): Promise<string | undefined> => {
    const time = gpsTimeOf(await exifWith({ rest }), new Map());
    return time === undefined ? undefined : new Date(time).toISOString();
  };

  it('is date and time together, with fractions', async () => {
    expect(
      await stamp({
        [GPS_TAG.GPSDateStamp]: '2022:01:10',
        [GPS_TAG.GPSTimeStamp]: [
          [21, 1],
          [15, 1],
          [33_519, 1000],
        ],
      }),
    ).toBe('2022-01-10T21:15:33.519Z');
  });

  it('is none with either missing or empty', async () => {
    expect(
      await stamp({
        [GPS_TAG.GPSTimeStamp]: [
          [21, 1],
          [15, 1],
          [33, 1],
        ],
      }),
    ).toBeUndefined();
    expect(await stamp({ [GPS_TAG.GPSDateStamp]: '2022:01:10' })).toBeUndefined();
    expect(
      await stamp({
        [GPS_TAG.GPSDateStamp]: '2022:01:10',
        [GPS_TAG.GPSTimeStamp]: [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      }),
    ).toBeUndefined();
  });
});
