import { anExif } from '../../../test/support/build-photo.js';
import { ByteSource } from './byte-source.js';
import { exifTagMap, MAX_TAGS_BYTES, tagsForStorage } from './tags-for-storage.js';
import { ExifTags } from './tiff/exif-tags.js';
import { readTiff } from './tiff/read-tiff.js';
import { EMPTY_IFD } from './tiff/tiff-reader.js';
import { TAG } from './tiff/tag-names.js';

describe('tags as they are stored', () => {
  it('are grouped, empty groups and values left out', () => {
    const stored = tagsForStorage({
      exif: new Map<string, unknown>([
        ['Make', 'Canon'],
        ['Nothing', undefined],
        ['Empty', '  '],
      ]),
      gps: new Map(),
      iptc: undefined,
    });
    expect(stored).toEqual({ exif: { Make: 'Canon' } });
  });

  it('are JSON that PostgreSQL takes', () => {
    const stored = tagsForStorage({
      xmp: new Map<string, unknown>([
        ['text\0name', 'a\0b\ud83dc'],
        ['number', NaN],
        ['big', 10n],
        ['bytes', [1, Infinity, 2, 'x\u0001']],
        ['deep', { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } }],
        ['__proto__', 'own'],
      ]),
    });
    const text = JSON.stringify(stored);
    expect(JSON.parse(text)).toEqual({
      xmp: Object.fromEntries([
        ['textname', 'abc'],
        ['bytes', [1, 2, 'x']],
        ['deep', { a: { b: { c: { d: { e: {} } } } } }],
        ['__proto__', 'own'],
      ]),
    });
    expect(text).not.toMatch(/\\u0000|\\ud83d/);
  });

  it('are never larger than a row should be, small ones being kept', () => {
    const long = new Map<string, unknown>(
      Array.from({ length: 400 }, (_, index) => [`property ${index}`, 'ä'.repeat(10_000)] as const),
    );
    const stored = tagsForStorage({ xmp: long.set('last', 'short'), texts: new Map([['Comment', 'hello']]) });
    expect(Buffer.byteLength(JSON.stringify(stored))).toBeLessThanOrEqual(MAX_TAGS_BYTES);
    expect(stored).toMatchObject({ xmp: { last: 'short' }, texts: { Comment: 'hello' } });
  });

  it('of EXIF have the names of the specification, and neither maker notes nor directories', async () => {
    const exif = await readTiff(
      ByteSource.ofBytes(
        anExif({
          image: { [TAG.Make]: 'Canon', 0xfffe: 'unknown' },
          photo: {
            [TAG.FNumber]: [[28, 10]],
            [TAG.ExifVersion]: Buffer.from('0232'),
            [TAG.SceneType]: Buffer.of(1),
            [TAG.MakerNote]: Buffer.alloc(2000, 1),
            [TAG.UserComment]: Buffer.from('ASCII\0\0\0hello'),
            [TAG.LensSpecification]: [
              [24, 1],
              [0, 0],
            ],
          },
        }),
      ),
    );
    expect(tagsForStorage({ exif: exifTagMap(exif?.tags ?? new ExifTags(EMPTY_IFD)) })).toEqual({
      exif: {
        FNumber: 2.8,
        ExifVersion: '0232',
        SceneType: 1,
        LensSpecification: [24],
        Make: 'Canon',
        UserComment: 'hello',
      },
    });
  });
});
