import { rebuild } from '../../../src/catalogs/index.js';
import { analyze, thumbnails } from '../../../src/images/index.js';
import { ScannerService } from '../../../src/images/scan/scanner.service.js';
import { aPicture, Library, type TestCatalog } from './library.js';

/** Decoder processes take seconds to start where others are at work. */
jest.setTimeout(120_000);

let library: Library;
let pictures: Buffer[];

beforeAll(async () => {
  library = await Library.open();
  pictures = await Promise.all(Array.from({ length: 12 }, (_, seed) => aPicture(seed)));
});
afterAll(() => library.close());

const filesOf = (prefix: string, from = 0): Record<string, Buffer> =>
  Object.fromEntries(pictures.slice(from).map((picture, number) => [`${prefix}/${number}/${number}.jpg`, picture]));

/** What has to hold when all work has ended, however it went. */
async function expectSettled(catalog: TestCatalog, paths: readonly string[]): Promise<void> {
  const images = await catalog.images();
  const active = images.filter(({ state }) => state === 'active');
  expect(active.map(({ path }) => path)).toEqual([...paths].sort());
  expect(images.filter(({ due, state }) => due || state === 'pending')).toEqual([]);
  expect(await catalog.analyze()).toMatchObject({ up_to_date: true, photos: paths.length });
}

describe('a scan that is interrupted', () => {
  it.each([1, 2, 3, 4])('after %i writes is made up for by the next one', async (writes) => {
    const catalog = await library.catalogOf(filesOf('a'));
    await catalog.analyze();
    const before = await catalog.idsByPath();
    await catalog.rename('a', 'b');
    await catalog.write('c.jpg', await aPicture(50));
    let left = writes;
    const context = {
      jobId: '0197c2a0-0000-7000-8000-000000000000',
      signal: new AbortController().signal,
      transaction: (work: Parameters<typeof library.database.transaction>[0]) => {
        if ((left -= 1) < 0) throw new Error('killed');
        return library.database.transaction(work);
      },
    };
    await library.app
      .get(ScannerService, { strict: false })
      .scan(catalog.id, context as Parameters<ScannerService['scan']>[1])
      .catch(() => undefined);
    await catalog.analyze();
    await expectSettled(catalog, [...Object.keys(filesOf('b')), 'c.jpg']);
    const after = await catalog.idsByPath();
    for (const path of Object.keys(before)) expect(after[path.replace('a/', 'b/')]).toBe(before[path]);
  });
});

describe('work on one catalogue by several jobs at once', () => {
  it('leaves it as one of them would have', async () => {
    const catalog = await library.catalogOf(filesOf('a'));
    const first = await Promise.all([
      library.run(rebuild, { catalog_id: catalog.id }),
      library.run(analyze, { catalog_id: catalog.id }),
      library.run(thumbnails, { catalog_id: catalog.id }),
    ]);
    expect(first).toHaveLength(3);
    await expectSettled(catalog, Object.keys(filesOf('a')));
    const before = await catalog.idsByPath();
    await catalog.rename('a/0', 'b/0');
    await catalog.rename('a/1/1.jpg', 'a/2/2.jpg');
    await catalog.write('a/3/3.jpg', await aPicture(60));
    await Promise.all([
      library.run(rebuild, { catalog_id: catalog.id }),
      library.run(analyze, { catalog_id: catalog.id, force: true }),
    ]);
    const paths = Object.keys(filesOf('a')).filter((path) => !['a/0/0.jpg', 'a/1/1.jpg'].includes(path));
    await expectSettled(catalog, [...paths, 'b/0/0.jpg']);
    const after = await catalog.idsByPath();
    expect(after['b/0/0.jpg']).toBe(before['a/0/0.jpg']);
    expect(after['a/3/3.jpg']).toBe(before['a/3/3.jpg']);
    expect(await catalog.thumbnails()).toMatchObject({ failed: 0 });
    expect((await catalog.images()).filter(({ state, sizes }) => state === 'active' && sizes.length !== 2)).toEqual([]);
  });

  it('is begun once when it is asked for twice', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': pictures[0]! });
    const terms = { actor: 'test:someone' };
    const [one, other] = await Promise.all([
      library.tasks.enqueue(rebuild, { catalog_id: catalog.id }, terms),
      library.tasks.enqueue(rebuild, { catalog_id: catalog.id }, terms),
    ]);
    expect(one.id).toBe(other.id);
    expect([one.created, other.created].sort()).toEqual([false, true]);
    await library.run(rebuild, { catalog_id: catalog.id });
  });
});
