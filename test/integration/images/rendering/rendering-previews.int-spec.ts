import { aBox, aTiff, sensorData, type Directory } from './raw-files.js';
import { aStudio, distance, QUARTERS, quarterColours, quarters } from './rendering-fixtures.js';

const TAG = {
  subfile: 254,
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  make: 271,
  stripOffset: 273,
  orientation: 274,
  samples: 277,
  rows: 278,
  stripLength: 279,
  jpegOffset: 513,
  jpegLength: 514,
  dngVersion: 0xc612,
} as const;

const jpeg = (width: number, height: number): Promise<Buffer> => quarters(width, height).jpeg().toBuffer();

/** As `JPEGInterchangeFormat`. */
const interchange = (bytes: Buffer): Directory['entries'] => ({
  [TAG.jpegOffset]: { blob: bytes },
  [TAG.jpegLength]: bytes.length,
  [TAG.compression]: 6,
});

/** As the only strip. */
const strip = (bytes: Buffer, compression = 7): Directory['entries'] => ({
  [TAG.stripOffset]: { blob: bytes },
  [TAG.stripLength]: bytes.length,
  [TAG.compression]: compression,
});

const sensor = (compression: number): Directory => ({
  entries: {
    ...strip(sensorData(200_000), compression),
    [TAG.photometric]: 32803,
    [TAG.width]: 6000,
    [TAG.height]: 4000,
  },
});

describe('the renditions of a photo that only holds previews', () => {
  const { render, save } = aStudio();
  let thumbnail: Buffer;
  let medium: Buffer;
  let large: Buffer;

  beforeAll(async () => {
    [thumbnail, medium, large] = await Promise.all([jpeg(160, 120), jpeg(640, 480), jpeg(1200, 900)]);
  });

  async function expectPreview(
    file: Buffer,
    format: string,
    { edge, orientation }: { edge: number; orientation?: number },
  ): Promise<void> {
    const outcome = await render(await save(`photo.${format}`, file), { format, orientation });
    const { renditions, problems, width, height } = outcome;
    expect(problems.map(({ severity, code }) => [severity, code])).toEqual([['warning', 'preview_only']]);
    expect(Math.max(width, height)).toBe(edge);
    expect(renditions.map(({ size }) => size)).toEqual([256, 512]);
    const [topLeft] = await quarterColours(renditions[0]!.bytes);
    expect(distance(topLeft!, [0xe0, 0x20, 0x20])).toBeLessThan(8);
    expect(QUARTERS[0]).toBe('#e02020');
  }

  it('come from the smallest that is large enough: NEF', async () => {
    const file = aTiff([
      {
        entries: { [TAG.make]: 'NIKON CORPORATION', [TAG.compression]: 1 },
        subs: [{ entries: interchange(large) }, sensor(34713), { entries: interchange(medium) }],
      },
    ]);

    await expectPreview(file, 'nef', { edge: 640 });
  });

  it('come from the largest when none is large enough: ARW', async () => {
    const small = await jpeg(320, 240);
    const file = aTiff([
      { entries: { [TAG.make]: 'SONY', ...interchange(small) }, subs: [sensor(32767)] },
      { entries: interchange(thumbnail) },
    ]);

    await expectPreview(file, 'arw', { edge: 320 });
  });

  it('come from the strip of the first directory, not from the lossless JPEG of the sensor: CR2', async () => {
    const lossless = Buffer.from(large);
    lossless[lossless.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc3;
    const file = aTiff(
      [{ entries: strip(medium, 6) }, { entries: interchange(thumbnail) }, { entries: strip(lossless, 6) }],
      'II*\0\0\0\0\0CR\x02\0\0\0\0\0',
    );

    await expectPreview(file, 'cr2', { edge: 640 });
  });

  it('come from a directory below the first: DNG', async () => {
    const file = aTiff([
      {
        entries: { [TAG.dngVersion]: Buffer.from([1, 4, 0, 0]), [TAG.subfile]: 1 },
        subs: [sensor(7), { entries: { ...strip(large), [TAG.subfile]: 1 } }],
      },
    ]);

    await expectPreview(file, 'dng', { edge: 1200 });
  });

  it('come from the first page of a DNG that has no JPEG', async () => {
    const pixels = await quarters(96, 64).raw().toBuffer();
    const page = {
      [TAG.dngVersion]: Buffer.from([1, 4, 0, 0]),
      [TAG.subfile]: 1,
      [TAG.width]: 96,
      [TAG.height]: 64,
      [TAG.bits]: [8, 8, 8],
      [TAG.photometric]: 2,
      [TAG.samples]: 3,
      [TAG.rows]: 64,
      ...strip(pixels, 1),
    };

    await expectPreview(aTiff([{ entries: page, subs: [sensor(7)] }]), 'dng', { edge: 96 });
  });

  it('come from the value that holds a JPEG: RW2', async () => {
    await expectPreview(aTiff([{ entries: { 0x2e: medium, [TAG.make]: 'Panasonic' } }], 'IIU\0'), 'rw2', { edge: 640 });
  });

  it('are found where only the maker knows: ORF', async () => {
    const file = aTiff(
      [
        { entries: { [TAG.make]: 'OLYMPUS', 0x927c: Buffer.concat([Buffer.from('OLYMPUS\0'), medium]) } },
        { entries: interchange(thumbnail) },
      ],
      'IIRO',
    );

    await expectPreview(Buffer.concat([file, sensorData(9_000_000)]), 'orf', { edge: 640 });
  });

  it('are found in the header of a RAF', async () => {
    const header = Buffer.alloc(148);
    header.write('FUJIFILMCCD-RAW 0201FF393101', 'latin1');
    header.writeUInt32BE(148, 84);
    header.writeUInt32BE(large.length, 88);

    await expectPreview(Buffer.concat([header, large, sensorData(300_000)]), 'raf', { edge: 1200 });
  });

  it('are found in the boxes of a CR3', async () => {
    const preview = aBox('PRVW', Buffer.from('000000000001028001e0000100000000', 'hex'), medium);
    const file = Buffer.concat([
      aBox('ftyp', Buffer.from('crx \0\0\0\x01crx isom', 'latin1')),
      aBox('moov', aBox('uuid', Buffer.alloc(16, 0x85), aBox('THMB', Buffer.alloc(16), thumbnail))),
      aBox('uuid', Buffer.alloc(16, 0xea), Buffer.alloc(8), preview),
      aBox('mdat', sensorData(5_000_000)),
    ]);

    await expectPreview(file, 'cr3', { edge: 640 });
  });

  it('are turned as the file around them says, unless the preview has its own word', async () => {
    const sideways = await quarters(900, 1200).rotate(270).jpeg().toBuffer();
    const toldInside = await quarters(900, 1200).rotate(270).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const raf = (preview: Buffer): Buffer => {
      const header = Buffer.alloc(148);
      header.write('FUJIFILMCCD-RAW 0201FF393101', 'latin1');
      return Buffer.concat([header, preview]);
    };

    await expectPreview(raf(sideways), 'raf', { edge: 1200, orientation: 6 });
    await expectPreview(raf(toldInside), 'raf', { edge: 1200, orientation: 6 });
    await expectPreview(raf(toldInside), 'raf', { edge: 1200 });
  });

  it('come from the thumbnail of a Photoshop document, not from what is placed in its layers', async () => {
    const resource = Buffer.concat([Buffer.from('8BIM\x04\x0c\0\0\0\0\x10\0', 'latin1'), Buffer.alloc(28), thumbnail]);
    const length = (bytes: Buffer): Buffer => {
      const field = Buffer.alloc(4);
      field.writeUInt32BE(bytes.length);
      return Buffer.concat([field, bytes]);
    };
    const header = Buffer.from('8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\x03\x84\0\0\x04\xb0\0\x08\0\x03', 'latin1');
    const file = Buffer.concat([header, length(Buffer.alloc(0)), length(resource), length(large)]);

    await expectPreview(file, 'psd', { edge: 160 });
  });

  it('come from the thumbnail of a JPEG that has lost its picture, and the loss is an error', async () => {
    const exif = Buffer.concat([
      Buffer.from('Exif\0\0', 'latin1'),
      aTiff([{ entries: {} }, { entries: interchange(thumbnail) }]),
    ]);
    const app1 = Buffer.concat([
      Buffer.from([0xff, 0xd8, 0xff, 0xe1, (exif.length + 2) >> 8, (exif.length + 2) & 255]),
      exif,
    ]);

    const { renditions, problems, width } = await render(await save('lost.jpg', app1));

    expect(problems.map(({ severity, code }) => [severity, code])).toEqual([
      ['error', 'truncated'],
      ['warning', 'preview_only'],
    ]);
    expect([width, renditions.map((one) => one.width)]).toEqual([160, [160, 160]]);
  });

  it('do not exist where there is no preview, and the file is told unsupported, or truncated when it is', async () => {
    const none = aTiff([{ entries: { [TAG.make]: 'NIKON' }, subs: [sensor(34713)] }]);
    const whole = aTiff([{ entries: { [TAG.make]: 'NIKON' }, subs: [{ entries: interchange(large) }] }]);
    const headless = Buffer.concat([whole.subarray(0, 100), Buffer.alloc(whole.length)]);

    const outcomes = await Promise.all([
      render(await save('none.nef', none), { format: 'nef' }),
      render(await save('cut.nef', none.subarray(0, 50_000)), { format: 'nef' }),
      render(await save('headless.nef', headless), { format: 'nef' }),
    ]);

    expect(outcomes.map(({ problems, renditions }) => [problems.map(({ code }) => code), renditions.length])).toEqual([
      [['unsupported_format'], 0],
      [['truncated'], 0],
      [['unsupported_format'], 0],
    ]);
  });

  it('obey the limit of pixels, too', async () => {
    const file = aTiff([{ entries: { [TAG.make]: 'NIKON' }, subs: [{ entries: interchange(large) }] }]);

    const { problems } = await render(await save('bomb.nef', file), { format: 'nef', maxPixels: 1_000_000 });

    expect(problems.map(({ code }) => code)).toEqual(['too_many_pixels']);
  });
});
