import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';
import sharp from 'sharp';
import type { PhotoFacts } from '../../../src/images/photo-facts.js';
import { readPhoto, type PhotoReading } from '../../../src/images/metadata/read-photo.js';
import { describeWithSharedData } from '../../support/shared-data.js';

/** One row of the table that exiftool made of the files. */
type Truth = Readonly<Record<string, string>>;

interface Case {
  readonly truth: Truth;
  readonly reading: PhotoReading;
}

/** One of the files is dated the day after the table was made. */
const NOW = new Date('2026-12-01T00:00:00Z');

/** exiftool's names of what are kinds of the same format here. */
const FORMAT_NAMES: Readonly<Record<string, string>> = {
  'Extended WEBP': 'webp',
  APNG: 'png',
  J2C: 'jp2',
  MPO: 'jpeg',
};

/**
 * Where we differ from the table on purpose, file by file. All other differences follow the rules that the tests state.
 */
const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  'size of photos/pillow/oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif':
    'its directory is cut, which exiftool takes for none; the size stands before the cut',
  'size of photos/pillow/zero_width.gif': 'a width of zero is no width',
  'orientation of photos/pillow/hopper_bad_exif.jpg':
    'exiftool refuses the whole directory for one bad entry; the others are sound',
  'make of photos/goexif/exif/samples/geodegrees_as_string.jpg':
    'the maker stands in the Exif directory and blanks in the image’s; exiftool shows the blanks',
  'time of photos/exif-samples/jpg/Reconyx_HC500_Hyperfire.jpg': 'only in the maker note',
  'time of photos/exif-samples/jpg/exif-org/olympus-d320l.jpg': 'only in a text segment of Olympus of 1998',
  'time of photos/exifr/issue-exif-js-124.tiff': 'EXIF and XMP differ in the fraction; the table mixes both',
  'time of photos/immich/metadata/gps-position/thompson-springs.jpg':
    'XMP has the fraction; exiftool composes the time of IPTC’s, which has none',
  'position of photos/photoprism/internal/meta/testdata/buggy_panorama.jpg': 'latitude 213 is not on Earth',
  'position of photos/photoprism/internal/meta/testdata/image-2011.jpg': 'exactly 0, 0 at height 0 is no fix',
  'height of photos/photoprism/internal/meta/testdata/altitude.jpg': '4,294,967,284 m is a negative number run over',
};

describeWithSharedData('the metadata of real photos', 'PHOTOS.tsv', (table) => {
  const folder = dirname(table);
  let cases: readonly Case[];
  let sidecars: readonly Truth[];

  beforeAll(async () => {
    const rows = await readTable(table);
    sidecars = rows.filter(({ type }) => type === 'XMP');
    const read: Case[] = [];
    for (const truth of rows.filter(({ type }) => type !== 'XMP')) {
      read.push({ truth, reading: await readPhoto({ path: join(folder, truth.path ?? '') }, { now: NOW }) });
    }
    cases = read;
  });

  /** Pictures, less those of which exiftool gives up before their last segment and shows nothing that it held. */
  const comparable = (): Case[] =>
    cases.filter(({ truth }) => truth.type !== '' && truth.exiftool_warning !== 'JPEG format error');

  /** The files in which a field is not what it should be, those known to be so left out. */
  function differences(field: string, differs: (facts: PhotoFacts, truth: Truth) => string | undefined): string[] {
    return comparable().flatMap(({ truth, reading }) => {
      const difference = reading.facts ? differs(reading.facts, truth) : 'nothing was read';
      const name = `${field} of ${truth.path ?? ''}`;
      return difference === undefined || name in KNOWN_DIFFERENCES ? [] : [`${name}: ${difference}`];
    });
  }

  const unlike = (ours: string | number | undefined, theirs: string | undefined): string | undefined => {
    const [mine, other] = [String(ours ?? ''), (theirs ?? '').trim()];
    return mine === other ? undefined : `"${mine}" instead of "${other}"`;
  };

  it('is there for every file that is a picture, and for no other', () => {
    const withFacts = cases.filter(({ reading }) => reading.facts !== undefined);
    expect(withFacts.map(({ truth }) => truth.path)).toEqual(
      cases.filter(({ truth }) => truth.type !== '').map(({ truth }) => truth.path),
    );
    expect(cases.length).toBeGreaterThan(700);
  });

  it('tells each format by the content', () => {
    expect(
      differences('format', ({ format }, { type = '' }) => unlike(format, FORMAT_NAMES[type] ?? type.toLowerCase())),
    ).toEqual([]);
  });

  it('has the size of the stored pixels, where editors left that of a former version in EXIF too', async () => {
    const unequal = comparable().filter(
      ({ truth, reading }) =>
        !(`size of ${truth.path ?? ''}` in KNOWN_DIFFERENCES) &&
        `${reading.facts?.width ?? ''}×${reading.facts?.height ?? ''}` !== `${truth.width ?? ''}×${truth.height ?? ''}`,
    );
    for (const { truth, reading } of unequal) {
      const decoded = await sharp(join(folder, truth.path ?? ''), { limitInputPixels: false }).metadata();
      expect([truth.path, reading.facts?.width, reading.facts?.height]).toEqual([
        truth.path,
        decoded.width,
        decoded.height,
      ]);
    }
    expect(unequal.length).toBeLessThan(80);
  });

  it('has the orientation, from 1 to 8 or none', () => {
    const wrong = differences('orientation', ({ orientation, format }, truth) => {
      const stated = Number(truth.orientation);
      // The table has EXIF's alone; of these formats the container has one as well.
      if (truth.orientation === '' && ['avif', 'heic'].includes(format)) return undefined;
      return unlike(orientation, stated >= 1 && stated <= 8 ? truth.orientation : '');
    });
    expect(wrong).toEqual([]);
    const turned = new Map(cases.map(({ truth, reading }) => [basename(truth.path ?? ''), reading.facts?.orientation]));
    expect(['rot0mir0', 'rot0mir1', 'rot1mir0', 'rot1mir1'].map((name) => turned.get(`${name}.avif`))).toEqual([
      4, 2, 5, 7,
    ]);
  });

  it('names the camera', () => {
    expect(differences('make', ({ cameraMake }, { make }) => unlike(cameraMake, make))).toEqual([]);
    expect(differences('model', ({ cameraModel }, { model }) => unlike(cameraModel, model))).toEqual([]);
  });

  it('has the wall clock of the picture, with its fraction of a second', () => {
    const wrong = differences('time', ({ captured }, truth) => {
      const stated = /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)(\.\d+)?/.exec(truth.datetime_original ?? '');
      if (stated === null || stated[1] === '0000') return undefined;
      const fraction = stated[5] ?? `.${truth.subsec ?? ''}`;
      const milliseconds = fraction.slice(1, 4).padEnd(3, '0');
      const expected = `${stated[1] ?? ''}-${stated[2] ?? ''}-${stated[3] ?? ''}T${stated[4] ?? ''}`;
      return unlike(captured?.local, /^0*$/.test(milliseconds) ? expected : `${expected}.${milliseconds}`);
    });
    expect(wrong).toEqual([]);
  });

  it('takes zeros for no date', () => {
    const zeros = comparable().filter(({ truth }) => truth.datetime_original?.startsWith('0000'));
    expect(zeros.length).toBeGreaterThan(0);
    expect(zeros.map(({ reading }) => reading.facts?.captured?.source)).toEqual(zeros.map(() => 'filesystem.modified'));
  });

  it('knows the offset where the file states it', () => {
    const wrong = differences('offset', ({ captured }, { offset = '' }) => {
      if (offset === '') return undefined;
      const minutes = (Date.parse(`${captured?.local ?? ''}Z`) - Date.parse(captured?.instant ?? '')) / 60_000;
      const [, sign = '', hours = '', rest = ''] = /([+-])(\d\d):(\d\d)/.exec(offset) ?? [];
      return unlike(minutes, String(Number(`${sign}${Number(hours) * 60 + Number(rest)}`)));
    });
    expect(wrong).toEqual([]);
  });

  it('knows the zone at the place, with daylight saving, where no offset is stated', () => {
    const zoneOf = (path: string): unknown => {
      const captured = cases.find(({ truth }) => truth.path === path)?.reading.facts?.captured;
      return [captured?.local, captured?.zone, captured?.instant, captured?.zoneSource];
    };
    expect([
      zoneOf('bursts/brighton-beach/DJI_0024.JPG'),
      zoneOf('photos/photoprism/assets/examples/IMG_4120.JPG'),
      zoneOf('photos/immich/metadata/gps-position/thompson-springs.jpg'),
      zoneOf('photos/npm-exif/short-ascii-II.jpg'),
      zoneOf('photos/immich/metadata/dates/gps-datetime.jpg'),
      zoneOf('photos/exif-samples/jpg/Canon_40D.jpg'),
    ]).toEqual([
      ['2016-06-23T16:32:43', 'America/Chicago', '2016-06-23T21:32:43.000Z', 'gps-position'],
      ['2019-06-09T12:57:32.835', 'Europe/Berlin', '2019-06-09T10:57:32.835Z', 'gps-position'],
      ['2022-01-10T15:15:44.310', 'America/Denver', '2022-01-10T22:15:44.310Z', 'gps-position'],
      ['2015-02-28T17:10:49', 'UTC+08:00', '2015-02-28T09:10:49.000Z', 'gps-time'],
      ['2023-11-15T04:30:00', 'America/Los_Angeles', '2023-11-15T12:30:00.000Z', 'gps-position'],
      ['2008-05-30T15:56:01', undefined, undefined, undefined],
    ]);
  });

  it('has the position', () => {
    const wrong = differences('position', ({ position }, { lat = '', lon = '' }) => {
      if (lat === '') return unlike(position?.geohash, '');
      const distance =
        Math.abs((position?.latitude ?? NaN) - Number(lat)) + Math.abs((position?.longitude ?? NaN) - Number(lon));
      return distance < 2e-5 ? undefined : `${JSON.stringify(position)} instead of ${lat}, ${lon}`;
    });
    expect(wrong).toEqual([]);
  });

  it('has the height above the sea, or below, of which the table has only the number', () => {
    const wrong = differences('height', ({ position }, { altitude = '' }) => {
      if (position === undefined) return undefined;
      if (position.altitudeM === undefined)
        return /^(undef)?$/.test(altitude) ? undefined : `none instead of ${altitude}`;
      // The height of a file whose GPS is in XMP is not in the table.
      if (altitude === '') return undefined;
      return Math.abs(Math.abs(position.altitudeM) - Number(altitude)) < 0.01 ? undefined : String(position.altitudeM);
    });
    expect(wrong).toEqual([]);
  });

  it('has the id that the frames of a burst share, and no single picture has', () => {
    expect(differences('burst', ({ burstId }, { burst_uuid: id }) => unlike(burstId, id))).toEqual([]);
    expect(cases.filter(({ reading }) => reading.facts?.burstId !== undefined)).toHaveLength(6);
  });

  it('is read from headers of which exiftool shows nothing, their pictures being cut off', () => {
    const cut = cases.filter(({ truth }) => truth.exiftool_warning === 'JPEG format error');
    // Their names are their dates; two of them are dates to come.
    const dated = cut.flatMap(({ truth, reading }) => {
      const name = /^(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-sep/.exec(basename(truth.path ?? ''));
      if (name === null || Number(name[1]) > 2026) return [];
      const [, year = '', month = '', day = '', ...time] = name;
      return [[reading.facts?.captured?.local.slice(0, 19), `${year}-${month}-${day}T${time.join(':')}`] as const];
    });
    expect(dated.length).toBeGreaterThan(40);
    expect(dated.filter(([ours, named]) => ours !== named)).toEqual([]);
  });

  it('warns of wrong extensions and of positions that cannot be, and of nothing else', () => {
    const warnings = cases.flatMap(({ truth, reading }) =>
      reading.problems
        .filter(({ severity }) => severity === 'warning')
        .map(({ code }) => `${code} ${basename(truth.path ?? '')}`),
    );
    expect(warnings.toSorted()).toEqual([
      'bad_metadata 2011-05-07-13-02-49-sep-2011-05-07-13-02-49a.jpg',
      'bad_metadata altitude.jpg',
      'bad_metadata buggy_panorama.jpg',
      'bad_metadata image-2011.jpg',
      'extension_mismatch this-is-a-jpeg.png',
      'extension_mismatch ukbench09380.bmp',
      'extension_mismatch ukbench09380.png',
      'extension_mismatch ukbench09380.svg',
    ]);
  });

  it('fails for exactly the files whose container is broken', () => {
    const failures = cases.flatMap(({ truth, reading }) =>
      truth.exiftool_warning === 'JPEG format error'
        ? []
        : reading.problems
            .filter(({ severity }) => severity === 'error')
            .map(({ code }) => `${code} ${basename(truth.path ?? '')}`),
    );
    expect(failures.toSorted()).toEqual([
      'corrupt broken.png',
      'corrupt broken_data_stream.png',
      'corrupt unbound_variable.jp2',
      'corrupt zero_width.gif',
      'empty_file empty.jpg',
      'not_an_image ukbench09268_corrupt.jpg',
      'truncated oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif',
      'truncated truncated.png',
      'truncated truncated_image.png',
    ]);
    const headless = cases.filter(({ truth }) => truth.exiftool_warning === 'JPEG format error');
    expect(
      headless.filter(
        ({ reading }) => !reading.problems.some(({ code }) => code === 'truncated' || code === 'corrupt'),
      ),
    ).toEqual([]);
  });

  it('is JSON that PostgreSQL stores', async () => {
    const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
    await client.connect();
    try {
      for (const { reading } of cases) {
        const text = JSON.stringify(reading.facts ?? null);
        const { rows } = await client.query<{ same: boolean }>('SELECT $1::jsonb::text::jsonb = $1::jsonb AS same', [
          text,
        ]);
        expect(rows).toEqual([{ same: true }]);
        expect(Buffer.byteLength(JSON.stringify(reading.facts?.tags ?? null))).toBeLessThanOrEqual(64 * 1024);
      }
    } finally {
      await client.end();
    }
  });

  it('is corrected by a sidecar', async () => {
    const photo = join(folder, 'photos/immich/albums/nature/prairie_falcon.jpg');
    for (const truth of sidecars) {
      const sidecarPath = join(folder, truth.path ?? '');
      const { facts } = await readPhoto({ path: photo, sidecarPaths: [sidecarPath] }, { now: NOW });
      if (truth.lat) {
        expect(facts?.position?.latitude).toBeCloseTo(Number(truth.lat), 5);
        expect(facts?.position?.longitude).toBeCloseTo(Number(truth.lon), 5);
      }
      if (truth.datetime_original) {
        const expected = truth.datetime_original.replace(/^(\d+):(\d+):(\d+) /, '$1-$2-$3T');
        expect([facts?.captured?.source, facts?.captured?.local.slice(0, 19)]).toEqual([
          'sidecar.exif:DateTimeOriginal',
          expected,
        ]);
      }
      // Cameras do not change by what lies beside a picture.
      expect(facts?.cameraModel).toBe('Canon EOS R5');
    }
    expect(sidecars.length).toBeGreaterThan(10);
  });
});

async function readTable(path: string): Promise<Truth[]> {
  const [header = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const names = header.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, index) => [names[index] ?? '', value])));
}
