import { aDataset, anExif, anXmp, type ExifDirectories } from '../../../test/support/build-photo.js';
import { ByteSource } from './byte-source.js';
import { descriptionOf, keywordsOf, ratingOf } from './descriptions.js';
import type { MetadataSources } from './embedded-metadata.js';
import { parseIptc } from './iptc.js';
import { readTiff } from './tiff/read-tiff.js';
import { TAG } from './tiff/tag-names.js';
import { parseXmp } from './xmp/xmp-packet.js';

interface Given {
  readonly exif?: ExifDirectories;
  readonly xmp?: Record<string, string>;
  readonly elements?: string;
  readonly iptc?: Buffer;
  readonly texts?: Record<string, string>;
}

async function sources({ exif, xmp = {}, elements, iptc, texts = {} }: Given): Promise<MetadataSources> {
  return {
    exif: exif && (await readTiff(ByteSource.ofBytes(anExif(exif))))?.tags,
    xmp: parseXmp(Buffer.from(anXmp(xmp, elements))),
    iptc: iptc ? parseIptc(iptc) : new Map(),
    texts: new Map(Object.entries(texts)),
  };
}

const utf16 = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf16le');
const comment = (charset: string, text: Buffer): ExifDirectories => ({
  photo: { [TAG.UserComment]: Buffer.concat([Buffer.from(charset.padEnd(8, '\0')), text]) },
});

describe('the description', () => {
  it('is that of XMP, IPTC, EXIF, Windows, or a comment, in this order', async () => {
    const exif = { image: { [TAG.ImageDescription]: 'by EXIF' } };
    const elements = '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">by XMP</rdf:li></rdf:Alt></dc:description>';
    const iptc = aDataset(120, 'by IPTC');
    const found = await Promise.all(
      [
        { exif, iptc, elements },
        { exif, iptc },
        { exif },
        { exif: { image: { [TAG.XPComment]: utf16('by Windows') } } },
        { exif: comment('ASCII', Buffer.from('by comment')) },
        { texts: { Description: 'by PNG' } },
        {},
      ].map(async (given) => descriptionOf(await sources(given))),
    );
    expect(found).toEqual(['by XMP', 'by IPTC', 'by EXIF', 'by Windows', 'by comment', 'by PNG', undefined]);
  });

  it.each([
    ['OLYMPUS DIGITAL CAMERA         '],
    ['SONY DSC'],
    ['KONICA MINOLTA DIGITAL CAMERA'],
    ['DCIM\\100MEDIA\\DJI_0024.JPG'],
    ['Exif_JPEG_PICTURE'],
    ['<Digimax i50 MP3, Samsung #1 MP3>'],
    ['DCFC1247.JPG'],
    ['0.9.142'],
    ['       '],
  ])('is not "%s", which cameras write by themselves', async (phrase) => {
    expect(descriptionOf(await sources({ exif: { image: { [TAG.ImageDescription]: phrase } } }))).toBeUndefined();
  });

  it('is read from comments in the character sets that cameras use', async () => {
    const swapped = Buffer.from('Tür', 'utf16le').swap16();
    const found = await Promise.all(
      [
        comment('UNICODE', swapped),
        comment('UNICODE', Buffer.from('Tür', 'utf16le')),
        comment('', Buffer.from('plain')),
        comment('No cha', Buffer.from('racter set')),
        comment('\x01\x02', Buffer.from([3, 4, 5])),
        comment('ASCII', Buffer.alloc(100)),
      ].map(async (exif) => descriptionOf(await sources({ exif }))),
    );
    expect(found).toEqual(['Tür', 'Tür', 'plain', expect.stringContaining('No cha'), undefined, undefined]);
  });
});

describe('keywords', () => {
  it('are flat ones from everywhere, then paths, each once', async () => {
    const found = keywordsOf(
      await sources({
        elements: `<dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li> sand  dunes</rdf:li></rdf:Bag></dc:subject>
          <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Beach</rdf:li><rdf:li>sea</rdf:li></rdf:Bag></lr:hierarchicalSubject>`,
        iptc: Buffer.concat([aDataset(25, 'Sea'), aDataset(25, 'sun')]),
        exif: { image: { [TAG.XPKeywords]: utf16('sun;moon;;') } },
      }),
    );
    expect(found).toEqual(['sea', 'sand dunes', 'sun', 'moon', 'Places/Beach']);
  });

  it('are at most two hundred', async () => {
    const items = Array.from({ length: 500 }, (_, index) => `<rdf:li>k${index}</rdf:li>`).join('');
    expect(
      keywordsOf(await sources({ elements: `<dc:subject><rdf:Bag>${items}</rdf:Bag></dc:subject>` })),
    ).toHaveLength(200);
  });
});

describe('the rating', () => {
  it.each<[string, Given, number | undefined]>([
    ['stars in XMP', { xmp: { 'xmp:Rating': '4' } }, 4],
    ['rejected', { xmp: { 'xmp:Rating': '-1' } }, -1],
    ['no stars', { xmp: { 'xmp:Rating': '0' } }, 0],
    ['fractions', { xmp: { 'xmp:Rating': '3.0' } }, 3],
    ['stars in EXIF', { exif: { image: { [TAG.Rating]: 5 } } }, 5],
    ['per cent in EXIF', { exif: { image: { [TAG.RatingPercent]: 75 } } }, 4],
    ['all per cents', { exif: { image: { [TAG.RatingPercent]: 99 } } }, 5],
    ['nonsense', { xmp: { 'xmp:Rating': '17' } }, undefined],
    ['nothing', {}, undefined],
  ])('of %s', async (_, given, expected) => {
    expect(ratingOf(await sources(given))).toBe(expected);
  });
});
