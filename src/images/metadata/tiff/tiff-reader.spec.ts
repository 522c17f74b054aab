import { aDirectory, anExif, uint32 } from '../../../../test/support/build-photo.js';
import { ByteSource } from '../byte-source.js';
import { readTiff } from './read-tiff.js';
import { APPLE_TAG } from './apple-maker-note.js';
import { TAG } from './tag-names.js';
import { TiffReader } from './tiff-reader.js';

const read = (bytes: Buffer): ReturnType<typeof readTiff> => readTiff(ByteSource.ofBytes(bytes));

describe('TIFF directories', () => {
  it('hold text, numbers, fractions and bytes', async () => {
    const exif = await read(
      anExif({
        image: { [TAG.Make]: 'Canon', [TAG.Orientation]: 6 },
        photo: {
          [TAG.FNumber]: [[28, 10]],
          [TAG.ExifVersion]: Buffer.from('0232'),
          [TAG.LensSpecification]: [
            [24, 1],
            [0, 0],
          ],
        },
      }),
    );
    expect([
      exif?.tags.text(TAG.Make),
      exif?.tags.orientation,
      exif?.tags.number(TAG.FNumber),
      exif?.tags.text(TAG.ExifVersion),
      exif?.tags.find(TAG.LensSpecification)?.numbers(),
    ]).toEqual(['Canon', 6, 2.8, '0232', [24, NaN]]);
  });

  it('are read in either byte order and as BigTIFF', async () => {
    const little = Buffer.from('49492a0008000000010012010300010000000600000000000000', 'hex');
    const big = Buffer.from(
      '4d4d002b00080000000000000000001000000000000000010112000300000000000000010003000000000000' + '0000000000000000',
      'hex',
    );
    expect([(await read(little))?.tags.orientation, (await read(big))?.tags.orientation]).toEqual([6, 3]);
  });

  it('that point at themselves or each other end', async () => {
    const loop = Buffer.concat([
      Buffer.from('4d4d002a00000008', 'hex'),
      aDirectory({ [TAG.Orientation]: 3, [TAG.ExifIfd]: 8 }, 8, 8),
    ]);
    const contents = await read(loop);
    expect(contents?.images).toHaveLength(1);
    expect(contents?.tags.orientation).toBe(3);
  });

  it('with counts and offsets beyond the file lose those entries and no more', async () => {
    const bytes = anExif({ image: { [TAG.Make]: 'Canon EOS', [TAG.Model]: 'EOS 6D', [TAG.Orientation]: 6 } });
    const makeEntry = 8 + 2;
    const hugeCount = Buffer.from(bytes);
    hugeCount.writeUInt32BE(0xffffffff, makeEntry + 4);
    const farOffset = Buffer.from(bytes);
    farOffset.writeUInt32BE(0xfffffff0, makeEntry + 8);
    const unknownType = Buffer.from(bytes);
    unknownType.writeUInt16BE(99, makeEntry + 2);
    for (const damaged of [hugeCount, farOffset, unknownType]) {
      const tags = (await read(damaged))?.tags;
      expect([tags?.text(TAG.Make), tags?.text(TAG.Model), tags?.orientation]).toEqual([undefined, 'EOS 6D', 6]);
    }
  });

  it('that the file ends within say so', async () => {
    const bytes = anExif({ image: { [TAG.Make]: 'Canon', [TAG.Orientation]: 6 } });
    expect((await read(bytes.subarray(0, 24)))?.tags.image.cut).toBe(true);
    expect((await read(bytes))?.tags.image.cut).toBe(false);
  });

  it('with a million entries are none', async () => {
    const bytes = Buffer.concat([Buffer.from('4d4d002a00000008ffff', 'hex'), Buffer.alloc(100_000, 1)]);
    expect((await read(bytes))?.tags.isEmpty).toBe(true);
  });

  it('give large values only when asked for', async () => {
    const reader = await TiffReader.open(
      ByteSource.ofBytes(anExif({ photo: { [TAG.MakerNote]: Buffer.alloc(50_000, 7) } })),
    );
    const image = await reader?.readIfd(reader.firstIfdOffset);
    const pointer = image?.fields.get(TAG.ExifIfd)?.number() ?? 0;
    const note = (await reader?.readIfd(pointer))?.fields.get(TAG.MakerNote);
    expect([note?.bytes, note?.sizeBytes]).toEqual([undefined, 50_000]);
    expect(note && (await reader?.bytesOf(note, 100_000))?.length).toBe(50_000);
    expect(note && (await reader?.bytesOf(note, 10_000))).toBeUndefined();
  });

  it('of values out of range give no orientation', async () => {
    const orientations = await Promise.all(
      [0, 9, 36_865].map((value) => read(anExif({ image: { [TAG.Orientation]: value } }))),
    );
    expect(orientations.map((contents) => contents?.tags.orientation)).toEqual([undefined, undefined, undefined]);
  });

  it('find a tag in the wrong directory, where the right one is empty', async () => {
    const contents = await read(anExif({ image: { [TAG.Make]: '' }, photo: { [TAG.Make]: 'HTC' } }));
    expect(contents?.tags.text(TAG.Make)).toBe('HTC');
  });

  it('are none in what does not begin as TIFF', async () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('II'),
      Buffer.from('MM\0\0\0\0\0\0\0\0'),
      Buffer.from('no TIFF at all'),
    ]) {
      expect(await read(bytes)).toBeUndefined();
    }
  });
});

describe("Apple's maker note", () => {
  it('gives the id of a burst', async () => {
    const note = Buffer.concat([
      Buffer.from('Apple iOS\0\0\x01MM', 'latin1'),
      aDirectory({ [APPLE_TAG.BurstUUID]: '520DEEC9-9311-433F-93C1-712D889853B5' }, 14),
    ]);
    const contents = await read(anExif({ photo: { [TAG.MakerNote]: note } }));
    expect(contents?.tags.apple.fields.get(APPLE_TAG.BurstUUID)?.text()).toBe('520DEEC9-9311-433F-93C1-712D889853B5');
  });

  it('is not looked for in the notes of other makers', async () => {
    const contents = await read(
      anExif({ photo: { [TAG.MakerNote]: Buffer.concat([Buffer.from('Nikon\0\x02'), uint32(1)]) } }),
    );
    expect(contents?.tags.apple.fields.size).toBe(0);
  });
});
