import { chmod, mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { aPicture, Library } from './library.js';

/** Decoder processes take seconds to start where others are at work. */
jest.setTimeout(120_000);

let library: Library;
let one: Buffer, two: Buffer, three: Buffer;

beforeAll(async () => {
  library = await Library.open();
  [one, two, three] = await Promise.all([aPicture(1), aPicture(2), aPicture(3)]);
});
afterAll(() => library.close());

const away = (folder: string): string => `${folder}-away`;

describe('a root that is not there', () => {
  it('takes its photos offline, and brings them back without any of them being read again', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one, 'b/c.jpg': two });
    await catalog.analyze();
    await catalog.thumbnails();
    const before = await catalog.idsByPath();
    await rename(catalog.root, away(catalog.root));
    const result = await catalog.analyze();
    expect(result).toMatchObject({
      offline: 2,
      missing: 0,
      roots_offline: [{ path: catalog.root, reason: 'vanished' }],
    });
    expect(await catalog.standing()).toEqual(['a.jpg offline', 'b/c.jpg offline']);
    const versions = await catalog.rowVersions();
    expect(await catalog.analyze()).toMatchObject({ offline: 2, up_to_date: true });
    expect(await catalog.rowVersions()).toBe(versions);
    await rename(away(catalog.root), catalog.root);
    expect(await catalog.analyze()).toMatchObject({ offline: 0, analyzed: 0, new: 0, unchanged: 2 });
    expect(await catalog.idsByPath()).toEqual(before);
    expect(await catalog.thumbnails()).toMatchObject({ up_to_date: true });
  });

  it('does not keep the other roots of its catalogue from being analysed', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one });
    const other = await library.folderOf({ 'b.jpg': two });
    await library.catalogs.update(catalog.id, { roots: [catalog.root, other] });
    await catalog.analyze();
    await rename(catalog.root, away(catalog.root));
    await catalog.copy(
      join('..', other.split('/').at(-1) ?? '', 'b.jpg'),
      join('..', other.split('/').at(-1) ?? '', 'c.jpg'),
    );
    expect(await catalog.analyze()).toMatchObject({ offline: 1, new: 1, photos: 2 });
    expect(await catalog.standing()).toEqual(['a.jpg offline', 'b.jpg active', 'c.jpg active']);
  });

  it('is told from one whose photos were deleted: an empty mount point deletes nothing', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one });
    await catalog.analyze();
    await catalog.remove('a.jpg');
    await catalog.write('readme.txt', 'the disk is not mounted');
    expect(await catalog.analyze()).toMatchObject({ offline: 1, missing: 0, roots_offline: [{ reason: 'empty' }] });
    await catalog.write('b.jpg', two);
    expect(await catalog.analyze()).toMatchObject({ offline: 0, missing: 1, new: 1 });
    expect(await catalog.standing()).toEqual(['a.jpg missing', 'b.jpg active']);
  });

  it('is told from another disk at its place, whose photos are not taken in', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one });
    await catalog.analyze();
    await rename(catalog.root, away(catalog.root));
    await mkdir(catalog.root);
    await catalog.write('other.jpg', three);
    expect(await catalog.analyze()).toMatchObject({ offline: 1, new: 0, roots_offline: [{ reason: 'replaced' }] });
    expect(await catalog.standing()).toEqual(['a.jpg offline']);
  });

  it('has not become a link to somewhere else', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one });
    await catalog.analyze();
    const outside = await library.folderOf({ 'secret.jpg': three });
    await rename(catalog.root, away(catalog.root));
    await symlink(outside, catalog.root);
    expect(await catalog.analyze()).toMatchObject({ offline: 1, new: 0, roots_offline: [{ reason: 'replaced' }] });
  });

  it('is not asked for pictures', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one });
    await catalog.analyze();
    await rename(catalog.root, away(catalog.root));
    expect(await catalog.thumbnails()).toMatchObject({ rendered: 0, failed: 0, skipped: 1 });
    await catalog.analyze();
    expect(await catalog.thumbnails()).toMatchObject({ up_to_date: true });
  });
});

describe('what may not be read', () => {
  it('in a folder is not taken for deleted', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one, 'closed/b.jpg': two, 'closed/deep/c.jpg': three });
    await catalog.analyze();
    await chmod(catalog.path('closed'), 0o000);
    const result = await asOrdinaryUser(() => catalog.analyze());
    await chmod(catalog.path('closed'), 0o755);
    expect(result).toMatchObject({
      missing: 0,
      photos: 1,
      unreadable_total: 1,
      unreadable: [{ path: 'closed/', code: 'unreadable' }],
    });
    expect(await catalog.standing()).toEqual(['a.jpg active', 'closed/b.jpg active', 'closed/deep/c.jpg active']);
    expect(await catalog.analyze()).toMatchObject({ up_to_date: true });
  });

  it('as a file is a failure, until it can be', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one, 'closed.jpg': two });
    await chmod(catalog.path('closed.jpg'), 0o000);
    await asOrdinaryUser(async () => {
      expect(await catalog.analyze()).toMatchObject({
        photos: 2,
        new: 2,
        analyzed: 1,
        failed: 1,
        errors: { unreadable: 1 },
      });
      const versions = await catalog.rowVersions();
      expect(await catalog.analyze()).toMatchObject({ analyzed: 0, failed: 1 });
      expect(await catalog.rowVersions()).toBe(versions);
    });
    await chmod(catalog.path('closed.jpg'), 0o644);
    expect(await catalog.analyze()).toMatchObject({ analyzed: 1, failed: 0, errors: {} });
  });
});

describe('a folder is refused as a root', () => {
  const refusal = (root: string): Promise<unknown> =>
    library.catalogs.create({ name: `refused ${root}`, roots: [root] }).then(
      () => 'accepted',
      (error: unknown) => error,
    );

  it.each([
    ['that is not there', () => '/nowhere/at/all', 'does not exist'],
    ['that is not absolute', () => 'photos', 'is not an absolute path'],
    ['that is a file', async () => join(await library.folderOf({ 'a.jpg': one }), 'a.jpg'), 'is not a folder'],
    ['that is everything', () => '/', 'is the whole file system'],
    ['that holds our own data', () => library.home, 'contains PhotoSafe'],
    ['that is our own data', () => join(library.home, 'data', 'blobs'), 'lies in PhotoSafe'],
  ])('%s', async (_what, folder, message) => {
    await mkdir(join(library.home, 'data', 'blobs'), { recursive: true });
    const error = await refusal(await folder());
    expect(error).toMatchObject({ kind: 'invalid', code: 'unusable_roots', fields: [{ path: 'roots.0' }] });
    expect(String(error)).toContain(message);
  });

  it('that overlaps another of the same catalogue', async () => {
    const outer = await library.folderOf({ 'inner/a.jpg': one });
    const creating = library.catalogs.create({ name: 'overlapping', roots: [outer, join(outer, 'inner')] });
    await expect(creating).rejects.toMatchObject({ code: 'unusable_roots', fields: [{ path: 'roots.1' }] });
  });
});

/** Root may read everything: then the work is done as nobody. */
async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  await chmod(library.home, 0o755);
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
