import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeWithSharedData } from '../../support/shared-data.js';
import { Library, TestCatalog } from './library.js';

/** Some six hundred files, and decoder processes that take seconds to start where others are at work. */
jest.setTimeout(300_000);

describeWithSharedData('a folder of real photos', 'photos', (folder) => {
  let library: Library;
  let catalog: TestCatalog;
  let result: Record<string, unknown>;

  beforeAll(async () => {
    library = await Library.open({ PHOTOSAFE_DECODER_PROCESSES: '2' });
    const { id } = await library.catalogs.create({ name: 'real', roots: [folder] });
    catalog = new TestCatalog(library, id, folder);
    result = await catalog.analyze();
  });
  afterAll(() => library.close());

  it('has every file accounted for', async () => {
    const { found, photos, sidecars, ignored, analyzed, failed } = result as Record<string, number>;
    expect(photos! + sidecars! + ignored!).toBe(found);
    expect(analyzed! + failed!).toBe(photos);
    const images = await catalog.images();
    expect(images.map(({ state }) => state)).toEqual(images.map(() => 'active'));
    expect(images).toHaveLength(photos!);
  });

  it('has exactly its broken files among the failures, each with a code', async () => {
    const failures = await library.database.query<{ path: string; code: string; message: string }>(
      `SELECT i.path, p.code, p.message FROM images i JOIN image_problems p ON p.image_id = i.id
       WHERE i.catalog_id = $1 AND p.severity = 'error' ORDER BY i.path`,
      [catalog.id],
    );
    expect(failures.filter(({ path }) => path.endsWith('/empty.jpg')).map(({ code }) => code)).toEqual(['empty_file']);
    expect(failures.filter(({ code, message }) => !/^[a-z_]+$/.test(code) || message === '')).toEqual([]);
    const images = await catalog.images();
    const withoutFormat = await library.database.query<{ path: string }>(
      `SELECT path FROM images WHERE catalog_id = $1 AND format IS NULL`,
      [catalog.id],
    );
    const failed = new Set(failures.map(({ path }) => path));
    expect(withoutFormat.filter(({ path }) => !failed.has(path))).toEqual([]);
    expect(failed.size).toBe(result.failed);
    expect(failed.size).toBeLessThan(images.length / 4);
  });

  it('is up to date when nothing has changed, and not a row is written', async () => {
    const versions = await catalog.rowVersions();
    expect(await catalog.analyze()).toMatchObject({ up_to_date: true, read: 0, unchanged: result.photos });
    expect(await catalog.rowVersions()).toBe(versions);
  });

  it('gets thumbnails of every picture that can be decoded, and an error for every other', async () => {
    const { id } = await library.catalogs.create({ name: 'formats', roots: [join(folder, 'immich', 'formats')] });
    const formats = new TestCatalog(library, id, join(folder, 'immich', 'formats'));
    await formats.analyze();
    const made = await formats.thumbnails();
    const images = await formats.images();
    expect(made).toMatchObject({ images: images.length, skipped: 0 });
    for (const { path, sizes, problems } of images)
      expect([path, sizes.length > 0 || problems.length > 0]).toEqual([path, true]);
    expect(await formats.thumbnails()).toMatchObject({ up_to_date: true });
    await rm(join(library.home, 'data', 'blobs'), { recursive: true });
  });
});
