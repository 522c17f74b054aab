import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, open, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPhoto } from '../../../src/images/metadata/read-photo.js';
import { TAG } from '../../../src/images/metadata/tiff/tag-names.js';
import { aJpeg, anExif, anXmp, aPng, aDirectory, uint32 } from '../../support/build-photo.js';

const NOW = new Date('2026-06-01T00:00:00Z');

describe('reading a photo file', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'photosafe-metadata-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function aFile(name: string, bytes: Buffer | string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return path;
  }

  it('gives the checksum, size and date of the file', async () => {
    const bytes = Buffer.concat([aJpeg(), Buffer.alloc(3_000_000, 7)]);
    const path = await aFile('a.jpg', bytes);
    const modifiedAt = new Date('2021-03-04T05:06:07.089Z');
    await utimes(path, modifiedAt, modifiedAt);
    expect(await readPhoto({ path })).toMatchObject({
      checksum: createHash('sha256').update(bytes).digest(),
      sizeBytes: bytes.length,
      modifiedAt,
      problems: [],
      facts: { format: 'jpeg', mimeType: 'image/jpeg', width: 40, height: 30 },
    });
  });

  it('takes the date of the name before that of the folder before that of the file', async () => {
    const jpeg = aJpeg();
    const named = await readPhoto({ path: await aFile('IMG_20200417_100342.jpg', jpeg) }, { now: NOW });
    const unnamed = await readPhoto({ path: await aFile('holiday.jpg', jpeg) }, { now: NOW });
    expect(named.facts?.dateCandidates.map(({ source, confidence }) => [source, confidence])).toEqual([
      ['file-name', 70],
    ]);
    expect(named.facts?.captured).toMatchObject({
      local: '2020-04-17T10:03:42',
      instant: undefined,
      source: 'file-name',
    });
    // The file was written just now, which is after NOW: a date in the future says nothing.
    expect(unnamed.facts?.captured).toBeUndefined();
  });

  it.each([
    ['empty_file', 'empty.jpg', ''],
    ['not_an_image', 'notes.jpg', 'This is a text, whatever its name says.'],
    ['not_an_image', 'film.jpg', '\0\0\0\x18ftypmp42\0\0\0\0mp42isom'],
    ['not_an_image', 'noise.jpg', Buffer.from('0102030405060708', 'hex')],
  ])('finds %s in %s', async (code, name, content) => {
    const { facts, problems } = await readPhoto({ path: await aFile(name, content) });
    expect([facts, problems.map((problem) => [problem.severity, problem.code])]).toEqual([
      undefined,
      [['error', code]],
    ]);
  });

  it('goes by the content of a mislabelled file, and says so', async () => {
    const { facts, problems } = await readPhoto({ path: await aFile('really-a.JPG', aPng()) });
    expect([facts?.format, problems]).toEqual([
      'png',
      [{ severity: 'warning', code: 'extension_mismatch', message: 'The file is named .jpg and its content is PNG.' }],
    ]);
  });

  it('fails as the file system does for what cannot be read', async () => {
    await expect(readPhoto({ path: join(folder, 'gone.jpg') })).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readPhoto({ path: folder })).rejects.toThrow();
    if (process.getuid?.() !== 0) {
      const path = await aFile('secret.jpg', aJpeg());
      await chmod(path, 0);
      await expect(readPhoto({ path })).rejects.toMatchObject({ code: 'EACCES' });
    }
  });

  it('does not wait for the writer of a pipe', async () => {
    const path = join(folder, 'pipe.jpg');
    expect(spawnSync('sh', ['-c', 'mkfifo "$0"', path]).status).toBe(0);
    await expect(readPhoto({ path })).rejects.toMatchObject({ code: 'not_a_file' });
  });

  it('ends when it is told to', async () => {
    const path = await aFile('a.jpg', Buffer.concat([aJpeg(), Buffer.alloc(3_000_000)]));
    await expect(readPhoto({ path }, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });

  it('finds the directory at the end of a large TIFF, without holding it in memory', async () => {
    const size = 400_000_000;
    const directory = aDirectory(
      { [TAG.ImageWidth]: 20_000, [TAG.ImageLength]: 20_000, [TAG.Make]: 'Epson Scan' },
      size,
    );
    const path = join(folder, 'scan.tif');
    const handle = await open(path, 'w');
    await handle.write(Buffer.concat([Buffer.from('MM\0*', 'latin1'), uint32(size)]), 0, 8, 0);
    await handle.write(directory, 0, directory.length, size);
    await handle.close();
    const before = process.memoryUsage();
    const { facts, problems } = await readPhoto({ path });
    const after = process.memoryUsage();
    expect([facts?.width, facts?.cameraMake, problems]).toEqual([20_000, 'Epson Scan', []]);
    expect(after.external + after.heapUsed - before.external - before.heapUsed).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('a photo with sidecars', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'photosafe-sidecars-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A photo of a camera in Denver, and its sidecars in their order. */
  async function read(...sidecars: readonly string[]): ReturnType<typeof readPhoto> {
    const exif = anExif({
      image: { [TAG.Make]: 'Canon', [TAG.ImageDescription]: 'embedded', [TAG.Rating]: 2 },
      photo: { [TAG.DateTimeOriginal]: '2020:04:17 10:03:42', [TAG.OffsetTimeOriginal]: '-06:00' },
    });
    const path = join(folder, 'photo.jpg');
    await writeFile(
      path,
      aJpeg({ exif, xmp: anXmp({}, '<dc:subject><rdf:Bag><rdf:li>old</rdf:li></rdf:Bag></dc:subject>') }),
    );
    const sidecarPaths = sidecars.map((_, index) => join(folder, `${index}.xmp`));
    await Promise.all(sidecars.map((text, index) => writeFile(join(folder, `${index}.xmp`), text)));
    return readPhoto({ path, sidecarPaths }, { now: NOW });
  }

  it('is what the first of them says, then the others, then the file', async () => {
    const first = anXmp({ 'xmp:Rating': '5' });
    const second = anXmp(
      { 'xmp:Rating': '1', 'exif:GPSLatitude': '0,0N', 'exif:GPSLongitude': '36,30E', 'tiff:Make': 'Other' },
      '<dc:subject><rdf:Bag><rdf:li>new</rdf:li></rdf:Bag></dc:subject>',
    );
    const { facts, problems } = await read(first, second);
    expect(problems).toEqual([]);
    expect(facts).toMatchObject({
      rating: 5,
      keywords: ['new'],
      description: 'embedded',
      cameraMake: 'Canon',
      position: { latitude: 0, longitude: 36.5 },
      captured: { source: 'exif.DateTimeOriginal', zone: 'UTC-06:00' },
    });
  });

  it('has their date, and the zone of the file where theirs has none', async () => {
    const corrected = await read(anXmp({ 'exif:DateTimeOriginal': '2019-01-02T03:04:05+01:00' }));
    const repeated = await read(anXmp({ 'exif:DateTimeOriginal': '2020-04-17T10:03:42' }));
    expect([corrected.facts?.captured, repeated.facts?.captured]).toMatchObject([
      { local: '2019-01-02T03:04:05', instant: '2019-01-02T02:04:05.000Z', zoneSource: 'sidecar', confidence: 97 },
      { local: '2020-04-17T10:03:42', instant: '2020-04-17T16:03:42.000Z', zoneSource: 'offset-tag' },
    ]);
  });

  it('is read all the same when they are damaged, hostile or gone', async () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa">]>${anXmp({ 'xmp:Rating': '5' })}`;
    for (const sidecar of ['', 'no XMP', bomb, anXmp({}, '<dc:a>'.repeat(5000)), '\0'.repeat(1000)]) {
      const { facts, problems } = await read(sidecar);
      expect([facts?.rating, problems.map(({ code }) => code)]).toEqual([2, ['bad_metadata']]);
    }
    const path = join(folder, 'photo.jpg');
    const { problems } = await readPhoto({ path, sidecarPaths: [join(folder, 'gone.xmp')] }, { now: NOW });
    expect(problems).toEqual([]);
  });
});
