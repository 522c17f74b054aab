import { brotliCompressSync, deflateSync } from 'node:zlib';
import { aBox, aDataset, aJpeg, anExif, anXmp, aPng, aSegment, uint32 } from '../../../../test/support/build-photo.js';
import { cpuMsOf } from '../../../../test/support/cpu-time.js';
import { ByteSource } from '../byte-source.js';
import { nothingFound, type EmbeddedMetadata } from '../embedded-metadata.js';
import { sniffFormat } from '../sniff-format.js';
import { TAG } from '../tiff/tag-names.js';
import { orientationOf } from './heif.js';
import { readContainer } from './read-container.js';

const EXIF = anExif({ image: { [TAG.Make]: 'Canon', [TAG.Orientation]: 6 } });
const XMP = anXmp({ 'xmp:Rating': '4' });

async function read(bytes: Buffer): Promise<EmbeddedMetadata> {
  const found = nothingFound();
  const sniffed = sniffFormat(bytes);
  if (sniffed.kind !== 'picture') throw new Error('no picture');
  await readContainer(ByteSource.ofBytes(bytes), sniffed.format, found);
  return found;
}

/** `40×30 Canon xmp iptc; problems` */
async function summary(bytes: Buffer): Promise<string> {
  const { width, height, exif, xmpPackets, iptc, problems } = await read(bytes);
  const size = width === undefined ? 'no size' : `${width}×${height}`;
  const parts = [size, exif?.text(TAG.Make), xmpPackets[0] && 'xmp', iptc && 'iptc'].filter(
    (part) => part !== undefined,
  );
  return [parts.join(' '), ...problems.map(({ code }) => code)].join('; ');
}

describe('JPEG', () => {
  it('has its size in the frame header, and metadata in segments', async () => {
    expect(await summary(aJpeg({ exif: EXIF, xmp: XMP, iptc: aDataset(25, 'sea') }))).toBe('40×30 Canon xmp iptc');
  });

  it('is read past stray bytes and fill bytes between segments', async () => {
    const jpeg = aJpeg({ exif: EXIF });
    const afterExif = 2 + 2 + jpeg.readUInt16BE(4);
    const stray = Buffer.from('0002ff00ffff', 'hex');
    expect(await summary(Buffer.concat([jpeg.subarray(0, afterExif), stray, jpeg.subarray(afterExif)]))).toBe(
      '40×30 Canon',
    );
  });

  it('may have EXIF over several segments', async () => {
    const large = anExif({ image: { [TAG.Make]: 'Canon', 0x927c: Buffer.alloc(70_000) } });
    const [first, second] = [large.subarray(0, 60_000), large.subarray(60_000)].map((part) =>
      aSegment(0xe1, Buffer.from('Exif\0\0', 'latin1'), part),
    );
    const jpeg = aJpeg();
    const whole = Buffer.concat([jpeg.subarray(0, 2), first ?? jpeg, second ?? jpeg, jpeg.subarray(2)]);
    expect(await summary(whole)).toBe('40×30 Canon');
  });

  it('cut within its header keeps what came before', async () => {
    const jpeg = aJpeg({ exif: EXIF });
    expect(await summary(jpeg.subarray(0, jpeg.length - 20))).toBe('no size Canon; truncated');
    expect(await summary(jpeg.subarray(0, jpeg.length - 11))).toBe('40×30 Canon; truncated');
    expect(await summary(Buffer.concat([Buffer.from('ffd8ff', 'hex'), Buffer.alloc(100)]))).toBe('no size; corrupt');
  });
});

describe('PNG', () => {
  const xmpChunk = (data: Buffer, packed: boolean): [string, Buffer] => [
    'iTXt',
    Buffer.concat([Buffer.from(`XML:com.adobe.xmp\0${packed ? '\x01' : '\0'}\0\0\0`), data]),
  ];

  it('has EXIF and XMP in chunks, packed or not', async () => {
    expect(await summary(aPng([['eXIf', EXIF], xmpChunk(Buffer.from(XMP), false)]))).toBe('40×30 Canon xmp');
    expect(await summary(aPng([xmpChunk(deflateSync(XMP), true)]))).toBe('40×30 xmp');
  });

  it('has texts, also behind the picture', async () => {
    const { texts } = await read(
      aPng([
        ['IDAT', Buffer.alloc(10)],
        ['tEXt', Buffer.from('Creation Time\x002007:02:13 06:34:38', 'latin1')],
        ['zTXt', Buffer.concat([Buffer.from('Comment\0\0'), deflateSync('packed')])],
      ]),
    );
    expect(Object.fromEntries(texts)).toEqual({ 'Creation Time': '2007:02:13 06:34:38', Comment: 'packed' });
  });

  it("has EXIF in ImageMagick's hexadecimal", async () => {
    const hex = Buffer.concat([Buffer.from('Exif\0\0'), EXIF]).toString('hex');
    const lines = `\nexif\n${EXIF.length + 6}\n${hex.replace(/(.{72})/g, '$1\n')}`;
    expect(await summary(aPng([['tEXt', Buffer.from(`Raw profile type exif\0${lines}`)]]))).toBe('40×30 Canon');
  });

  it.each([
    ['more than any text may', 8],
    ['all that a text may', 4],
  ])('that unpacks to gigabytes, each chunk to %s, is not unpacked', async (_, megabytes) => {
    const packedText = (data: Buffer): readonly [string, Buffer] => [
      'zTXt',
      Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(data)]),
    ];
    const bomb = packedText(Buffer.alloc(megabytes * 1024 * 1024));
    const plain = ['tEXt', Buffer.from('Title\0plain')] as const;
    const textsBehind = async (bombs: number): Promise<object> => {
      const before = Array.from({ length: bombs }, () => bomb);
      return Object.fromEntries((await read(aPng([...before, packedText(Buffer.from('packed')), plain]))).texts);
    };
    expect(await textsBehind(3)).toEqual({ Comment: 'packed', Title: 'plain' });
    // Each is unpacked up to 4 MB, and all texts of a file share 16 MB: by now nothing is unpacked any more.
    expect(await textsBehind(4)).toEqual({ Title: 'plain' });
  });

  it('that is cut or overwritten says so', async () => {
    const png = aPng([['IDAT', Buffer.alloc(100)]]);
    expect(await summary(png.subarray(0, 100))).toBe('40×30; truncated');
    expect(await summary(png.subarray(0, png.length - 12))).toBe('40×30; truncated');
    expect(await summary(Buffer.concat([png.subarray(0, 60), Buffer.alloc(200, 1)]))).toMatch(/; (corrupt|truncated)$/);
  });
});

describe('WebP', () => {
  const chunk = (type: string, data: Buffer): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(data.length);
    return Buffer.concat([Buffer.from(type), size, data, Buffer.alloc(data.length % 2)]);
  };
  const webp = (...chunks: Buffer[]): Buffer => Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP', 'latin1'), ...chunks]);

  it('has its size in the first chunk, and metadata behind the picture', async () => {
    const canvas = chunk('VP8X', Buffer.from('0c000000270000' + '1d0000', 'hex'));
    const exif = chunk('EXIF', Buffer.concat([Buffer.from('Exif\0\0'), EXIF]));
    expect(await summary(webp(canvas, exif, chunk('XMP ', Buffer.from(XMP))))).toBe('40×30 Canon xmp');
    expect(await summary(webp(chunk('VP8 ', Buffer.from('0000009d012a28001e00', 'hex'))))).toBe('40×30');
    expect(await summary(webp(chunk('VP8L', Buffer.from('2f27400700', 'hex'))))).toBe('40×30');
  });

  it('that is cut says so', async () => {
    const canvas = chunk('VP8X', Buffer.from('0c000000270000' + '1d0000', 'hex'));
    expect(await summary(webp(canvas, chunk('VP8 ', Buffer.alloc(100)).subarray(0, 50)))).toBe('40×30; truncated');
  });
});

describe('HEIF', () => {
  const full = (type: string, version: number, ...contents: Buffer[]): Buffer =>
    aBox(type, Buffer.from([version, 0, 0, 0]), ...contents);
  const hex = (text: string): Buffer => Buffer.from(text, 'hex');

  /** One picture of 40×30 with these further properties, and an Exif item. */
  function heif(...properties: Buffer[]): Buffer {
    const ftyp = aBox('ftyp', Buffer.from('heic\0\0\0\0mif1heic', 'latin1'));
    const pool = aBox('ipco', full('ispe', 0, uint32(40), uint32(30)), ...properties);
    const indices = Buffer.from([...properties.keys(), properties.length].map((index) => index + 1));
    const associations = full('ipma', 0, uint32(1), hex('0001'), Buffer.of(indices.length), indices);
    const infos = full('iinf', 0, hex('0001'), full('infe', 2, hex('00020000'), Buffer.from('Exif\0')));
    const exif = Buffer.concat([uint32(6), Buffer.from('Exif\0\0'), EXIF]);
    const metaOf = (offset: number): Buffer =>
      full(
        'meta',
        0,
        full('pitm', 0, hex('0001')),
        infos,
        full('iloc', 0, hex('44000001000200000001'), uint32(offset), uint32(exif.length)),
        aBox('iprp', pool, associations),
      );
    return Buffer.concat([ftyp, metaOf(ftyp.length + metaOf(0).length + 8), aBox('mdat', exif)]);
  }

  it('has size, turn and EXIF', async () => {
    expect(await summary(heif())).toBe('40×30 Canon');
    expect((await read(heif())).containerOrientation).toBeUndefined();
    expect((await read(heif(aBox('irot', Buffer.of(3))))).containerOrientation).toBe(6);
    expect((await read(heif(aBox('irot', Buffer.of(1)), aBox('imir', Buffer.of(0))))).containerOrientation).toBe(5);
  });

  it.each([
    [0, undefined, 1],
    [1, undefined, 8],
    [2, undefined, 3],
    [3, undefined, 6],
    [0, 0, 4],
    [0, 1, 2],
    [1, 0, 5],
    [1, 1, 7],
    [2, 0, 2],
    [2, 1, 4],
    [3, 0, 7],
    [3, 1, 5],
  ])('turned %s times and mirrored along %s is orientation %s', (angle, mirror, expected) => {
    expect(orientationOf(angle, mirror)).toBe(expected);
  });

  it('that is cut says so, and one without a description is corrupt', async () => {
    const whole = heif();
    expect(await summary(whole.subarray(0, whole.length - 20))).toMatch(/^40×30.*; truncated$/);
    expect(await summary(whole.subarray(0, 30))).toBe('no size; corrupt');
  });

  it('whose tables count what is not there ends at once', async () => {
    const ftyp = aBox('ftyp', Buffer.from('heic\0\0\0\0mif1heic', 'latin1'));
    const empty = full('iloc', 2, hex('0000'), hex('ffffffff'), Buffer.alloc(100_000, 255));
    const ms = await cpuMsOf(async () => {
      expect(await summary(Buffer.concat([ftyp, full('meta', 0, empty)]))).toBe('no size; corrupt');
    });
    expect(ms).toBeLessThan(1000);
  });
});

describe('JPEG XL and JPEG 2000', () => {
  it('have their size in the codestream, EXIF and XMP in boxes, packed or not', async () => {
    const codestream = Buffer.from('ff0a7f00', 'hex');
    expect(await summary(Buffer.concat([codestream, Buffer.alloc(16)]))).toBe('256×256');
    const signature = Buffer.from('0000000c4a584c200d0a870a', 'hex');
    const exif = Buffer.concat([uint32(0), EXIF]);
    const boxes = [
      aBox('brob', Buffer.from('xml '), brotliCompressSync(XMP)),
      aBox('Exif', exif),
      aBox('jxlc', codestream, Buffer.alloc(16)),
    ];
    expect(await summary(Buffer.concat([signature, ...boxes]))).toBe('256×256 Canon xmp');
  });

  it('are read as boxes or as a bare codestream', async () => {
    const signature = Buffer.from('0000000c6a5020200d0a870a', 'hex');
    const header = aBox('jp2h', aBox('ihdr', uint32(30), uint32(40), Buffer.alloc(6)));
    const exif = aBox('uuid', Buffer.from('4a706754696666457869662d3e4a5032', 'hex'), EXIF);
    expect(await summary(Buffer.concat([signature, header, exif]))).toBe('40×30 Canon');
    const codestream = Buffer.concat([
      Buffer.from('ff4fff51002f0000', 'hex'),
      ...[50, 35, 10, 5].map(uint32),
      Buffer.alloc(30),
    ]);
    expect(await summary(codestream)).toBe('40×30');
  });
});

describe('GIF, BMP, ICO, PSD and SVG', () => {
  it('have their size where each has it', async () => {
    const bmp = Buffer.alloc(54);
    bmp.write('BM');
    bmp.writeUInt32LE(40, 14);
    bmp.writeInt32LE(40, 18);
    bmp.writeInt32LE(-30, 22);
    const psd = Buffer.concat([
      Buffer.from('8BPS\0\x01\0\0\0\0\0\0\0\x03', 'latin1'),
      uint32(30),
      uint32(40),
      Buffer.alloc(12),
    ]);
    expect([
      await summary(Buffer.from('47494638396128001e0000000000', 'hex')),
      await summary(bmp),
      await summary(Buffer.from('00000100010000100000010020006804000016000000', 'hex')),
      await summary(psd),
      await summary(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="40px" height="30">')),
      await summary(Buffer.from('<svg viewBox="0 0 40 30" width="100%">')),
    ]).toEqual(['40×30', '40×30', '256×16', '40×30', '40×30', '40×30']);
  });

  it('GIF has XMP among its extensions', async () => {
    const trailer = Buffer.from([1, ...Array.from({ length: 256 }, (_, index) => 255 - index), 0]);
    const extension = Buffer.concat([
      Buffer.from('21ff0b', 'hex'),
      Buffer.from('XMP DataXMP'),
      Buffer.from(XMP),
      trailer,
    ]);
    const gif = Buffer.concat([Buffer.from('47494638396128001e00000000', 'hex'), extension, Buffer.from(';')]);
    expect(await summary(gif)).toBe('40×30 xmp');
  });

  it('of zero width is corrupt', async () => {
    expect(await summary(Buffer.from('47494638396100002000000000', 'hex'))).toBe('no size; corrupt');
  });
});
