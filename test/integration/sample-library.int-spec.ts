import ExifReader from 'exifreader';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import {
  generatePlainPhotos,
  generateSampleLibrary,
  type SampleFileKind,
  type SampleLibrary,
} from '../../src/catalogs/sample-library/sample-library.js';

const root = mkdtempSync(join(tmpdir(), 'photosafe-samples-'));
let library: SampleLibrary;

beforeAll(async () => {
  library = await generateSampleLibrary(join(root, 'library'), { photos: 60, seed: 1 });
}, 90_000);
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const bytesOf = (path: string): Buffer => readFileSync(join(library.folder, path));
const ofKind = (kind: SampleFileKind) => library.files.filter((file) => file.kind === kind);
const checksum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('the sample library', () => {
  it('writes exactly the files that it lists, each with the time of its shot', async () => {
    const found = await readdir(library.folder, { recursive: true, withFileTypes: true });
    const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));

    expect(files.sort()).toEqual(library.files.map(({ path }) => join(library.folder, path)).sort());
    for (const { path, modifiedMs } of library.files) {
      expect(Math.abs(statSync(join(library.folder, path)).mtimeMs - modifiedMs)).toBeLessThan(1);
    }
  });

  it('holds as many readable pictures as were asked for, and three that are broken', async () => {
    const pictures = library.files.filter(({ kind }) => kind !== 'broken' && kind !== 'sidecar');

    expect(pictures).toHaveLength(60);
    const formats = await Promise.all(
      pictures.map(
        async ({ path }) => (await sharp(bytesOf(path)).stats(), (await sharp(bytesOf(path)).metadata()).format),
      ),
    );
    expect(formats.filter((format) => format !== 'jpeg').sort()).toEqual(['png', 'webp']);
    const broken = ofKind('broken');
    expect(broken).toHaveLength(3);
    for (const { path } of broken)
      await expect(sharp(join(library.folder, path), { failOn: 'truncated' }).stats()).rejects.toThrow();
  });

  it('writes EXIF that an independent reader finds: camera, exposure, wall clock, zone, orientation', () => {
    const [path] = ofKind('shot').filter((file) => file.path.includes('Nepal/2024'));
    const { exif = {} } = ExifReader.load(bytesOf(path?.path ?? ''), { expanded: true });

    expect(exif).toMatchObject({
      Make: { description: 'samsung' },
      Model: { description: 'SM-G991B' },
      DateTimeOriginal: { description: expect.stringMatching(/^2024:1\d:\d\d \d\d:\d\d:\d\d$/) as string },
      SubSecTimeOriginal: { description: expect.stringMatching(/^\d{3}$/) as string },
      OffsetTimeOriginal: { description: '+05:45' },
      LensModel: { description: 'Samsung Galaxy S21 rear camera' },
      FNumber: { description: 'f/1.8' },
      ExposureTime: { description: expect.stringMatching(/^1\/\d+$/) as string },
    });
    expect(exif.ISOSpeedRatings?.value).toEqual(expect.any(Number));
    expect(exif.FocalLength?.value).toEqual([expect.any(Number), 10]);
    const orientations = ofKind('shot').map((shot) => ExifReader.load(bytesOf(shot.path)).Orientation.value);
    expect(new Set(orientations)).toEqual(new Set([1, 3, 6, 8]));
  });

  it('writes positions that an independent reader finds, on all hemispheres and on the lines between them', () => {
    const positions = ofKind('shot').flatMap(({ path }) => {
      const { gps } = ExifReader.load(bytesOf(path), { expanded: true });
      return gps?.Latitude === undefined || gps.Longitude === undefined ? [] : [[gps.Latitude, gps.Longitude] as const];
    });

    const quadrants = positions.filter(([latitude, longitude]) => latitude !== 0 && longitude !== 0);
    const letters = quadrants.map(([latitude, longitude]) => (latitude > 0 ? 'N' : 'S') + (longitude > 0 ? 'E' : 'W'));
    expect(new Set(letters)).toEqual(new Set(['NE', 'NW', 'SE', 'SW']));
    expect(positions.some(([latitude]) => latitude === 0)).toBe(true);
    expect(positions.some(([, longitude]) => longitude === 0)).toBe(true);
    expect(positions.some(([, longitude]) => longitude > 179.99)).toBe(true);
    expect(positions.some(([, longitude]) => longitude < -179.99)).toBe(true);
    expect(positions.length).toBeLessThan(ofKind('shot').length);
  });

  it('copies in three ways: the same bytes, the same size in other bytes, and smaller without metadata', async () => {
    for (const { path, of = '' } of ofKind('exact-copy')) expect(checksum(bytesOf(path))).toBe(checksum(bytesOf(of)));
    for (const { path, of = '' } of ofKind('re-encoded')) {
      const [copy, original] = [ExifReader.load(bytesOf(path)), ExifReader.load(bytesOf(of))];
      expect(checksum(bytesOf(path))).not.toBe(checksum(bytesOf(of)));
      expect(copy.DateTimeOriginal?.description).toBe(original.DateTimeOriginal?.description);
      expect(copy['Image Width']?.value).toBe(original['Image Width']?.value);
      expect(copy.Orientation.value).toBe(original.Orientation.value);
    }
    for (const { path } of ofKind('resized')) {
      const { width, height, exif } = await sharp(bytesOf(path)).metadata();
      expect([Math.max(width, height), exif]).toEqual([800, undefined]);
    }
  });

  it('lays a sidecar beside its photo', () => {
    const [sidecar] = ofKind('sidecar');

    expect(sidecar?.path.replace(/\.xmp$/, '')).toBe(sidecar?.of?.replace(/\.\w+$/, ''));
    expect(bytesOf(sidecar?.path ?? '').toString()).toContain('xmp:Rating="5"');
  });

  it('leaves what is there, and makes good what an interruption left unfinished', async () => {
    const [kept, gone, half] = ofKind('shot').map(({ path }) => join(library.folder, path));
    const before = readFileSync(half ?? '');
    const inode = statSync(kept ?? '').ino;
    rmSync(gone ?? '');
    writeFileSync(half ?? '', before.subarray(0, 1_000));

    await generateSampleLibrary(library.folder, { photos: 60, seed: 1 });

    expect(readFileSync(half ?? '')).toEqual(before);
    expect(existsSync(gone ?? '')).toBe(true);
    expect(statSync(kept ?? '').ino).toBe(inode);
  });

  it('gives the same bytes when it is generated elsewhere', async () => {
    const again = await generateSampleLibrary(join(root, 'again'), { photos: 60, seed: 1 });

    const checksums = ({ folder, files }: SampleLibrary) =>
      files.map(({ path }) => checksum(readFileSync(join(folder, path))));
    expect(checksums(again)).toEqual(checksums(library));
  }, 60_000);
});

describe('plain photos', () => {
  it('are that many, of about that size, with times and checksums of their own', async () => {
    const folder = join(root, 'plain');

    const paths = await generatePlainPhotos(folder, 25, { megapixels: 0.1 });

    const files = paths.map((path) => readFileSync(join(folder, path)));
    expect(new Set(files.map(checksum)).size).toBe(25);
    const times = files.map((bytes) => ExifReader.load(bytes).DateTimeOriginal?.description);
    expect(new Set(times).size).toBe(25);
    const { width, height } = await sharp(files[24]).metadata();
    expect(Math.abs(width * height - 100_000)).toBeLessThan(2_000);
    expect((await sharp(files[24]).stats()).channels).toHaveLength(3);
  });
});
