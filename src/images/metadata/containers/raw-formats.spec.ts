import { aBox, aDirectory, aJpeg, anExif, uint32, type Fields } from '../../../../test/support/build-photo.js';
import { cpuMsOf } from '../../../../test/support/cpu-time.js';
import { ByteSource } from '../byte-source.js';
import { nothingFound } from '../embedded-metadata.js';
import { sniffFormat } from '../sniff-format.js';
import { TAG } from '../tiff/tag-names.js';
import { readContainer } from './read-container.js';

async function read(bytes: Buffer): Promise<string> {
  const found = nothingFound();
  const sniffed = sniffFormat(bytes);
  if (sniffed.kind !== 'picture') return 'no picture';
  const format = await readContainer(ByteSource.ofBytes(bytes), sniffed.format, found);
  const { exif, texts } = found;
  const make = exif?.text(TAG.Make) ?? texts.get('Make') ?? '-';
  const model = exif?.text(TAG.Model) ?? texts.get('Model') ?? '-';
  const date = exif?.text(TAG.DateTimeOriginal) ?? texts.get('DateTimeOriginal') ?? '-';
  return `${format} ${found.width}×${found.height} | ${make} | ${model} | ${date}`;
}

/** A TIFF whose first directory is a thumbnail and whose sub-image is the picture. */
function aTiff(image: Fields, sub: Fields): Buffer {
  const thumbnail = { [TAG.NewSubfileType]: 1, [TAG.ImageWidth]: 160, [TAG.ImageLength]: 120, ...image };
  const subAt = 8 + aDirectory({ ...thumbnail, [TAG.SubIfds]: 0 }, 8).length;
  const picture = { [TAG.NewSubfileType]: 0, [TAG.ImageWidth]: 6000, [TAG.ImageLength]: 4000, ...sub };
  return Buffer.concat([
    Buffer.from('4d4d002a00000008', 'hex'),
    aDirectory({ ...thumbnail, [TAG.SubIfds]: subAt }, 8),
    aDirectory(picture, subAt),
  ]);
}

const SENSOR_DATA = { [TAG.PhotometricInterpretation]: 32803 };

describe('RAW files that are TIFF', () => {
  it('are told by their maker and their sensor data, and have the size of the picture, not of the thumbnail', async () => {
    expect([
      await read(aTiff({ [TAG.Make]: 'NIKON CORPORATION' }, SENSOR_DATA)),
      await read(aTiff({ [TAG.Make]: 'SONY' }, SENSOR_DATA)),
      await read(aTiff({ [TAG.Make]: 'PENTAX' }, { [TAG.Compression]: 65_535 })),
      await read(aTiff({ [TAG.Make]: 'SAMSUNG' }, SENSOR_DATA)),
      await read(aTiff({ [TAG.Make]: 'Canon', [TAG.DNGVersion]: Buffer.from([1, 4, 0, 0]) }, SENSOR_DATA)),
      await read(aTiff({ [TAG.Make]: 'NIKON CORPORATION' }, {})),
      await read(aTiff({ [TAG.Make]: 'Hasselblad' }, SENSOR_DATA)),
    ]).toEqual([
      'nef 6000×4000 | NIKON CORPORATION | - | -',
      'arw 6000×4000 | SONY | - | -',
      'pef 6000×4000 | PENTAX | - | -',
      'srw 6000×4000 | SAMSUNG | - | -',
      'dng 6000×4000 | Canon | - | -',
      'tiff 6000×4000 | NIKON CORPORATION | - | -',
      'tiff 6000×4000 | Hasselblad | - | -',
    ]);
  });

  it('of Olympus and Panasonic have numbers of their own where TIFF has 42', async () => {
    const orf = anExif({ image: { [TAG.ImageWidth]: 4000, [TAG.ImageLength]: 3000, [TAG.Make]: 'OLYMPUS' } });
    orf.write('MMOR', 0, 'latin1');
    expect(await read(orf)).toBe('orf 4000×3000 | OLYMPUS | - | -');
  });

  it('of Panasonic have the EXIF of the JPEG within, and the size of the used part of the sensor', async () => {
    const jpeg = aJpeg({
      exif: anExif({
        image: { [TAG.Make]: 'Panasonic', [TAG.Model]: 'DMC-GX8' },
        photo: { [TAG.DateTimeOriginal]: '2016:01:02 03:04:05' },
      }),
    });
    expect(await read(anRw2({ 4: 4, 5: 8, 6: 3004, 7: 4008 }, jpeg))).toBe(
      'rw2 4000×3000 | Panasonic | DMC-GX8 | 2016:01:02 03:04:05',
    );
  });
});

/** RW2 is little-endian throughout. */
function anRw2(numbers: Readonly<Record<number, number>>, jpeg: Buffer): Buffer {
  const entries = Object.entries(numbers);
  const table = Buffer.alloc(2 + (entries.length + 1) * 12 + 4);
  table.writeUInt16LE(entries.length + 1, 0);
  const write = (index: number, [tag, type, count, value]: readonly [number, number, number, number]): void => {
    const at = 2 + index * 12;
    table.writeUInt16LE(tag, at);
    table.writeUInt16LE(type, at + 2);
    table.writeUInt32LE(count, at + 4);
    table.writeUInt32LE(value, at + 8);
  };
  entries.forEach(([tag, value], index) => {
    write(index, [Number(tag), 4, 1, value]);
  });
  write(entries.length, [0x2e, 7, jpeg.length, 8 + table.length]);
  return Buffer.concat([Buffer.from('4949550008000000', 'hex'), table, jpeg]);
}

describe('RAW files that are not TIFF', () => {
  it('CR3 has its directories in boxes', async () => {
    const canon = aBox(
      'uuid',
      Buffer.from('85c0b687820f11e08111f4ce462b6a48', 'hex'),
      aBox(
        'CMT1',
        anExif({
          image: { [TAG.ImageWidth]: 6000, [TAG.ImageLength]: 4000, [TAG.Make]: 'Canon', [TAG.Model]: 'Canon EOS R6' },
        }),
      ),
      aBox('CMT2', anExif({ image: { [TAG.DateTimeOriginal]: '2021:02:03 04:05:06' } })),
    );
    const ftyp = aBox('ftyp', Buffer.from('crx \0\0\0\x01crx isom', 'latin1'));
    expect(await read(Buffer.concat([ftyp, aBox('moov', canon)]))).toBe(
      'cr3 6000×4000 | Canon | Canon EOS R6 | 2021:02:03 04:05:06',
    );
  });

  it('RAF has a JPEG with the EXIF, and the size of the sensor in a directory', async () => {
    const jpeg = aJpeg({ exif: anExif({ image: { [TAG.Make]: 'FUJIFILM', [TAG.Model]: 'X-T2' } }) });
    const directory = Buffer.concat([uint32(1), Buffer.from('0111000409c00e90', 'hex')]);
    const header = Buffer.alloc(0x80);
    header.write('FUJIFILMCCD-RAW 0201FF159502X-T2', 'latin1');
    header.writeUInt32BE(0x80, 0x54);
    header.writeUInt32BE(jpeg.length, 0x58);
    header.writeUInt32BE(0x80 + jpeg.length, 0x5c);
    header.writeUInt32BE(directory.length, 0x60);
    expect(await read(Buffer.concat([header, jpeg, directory]))).toBe('raf 3728×2496 | FUJIFILM | X-T2 | -');
  });

  it('MRW has blocks before the picture', async () => {
    const exif = anExif({ image: { [TAG.Make]: 'Minolta', [TAG.Model]: 'DiMAGE A1' } });
    const size = Buffer.concat([
      Buffer.from('27660001'.repeat(2), 'hex'),
      Buffer.from('07a80a2007980a20' + '0000000000000000', 'hex'),
    ]);
    const blocks = Buffer.concat([
      Buffer.from('\0PRD'),
      uint32(size.length),
      size,
      Buffer.from('\0TTW'),
      uint32(exif.length),
      exif,
    ]);
    expect(await read(Buffer.concat([Buffer.from('\0MRM'), uint32(blocks.length), blocks]))).toBe(
      'mrw 2592×1944 | Minolta | DiMAGE A1 | -',
    );
  });

  it('CRW has a heap of records, described at its end', async () => {
    const u16 = (value: number): Buffer => Buffer.from([value & 255, value >> 8]);
    const u32 = (value: number): Buffer => Buffer.from(uint32(value)).swap32();
    const camera = Buffer.from('Canon\0Canon EOS 10D\0');
    const size = Buffer.concat([u32(3072), u32(2048), Buffer.alloc(8)]);
    const time = Buffer.concat([u32(Date.UTC(2003, 9, 30, 11, 12, 13) / 1000), Buffer.alloc(8)]);
    const values = [
      [0x080a, camera],
      [0x1810, size],
      [0x180e, time],
    ] as const;
    let offset = 0;
    const entries = values.map(([tag, value]) => {
      const entry = Buffer.concat([u16(tag), u32(value.length), u32(offset)]);
      offset += value.length;
      return entry;
    });
    const directoryAt = offset;
    const heap = [...values.map(([, value]) => value), u16(entries.length), ...entries, u32(directoryAt)];
    const header = Buffer.concat([Buffer.from('II'), u32(26), Buffer.from('HEAPCCDR'), Buffer.alloc(12)]);
    expect(await read(Buffer.concat([header, ...heap]))).toBe(
      'crw 3072×2048 | Canon | Canon EOS 10D | 2003-10-30T11:12:13',
    );
  });

  it('X3F has sections, described at its end', async () => {
    const little = (...numbers: number[]): Buffer =>
      Buffer.concat(numbers.map((number) => Buffer.from(uint32(number)).swap32()));
    const texts = ['CAMMANUF', 'SIGMA', 'CAMMODEL', 'SIGMA SD9', 'TIME', '1039435823'];
    const offsets = texts.map((_, index) => texts.slice(0, index).join('\0').length + (index > 0 ? 1 : 0));
    const properties = Buffer.concat([
      Buffer.from('SECp'),
      little(0x20000, 3, 0, 0, texts.join('\0').length + 1),
      little(...offsets),
      Buffer.from(`${texts.join('\0')}\0`, 'utf16le'),
    ]);
    const header = Buffer.concat([
      Buffer.from('FOVb'),
      little(0x20002),
      Buffer.alloc(16),
      little(0, 2268, 1512, 0),
      Buffer.alloc(64),
    ]);
    const directory = Buffer.concat([
      Buffer.from('SECd'),
      little(0x20000, 1, header.length, properties.length),
      Buffer.from('PROP'),
    ]);
    expect(await read(Buffer.concat([header, properties, directory, little(header.length + properties.length)]))).toBe(
      'x3f 2268×1512 | SIGMA | SIGMA SD9 | 2002-12-09T12:10:23',
    );
  });

  it("Kyocera's has texts written backwards", async () => {
    const file = Buffer.alloc(0x100);
    const backwards = (text: string, length: number): Buffer => Buffer.from(text.padEnd(length, '\0')).reverse();
    backwards('N DIGITAL', 12).copy(file, 0x0c);
    file.write('ARECOYK', 0x19, 'latin1');
    backwards('2002:10:11 12:13:14', 20).copy(file, 0x21);
    expect(await read(file)).toBe('kyocera-raw undefined×undefined | KYOCERA | N DIGITAL | 2002:10:11 12:13:14');
  });

  it('that contain themselves end', async () => {
    const u32 = (value: number): Buffer => Buffer.from(uint32(value)).swap32();
    const entry = Buffer.concat([Buffer.from('0028', 'hex'), u32(4000), u32(0)]);
    const entries = Array.from({ length: 390 }, () => entry);
    const heap = Buffer.concat([Buffer.alloc(90), Buffer.from([390 & 255, 390 >> 8]), ...entries, u32(90)]);
    const header = Buffer.concat([Buffer.from('II'), u32(26), Buffer.from('HEAPCCDR'), Buffer.alloc(12)]);
    const ms = await cpuMsOf(async () => {
      expect(await read(Buffer.concat([header, heap]))).toMatch(/^crw undefined/);
    });
    expect(ms).toBeLessThan(1000);
  });
});
