import { anExif, anXmp, type ExifDirectories } from '../../../test/support/build-photo.js';
import { ByteSource } from './byte-source.js';
import { burstIdOf, cameraOf, exposureOf } from './camera.js';
import { readTiff } from './tiff/read-tiff.js';
import { TAG } from './tiff/tag-names.js';
import type { ExifTags } from './tiff/exif-tags.js';
import { parseXmp, type XmpProperties } from './xmp/xmp-packet.js';

const exifOf = async (directories: ExifDirectories): Promise<ExifTags | undefined> =>
  (await readTiff(ByteSource.ofBytes(anExif(directories))))?.tags;

const xmpOf = (attributes: Record<string, string>, elements?: string): XmpProperties =>
  parseXmp(Buffer.from(anXmp(attributes, elements)));

const NO_XMP: XmpProperties = new Map();

describe('the camera', () => {
  it('is what EXIF says, on one line and without padding', async () => {
    const exif = await exifOf({
      image: { [TAG.Make]: 'NIKON CORPORATION\0\0', [TAG.Model]: '  NIKON   D70 ' },
      photo: { [TAG.BodySerialNumber]: '3050595 ', [TAG.LensModel]: 'AF-S 24-70mm f/2.8' },
    });
    expect(cameraOf(exif, NO_XMP, new Map())).toEqual({
      make: 'NIKON CORPORATION',
      model: 'NIKON D70',
      serial: '3050595',
      lens: 'AF-S 24-70mm f/2.8',
    });
  });

  it('is what XMP or a header says where EXIF is silent', () => {
    const xmp = xmpOf({ 'tiff:Make': 'Canon', 'aux:SerialNumber': '042', 'aux:Lens': 'EF 50mm' });
    expect(cameraOf(undefined, xmp, new Map([['Model', 'EOS 6D']]))).toEqual({
      make: 'Canon',
      model: 'EOS 6D',
      serial: '042',
      lens: 'EF 50mm',
    });
  });

  it('has no serial number of zeros and no lens called unknown', async () => {
    const exif = await exifOf({ photo: { [TAG.BodySerialNumber]: '0000000', [TAG.LensModel]: '----' } });
    expect(cameraOf(exif, xmpOf({ 'aux:Lens': 'Unknown' }), new Map())).toMatchObject({
      serial: undefined,
      lens: undefined,
    });
  });

  it('has a lens named after its specification if by nothing else', async () => {
    const zoom = await exifOf({
      photo: {
        [TAG.LensSpecification]: [
          [24, 1],
          [70, 1],
          [28, 10],
          [28, 10],
        ],
      },
    });
    const prime = await exifOf({
      photo: {
        [TAG.LensSpecification]: [
          [425, 100],
          [425, 100],
          [0, 0],
          [0, 0],
        ],
      },
    });
    const none = await exifOf({
      photo: {
        [TAG.LensSpecification]: [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      },
    });
    expect([zoom, prime, none].map((exif) => cameraOf(exif, NO_XMP, new Map()).lens)).toEqual([
      '24-70mm f/2.8',
      '4.3mm',
      undefined,
    ]);
  });
});

describe('the exposure', () => {
  it('is read from EXIF', async () => {
    const exif = await exifOf({
      photo: {
        [TAG.ExposureTime]: [[1, 60]],
        [TAG.FNumber]: [[18, 10]],
        [TAG.ISOSpeedRatings]: 320,
        [TAG.FocalLength]: [[425, 100]],
        [TAG.FocalLengthIn35mmFilm]: 26,
        [TAG.Flash]: 16,
      },
    });
    expect(exposureOf(exif, NO_XMP)).toEqual({
      timeSeconds: 1 / 60,
      fNumber: 1.8,
      iso: 320,
      focalLengthMm: 4.25,
      focalLength35Mm: 26,
      flashFired: false,
    });
  });

  it('takes APEX values, XMP and the larger ISO fields where the plain ones are empty or ran over', async () => {
    const exif = await exifOf({
      photo: {
        [TAG.ExposureTime]: [[0, 0]],
        [TAG.ShutterSpeedValue]: [[6, 1]],
        [TAG.ApertureValue]: [[4, 1]],
        [TAG.ISOSpeedRatings]: 65_535,
        [TAG.RecommendedExposureIndex]: 102_400,
        [TAG.Flash]: 1,
      },
    });
    expect(exposureOf(exif, xmpOf({ 'exif:FocalLength': '35/1' }))).toEqual({
      timeSeconds: 1 / 64,
      fNumber: 4,
      iso: 102_400,
      focalLengthMm: 35,
      focalLength35Mm: undefined,
      flashFired: true,
    });
  });
});

it("the burst id is Apple's or Google's", () => {
  const xmp = parseXmp(
    Buffer.from(anXmp({ 'xmlns:GCamera': 'http://ns.google.com/photos/1.0/camera/', 'GCamera:BurstID': ' b1 ' })),
  );
  expect([burstIdOf(undefined, xmp), burstIdOf(undefined, NO_XMP)]).toEqual(['b1', undefined]);
});
