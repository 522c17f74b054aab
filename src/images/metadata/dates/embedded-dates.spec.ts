import { aDataset, anExif, anXmp, type Fields } from '../../../../test/support/build-photo.js';
import { ByteSource } from '../byte-source.js';
import { parseIptc } from '../iptc.js';
import { readTiff } from '../tiff/read-tiff.js';
import { TAG } from '../tiff/tag-names.js';
import { parseXmp } from '../xmp/xmp-packet.js';
import { formatWall } from './date-text.js';
import { statedDates } from './embedded-dates.js';

interface Stated {
  readonly image?: Fields;
  readonly photo?: Fields;
  readonly xmp?: Readonly<Record<string, string>>;
  readonly sidecar?: Readonly<Record<string, string>>;
  readonly iptc?: Buffer;
}

/** `source wall-clock offset` of each stated date, in order. */
async function stated({ image = {}, photo = {}, xmp = {}, sidecar = {}, iptc }: Stated): Promise<string[]> {
  const contents = await readTiff(ByteSource.ofBytes(anExif({ image, photo })));
  const sources = {
    exif: contents?.tags,
    xmp: parseXmp(Buffer.from(anXmp(xmp))),
    iptc: parseIptc(iptc ?? Buffer.alloc(0)),
    texts: new Map<string, string>(),
  };
  return statedDates(sources, parseXmp(Buffer.from(anXmp(sidecar)))).map(({ source, time, offset, ...rest }) => {
    const other = rest.otherOffsetMinutes === undefined ? '' : ` (else ${rest.otherOffsetMinutes})`;
    return `${source} ${formatWall(time)} ${offset ? `${offset.minutes} by ${offset.source}` : '-'}${other}`;
  });
}

describe('the dates that a photo states', () => {
  it('come in the order of their meaning: taken, made digital, changed', async () => {
    const found = await stated({
      image: { [TAG.DateTime]: '2020:06:06 06:06:06' },
      photo: { [TAG.DateTimeOriginal]: '2020:01:01 01:01:01', [TAG.DateTimeDigitized]: '2020:04:04 04:04:04' },
      xmp: {
        'xmp:ModifyDate': '2020-07-07T07:07:07',
        'xmp:CreateDate': '2020-05-05T05:05:05',
        'photoshop:DateCreated': '2020-02-02T02:02:02',
      },
      iptc: Buffer.concat([aDataset(55, '20200303'), aDataset(60, '030303+0100')]),
    });
    expect(found).toEqual([
      'exif.DateTimeOriginal 2020-01-01T01:01:01 -',
      'xmp.photoshop:DateCreated 2020-02-02T02:02:02 -',
      'iptc.DateCreated 2020-03-03T03:03:03 60 by in-date',
      'exif.DateTimeDigitized 2020-04-04T04:04:04 -',
      'xmp.xmp:CreateDate 2020-05-05T05:05:05 -',
      'exif.DateTime 2020-06-06T06:06:06 -',
      'xmp.xmp:ModifyDate 2020-07-07T07:07:07 -',
    ]);
  });

  it('have each their own offset and sub-seconds', async () => {
    const found = await stated({
      image: { [TAG.DateTime]: '2020:06:06 06:06:06', [TAG.OffsetTime]: '+09:00', [TAG.SubSecTime]: '3' },
      photo: {
        [TAG.DateTimeOriginal]: '2020:04:17 10:03:42',
        [TAG.SubSecTimeOriginal]: '144',
        [TAG.OffsetTimeOriginal]: '-06:00',
      },
    });
    expect(found).toEqual([
      'exif.DateTimeOriginal 2020-04-17T10:03:42.144 -360 by offset-tag (else 540)',
      'exif.DateTime 2020-06-06T06:06:06.300 540 by offset-tag (else 540)',
    ]);
  });

  it('share an offset where they show the same second, as one clock then wrote both', async () => {
    const found = await stated({
      image: { [TAG.DateTime]: '2022:08:14 14:12:31' },
      photo: { [TAG.DateTimeOriginal]: '2022:08:14 14:12:31', [TAG.OffsetTime]: '+03:00' },
    });
    expect(found[0]).toBe('exif.DateTimeOriginal 2022-08-14T14:12:31 180 by offset-tag (else 180)');
  });

  it('take an offset tag before one within the date', async () => {
    const found = await stated({
      photo: { [TAG.DateTimeOriginal]: '2010:07:11 13:53:00+02:00', [TAG.OffsetTimeOriginal]: '-06:00' },
    });
    expect(found).toEqual(['exif.DateTimeOriginal 2010-07-11T13:53:00 -360 by offset-tag']);
  });

  it('are corrected by a sidecar', async () => {
    const found = await stated({
      photo: { [TAG.DateTimeOriginal]: '2020:04:17 10:03:42', [TAG.OffsetTimeOriginal]: '-06:00' },
      sidecar: { 'exif:DateTimeOriginal': '2020-04-17T11:03:42+02:00' },
    });
    expect(found[0]).toBe('sidecar.exif:DateTimeOriginal 2020-04-17T11:03:42 120 by sidecar (else -360)');
  });

  it('keep their zone and fractions when a sidecar repeats them without', async () => {
    const found = await stated({
      photo: {
        [TAG.DateTimeOriginal]: '2020:04:17 10:03:42',
        [TAG.SubSecTimeOriginal]: '144',
        [TAG.OffsetTimeOriginal]: '-06:00',
      },
      sidecar: { 'exif:DateTimeOriginal': '2020-04-17T10:03:42' },
    });
    expect(found[0]).toBe('sidecar.exif:DateTimeOriginal 2020-04-17T10:03:42.144 -360 by offset-tag (else -360)');
  });

  it('are none where cameras wrote zeros or blanks', async () => {
    expect(
      await stated({
        image: { [TAG.DateTime]: '    :  :     :  :  ' },
        photo: { [TAG.DateTimeOriginal]: '0000:00:00 00:00:00' },
        iptc: aDataset(55, '00000000'),
      }),
    ).toEqual([]);
  });
});
