import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { aPicture, Library, type TestCatalog } from './library.js';

/** Decoder processes take seconds to start where others are at work. */
jest.setTimeout(120_000);

let library: Library;
let one: Buffer, two: Buffer, three: Buffer;

beforeAll(async () => {
  library = await Library.open();
  [one, two, three] = await Promise.all([aPicture(1), aPicture(2), aPicture(3)]);
});
afterAll(() => library.close());

describe('the first analysis', () => {
  it('finds photos in all folders, counts the rest, and accounts for every file', async () => {
    const catalog = await library.catalogOf({
      'a.jpg': one,
      '2024/b.JPG': two,
      '2024/deep/er/c.jpeg': three,
      '2024/b.JPG.xmp': '<x/>',
      'notes.txt': 'hello',
      'no-extension': one,
      '.hidden.jpg': one,
      '.thumbnails/t.jpg': one,
      '@eaDir/t.jpg': one,
      'Thumbs.db': 'x',
    });
    const result = await catalog.analyze();
    expect(result).toMatchObject({
      found: 8,
      photos: 4,
      sidecars: 1,
      ignored: 3,
      new: 4,
      analyzed: 4,
      failed: 0,
      up_to_date: false,
    });
    expect(await catalog.standing()).toEqual([
      '2024/b.JPG active',
      '2024/deep/er/c.jpeg active',
      'a.jpg active',
      'no-extension active',
    ]);
  });

  it('records what is wrong with a file and uses the others', async () => {
    const catalog = await library.catalogOf({
      'good.jpg': one,
      'empty.jpg': '',
      'text.jpg': 'this is no picture',
      'wrong.png': two,
    });
    const result = await catalog.analyze();
    expect(result).toMatchObject({
      photos: 4,
      failed: 2,
      errors: { empty_file: 1, not_an_image: 1 },
      warnings: { extension_mismatch: 1 },
    });
    expect((await catalog.images()).map(({ path, problems }) => [path, problems])).toEqual([
      ['empty.jpg', ['empty_file']],
      ['good.jpg', []],
      ['text.jpg', ['not_an_image']],
      ['wrong.png', ['extension_mismatch']],
    ]);
  });

  it('of a catalogue that is not there fails for good', async () => {
    const { analyze } = await import('../../../src/images/index.js');
    const task = await library.runToEnd(analyze, { catalog_id: '0197c2a0-0000-7000-8000-000000000000' });
    expect(task).toMatchObject({ status: 'failed', errorCode: 'catalog_not_found', attempt: 1 });
  });
});

describe('the second analysis', () => {
  it('writes nothing, and says so', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one, 'b/c.jpg': two, 'b/empty.jpg': '' });
    await catalog.analyze();
    const before = await catalog.rowVersions();
    const result = await catalog.analyze();
    expect(result).toMatchObject({ photos: 3, unchanged: 3, new: 0, analyzed: 0, failed: 1, up_to_date: true });
    expect(result.message).toBe('Nothing has changed since the last analysis: 3 photos.');
    expect(await catalog.rowVersions()).toBe(before);
  });

  it('reads all again when forced, and keeps what was the same', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one, 'b.jpg': two });
    await catalog.analyze();
    const before = await catalog.idsByPath();
    expect(await catalog.analyze({ force: true })).toMatchObject({ analyzed: 2, new: 0, changed: 0 });
    expect(await catalog.idsByPath()).toEqual(before);
  });
});

describe('links', () => {
  it('are not followed, neither out of the root nor in circles', async () => {
    const outside = await library.folderOf({ 'secret.jpg': three });
    const catalog = await library.catalogOf({ 'a.jpg': one });
    await symlink(join(outside, 'secret.jpg'), catalog.path('file.jpg'));
    await symlink(outside, catalog.path('folder'));
    await symlink(catalog.root, catalog.path('circle'));
    await symlink('a.jpg', catalog.path('inside.jpg'));
    expect(await catalog.analyze()).toMatchObject({ photos: 1, ignored: 4 });
    expect(await catalog.standing()).toEqual(['a.jpg active']);
  });

  it('that take the place of a file make it missing', async () => {
    const outside = await library.folderOf({ 'secret.jpg': three });
    const catalog = await library.catalogOf({ 'a.jpg': one, 'b/c.jpg': two });
    await catalog.analyze();
    await catalog.remove('a.jpg');
    await symlink(join(outside, 'secret.jpg'), catalog.path('a.jpg'));
    await catalog.rename('b', 'moved-away');
    await symlink(outside, catalog.path('b'));
    expect(await catalog.analyze()).toMatchObject({ missing: 1, moved: 1 });
    expect(await catalog.standing()).toEqual(['a.jpg missing', 'moved-away/c.jpg active']);
  });
});

describe('file names', () => {
  it('may be any bytes', async () => {
    const catalog = await library.catalogOf({ 'ok.jpg': one });
    const { writeFile } = await import('node:fs/promises');
    await writeFile(Buffer.concat([Buffer.from(`${catalog.root}/caf`), Buffer.of(0xe9), Buffer.from('.jpg')]), two);
    expect(await catalog.analyze()).toMatchObject({ photos: 2, new: 2, failed: 0 });
    expect(await catalog.thumbnails()).toMatchObject({ rendered: 2, failed: 0 });
    const before = await catalog.rowVersions();
    expect(await catalog.analyze()).toMatchObject({ up_to_date: true });
    expect(await catalog.rowVersions()).toBe(before);
  });

  it('that are longer than can be catalogued are reported', async () => {
    const catalog = await library.catalogOf({ 'ok.jpg': one });
    let folder = catalog.root;
    for (let depth = 0; depth < 12; depth += 1) {
      folder = join(folder, 'x'.repeat(240));
      await mkdir(folder);
    }
    expect(await catalog.analyze()).toMatchObject({
      photos: 1,
      unreadable_total: 1,
      unreadable: [{ code: 'path_too_long' }],
    });
  });
});

describe('sidecars', () => {
  it('that come or change have their photo read again, and nothing else', async () => {
    const catalog: TestCatalog = await library.catalogOf({ 'a.jpg': one, 'b.jpg': two });
    await catalog.analyze();
    await catalog.write('a.jpg.xmp', XMP.replace('RATING', '3'));
    expect(await catalog.analyze()).toMatchObject({ analyzed: 1, changed: 0, sidecars: 1 });
    await catalog.write('a.jpg.xmp', XMP.replace('RATING', '5 '));
    expect(await catalog.analyze()).toMatchObject({ analyzed: 1 });
    const rows = await library.database.query('SELECT path, rating FROM images WHERE catalog_id = $1 ORDER BY path', [
      catalog.id,
    ]);
    expect(rows).toEqual([
      { path: 'a.jpg', rating: 5 },
      { path: 'b.jpg', rating: null },
    ]);
  });
});

const XMP = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="RATING"/></rdf:RDF></x:xmpmeta>`;
