import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { aPicture, Library } from './library.js';

/** Decoder processes take seconds to start where others are at work. */
jest.setTimeout(120_000);

let library: Library;
let one: Buffer, two: Buffer;

beforeAll(async () => {
  library = await Library.open();
  [one, two] = await Promise.all([aPicture(1), aPicture(2)]);
});
afterAll(() => library.close());

const blobs = async (): Promise<string[]> => {
  const entries = await readdir(join(library.home, 'data', 'blobs'), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
};

describe('thumbnails', () => {
  it('are made of every picture in every size, with a placeholder hash, and say what made them', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one, 'b.jpg': two, 'text.jpg': 'no picture' });
    await catalog.analyze();
    const result = await catalog.thumbnails();
    expect(result).toMatchObject({
      images: 2,
      rendered: 2,
      renditions: 4,
      failed: 0,
      skipped: 0,
      sizes: [256, 512],
      quality: 85,
    });
    const rows = await library.database.query(
      `SELECT r.size, r.task_type, r.task_version, r.quality, r.source_checksum = i.checksum AS current, i.thumbhash IS NOT NULL AS hashed
       FROM image_renditions r JOIN images i ON i.id = r.image_id WHERE i.catalog_id = $1 AND i.path = 'a.jpg' ORDER BY r.size`,
      [catalog.id],
    );
    const lineage = { task_type: 'thumbnails_batch', task_version: 1, quality: 85, current: true, hashed: true };
    expect(rows).toEqual([
      { size: 256, ...lineage },
      { size: 512, ...lineage },
    ]);
  });

  it('of a catalogue that is not there fail for good', async () => {
    const { thumbnails } = await import('../../../src/images/index.js');
    const task = await library.runToEnd(thumbnails, { catalog_id: '0197c2a0-0000-7000-8000-000000000000' });
    expect(task).toMatchObject({ status: 'failed', errorCode: 'catalog_not_found', attempt: 1 });
  });

  it('that are there already are not made again, and nothing is written', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one });
    await catalog.analyze();
    await catalog.thumbnails();
    const before = await catalog.rowVersions();
    expect(await catalog.thumbnails()).toMatchObject({
      images: 0,
      up_to_date: true,
      message: 'No thumbnails are missing.',
    });
    expect(await catalog.rowVersions()).toBe(before);
  });

  it('of another size are added, and all are made anew when forced', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one });
    await catalog.analyze();
    await catalog.thumbnails();
    expect(await catalog.thumbnails({ sizes: [256, 64] })).toMatchObject({ images: 1, renditions: 1 });
    expect((await catalog.images())[0]?.sizes).toEqual([64, 256, 512]);
    expect(await catalog.thumbnails({ force: true, quality: 40 })).toMatchObject({
      images: 1,
      renditions: 2,
      quality: 40,
    });
  });

  it('of an edited image replace the old ones, whose files are deleted', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one });
    await catalog.analyze();
    await catalog.thumbnails();
    const before = await blobs();
    await catalog.write('a.jpg', two);
    await catalog.analyze();
    await catalog.thumbnails();
    const after = await blobs();
    expect(after).toHaveLength(before.length);
    const left = await library.database.query('SELECT blob_key FROM discarded_blobs');
    expect(left).toEqual([]);
  });

  it('of a file that cannot be decoded fail once, with a code, and are not tried again', async () => {
    const catalog = await library.catalogOf({ 'cut.jpg': one.subarray(0, 200) });
    await catalog.analyze();
    expect(await catalog.thumbnails()).toMatchObject({ images: 1, rendered: 0, failed: 1 });
    const [image] = await catalog.images();
    expect(image?.problems).not.toEqual([]);
    expect(await catalog.thumbnails()).toMatchObject({ images: 0, up_to_date: true });
  });

  it('are not made of a file that has changed since it was analysed', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one });
    await catalog.analyze();
    await catalog.write('a.jpg', two);
    expect(await catalog.thumbnails()).toMatchObject({ images: 1, rendered: 0, skipped: 1, failed: 0 });
  });
});

describe('a catalogue that is removed', () => {
  it('takes its images along, and the files of their thumbnails', async () => {
    const { sweepBlobs } = await import('../../../src/images/index.js');
    const before = await blobs();
    const catalog = await library.catalogOf({ 'a.jpg': one, 'b.jpg': two });
    await catalog.analyze();
    await catalog.thumbnails();
    await library.catalogs.remove(catalog.id);
    expect(await catalog.images()).toEqual([]);
    expect(await library.run(sweepBlobs, {})).toEqual({ deleted: 4 });
    expect((await blobs()).sort()).toEqual(before.sort());
  });
});
