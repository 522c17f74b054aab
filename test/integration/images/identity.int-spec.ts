import { createHash } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { aPicture, Library } from './library.js';

/** Decoder processes take seconds to start where others are at work. */
jest.setTimeout(120_000);

let library: Library;
let pictures: Buffer[] = [];
const [one, two, three, four] = [() => pictures[0]!, () => pictures[1]!, () => pictures[2]!, () => pictures[3]!];

beforeAll(async () => {
  library = await Library.open();
  pictures = await Promise.all([1, 2, 3, 4].map(aPicture));
});
afterAll(() => library.close());

describe('an image keeps its id', () => {
  it('when its file is renamed or moved', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one(), 'b.jpg': two() });
    await catalog.analyze();
    await catalog.thumbnails();
    const before = await catalog.idsByPath();
    await catalog.rename('a.jpg', 'x/y.jpg');
    await catalog.rename('b.jpg', 'B.jpg');
    expect(await catalog.analyze()).toMatchObject({ moved: 2, new: 0, missing: 0, photos: 2 });
    expect(await catalog.idsByPath()).toEqual({ 'x/y.jpg': before['a.jpg'], 'B.jpg': before['b.jpg'] });
    expect(await catalog.standing()).toHaveLength(2);
    expect(await catalog.thumbnails()).toMatchObject({ up_to_date: true });
  });

  it('when its file is edited, and gets new thumbnails', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one() });
    await catalog.analyze();
    await catalog.thumbnails();
    const [before] = await catalog.images();
    await catalog.write('a.jpg', two());
    expect(await catalog.analyze()).toMatchObject({ changed: 1, new: 0 });
    const [stale] = await catalog.images();
    expect(stale).toMatchObject({ id: before?.id, state: 'active', sizes: [] });
    expect(await catalog.thumbnails()).toMatchObject({ rendered: 1, renditions: 2 });
    const [after] = await catalog.images();
    expect(after).toMatchObject({ id: before?.id, sizes: [256, 512] });
    expect(after?.checksum).not.toBe(before?.checksum);
  });

  it('when its file is only touched, and nothing is made anew', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one() });
    await catalog.analyze();
    await catalog.thumbnails();
    const before = await catalog.idsByPath();
    await catalog.touch('a.jpg');
    expect(await catalog.analyze()).toMatchObject({ analyzed: 1, changed: 0, new: 0, moved: 0 });
    expect(await catalog.idsByPath()).toEqual(before);
    expect(await catalog.thumbnails()).toMatchObject({ up_to_date: true });
    expect(await catalog.analyze()).toMatchObject({ up_to_date: true });
  });

  it('when its file is deleted and restored, without being read again', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one(), 'b.jpg': two() });
    await catalog.analyze();
    await catalog.thumbnails();
    const before = await catalog.idsByPath();
    await catalog.rename('a.jpg', '../kept.jpg');
    expect(await catalog.analyze()).toMatchObject({ missing: 1, photos: 1 });
    expect(await catalog.standing()).toEqual(['a.jpg missing', 'b.jpg active']);
    await catalog.rename('../kept.jpg', 'a.jpg');
    expect(await catalog.analyze()).toMatchObject({ restored: 1, new: 0, analyzed: 0 });
    expect(await catalog.idsByPath()).toEqual(before);
    expect(await catalog.thumbnails()).toMatchObject({ up_to_date: true });
  });

  it('when its file is deleted, and comes back later under another name', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one(), 'b.jpg': two() });
    await catalog.analyze();
    const before = await catalog.idsByPath();
    await catalog.remove('a.jpg');
    await catalog.analyze();
    await catalog.write('c.jpg', one());
    expect(await catalog.analyze()).toMatchObject({ moved: 1, new: 0 });
    expect(await catalog.idsByPath()).toEqual({ 'b.jpg': before['b.jpg'], 'c.jpg': before['a.jpg'] });
  });

  it('when files exchange their names', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one(), 'b.jpg': two(), 'c.jpg': three() });
    await catalog.analyze();
    const before = await catalog.idsByPath();
    await catalog.rename('a.jpg', 'a.tmp');
    await catalog.rename('c.jpg', 'a.jpg');
    await catalog.rename('b.jpg', 'c.jpg');
    await catalog.rename('a.tmp', 'b.jpg');
    for (const path of ['a.jpg', 'b.jpg', 'c.jpg']) await catalog.touch(path); // sizes and times tell nothing
    expect(await catalog.analyze()).toMatchObject({ moved: 3, new: 0, changed: 0, missing: 0 });
    expect(await catalog.idsByPath()).toEqual({
      'a.jpg': before['c.jpg'],
      'b.jpg': before['a.jpg'],
      'c.jpg': before['b.jpg'],
    });
  });

  it('when its file is moved over another, which is then missing until it is found', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one(), 'b.jpg': two() });
    await catalog.analyze();
    const before = await catalog.idsByPath();
    await catalog.rename('a.jpg', 'b.jpg');
    await catalog.touch('b.jpg');
    expect(await catalog.analyze()).toMatchObject({ moved: 1, missing: 1, new: 0, changed: 0 });
    expect(await catalog.standing()).toEqual(['b.jpg active', 'b.jpg missing']);
    expect(await catalog.idsByPath()).toEqual({ 'b.jpg': before['a.jpg'] });
    expect(await catalog.analyze()).toMatchObject({ up_to_date: true });
    await catalog.write('a.jpg', two());
    expect(await catalog.analyze()).toMatchObject({ moved: 1, new: 0 });
    expect(await catalog.idsByPath()).toEqual({ 'b.jpg': before['a.jpg'], 'a.jpg': before['b.jpg'] });
  });

  it('when its file is moved away and another put in its place', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one() });
    await catalog.analyze();
    const before = await catalog.idsByPath();
    await catalog.rename('a.jpg', 'old.jpg');
    await catalog.write('a.jpg', two());
    expect(await catalog.analyze()).toMatchObject({ moved: 1, new: 1, changed: 0 });
    const after = await catalog.idsByPath();
    expect(after['old.jpg']).toBe(before['a.jpg']);
    expect(after['a.jpg']).not.toBe(before['a.jpg']);
  });

  it('when its whole folder is renamed', async () => {
    const catalog = await library.catalogOf({ '2024/a.jpg': one(), '2024/x/b.jpg': two(), 'c.jpg': three() });
    await catalog.analyze();
    const before = await catalog.idsByPath();
    await catalog.rename('2024', '2025');
    expect(await catalog.analyze()).toMatchObject({ moved: 2, new: 0, missing: 0 });
    const expected = {
      '2025/a.jpg': before['2024/a.jpg'],
      '2025/x/b.jpg': before['2024/x/b.jpg'],
      'c.jpg': before['c.jpg'],
    };
    expect(await catalog.idsByPath()).toEqual(expected);
  });

  it('when the library moves to another folder', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one(), 'x/b.jpg': two() });
    await catalog.analyze();
    await catalog.thumbnails();
    const before = await catalog.idsByPath();
    const elsewhere = `${catalog.root}-elsewhere`;
    await rename(catalog.root, elsewhere);
    await library.catalogs.update(catalog.id, { roots: [elsewhere] });
    expect(await catalog.analyze()).toMatchObject({ photos: 2, new: 0, missing: 0, analyzed: 0 });
    expect(await catalog.idsByPath()).toEqual(before);
  });

  it('when its folder is taken out of the catalogue, and its file found in another', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one(), 'b.jpg': two() });
    const other = await library.folderOf({ 'c.jpg': three() });
    await library.catalogs.update(catalog.id, { roots: [catalog.root, other] });
    await catalog.analyze();
    const before = await catalog.idsByPath();
    await library.catalogs.update(catalog.id, { roots: [other] });
    expect(await catalog.standing()).toEqual(['a.jpg missing', 'b.jpg missing', 'c.jpg active']);
    await catalog.copy('a.jpg', `../${other.split('/').at(-1) ?? ''}/again.jpg`);
    expect(await catalog.analyze()).toMatchObject({ moved: 1 });
    expect((await catalog.idsByPath())['again.jpg']).toBe(before['a.jpg']);
  });
});

describe('a copy', () => {
  it('of an image that is still there is a new image', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one() });
    await catalog.analyze();
    const before = await catalog.idsByPath();
    await catalog.copy('a.jpg', 'copy of a.jpg');
    expect(await catalog.analyze()).toMatchObject({ new: 1, moved: 0 });
    const after = await catalog.idsByPath();
    expect(after['a.jpg']).toBe(before['a.jpg']);
    expect(after['copy of a.jpg']).not.toBe(before['a.jpg']);
  });

  it('made and the original moved: the one of the same name is the original', async () => {
    const catalog = await library.catalogOf({ 'z.jpg': one() });
    await catalog.analyze();
    const before = await catalog.idsByPath();
    await catalog.copy('z.jpg', 'a.jpg');
    await catalog.rename('z.jpg', 'x/z.jpg');
    expect(await catalog.analyze()).toMatchObject({ new: 1, moved: 1 });
    expect((await catalog.idsByPath())['x/z.jpg']).toBe(before['z.jpg']);
  });

  it('over another image is an edit of that image', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': one(), 'b.jpg': two() });
    await catalog.analyze();
    const before = await catalog.idsByPath();
    await catalog.write('b.jpg', one());
    expect(await catalog.analyze()).toMatchObject({ changed: 1, new: 0, moved: 0, missing: 0 });
    expect(await catalog.idsByPath()).toEqual(before);
  });
});

describe('whatever happens to the files between analyses', () => {
  it.each([1, 2, 3])(
    'the catalogue agrees with the folder, and no content that stays loses its image (walk %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const contents = [one(), two(), three(), four(), Buffer.from('no picture 1'), Buffer.from('no picture 2')];
      const names = ['a.jpg', 'b.jpg', 'c.jpg', 'd/a.jpg', 'd/b.jpg', 'e/f/a.jpg'];
      const catalog = await library.catalogOf({ 'stays.jpg': await aPicture(99) }); // an emptied folder would be taken for offline
      const files = new Map([['stays.jpg', await aPicture(99)]]);
      let clock = 1_700_000_000_000;
      for (let round = 0; round < 12; round += 1) {
        const owners = await ownersOf(catalog.images());
        for (let change = 0; change <= random(4); change += 1) {
          const [path, other] = [pick(names, random), pick(names, random)];
          const content = files.get(path);
          const kind = random(4);
          if (kind === 0 || content === undefined) {
            const fresh = pick(contents, random);
            files.set(path, fresh);
            await catalog.write(path, fresh);
            await catalog.touch(path, new Date((clock += 1_000)));
          } else if (kind === 1) {
            files.delete(path);
            await catalog.remove(path);
          } else if (kind === 2 && path !== other) {
            files.delete(path);
            files.set(other, content);
            await catalog.rename(path, other);
          } else {
            await catalog.touch(path, new Date((clock += 1_000)));
          }
        }
        await catalog.analyze();
        const images = await catalog.images();
        const active = images.filter(({ state }) => state === 'active');
        expect(active.map(({ path }) => path).sort()).toEqual([...files.keys()].sort());
        expect(images.filter(({ due, state }) => due || state === 'pending')).toEqual([]);
        expect(new Set(images.map(({ id }) => id)).size).toBe(images.length);
        for (const { path, checksum } of active) expect([path, checksum]).toEqual([path, sha256(files.get(path))]);
        // A content that exactly one image had, and that exactly one file has now, still is that image.
        for (const [checksum, ids] of await ownersOf(
          Promise.resolve(images.filter(({ state }) => state !== 'missing')),
        )) {
          const [before, another] = owners.get(checksum) ?? [];
          if (before !== undefined && another === undefined && ids.length === 1)
            expect([checksum, ids]).toEqual([checksum, [before]]);
        }
        const versions = await catalog.rowVersions();
        expect(await catalog.analyze()).toMatchObject({ up_to_date: true });
        expect(await catalog.rowVersions()).toBe(versions);
      }
    },
  );
});

async function ownersOf(
  listed: Promise<readonly { checksum: string | null; id: string }[]>,
): Promise<Map<string, string[]>> {
  const owners = new Map<string, string[]>();
  for (const { checksum, id } of await listed)
    if (checksum !== null) owners.set(checksum, [...(owners.get(checksum) ?? []), id]);
  return owners;
}

const sha256 = (content: Buffer | undefined): string =>
  createHash('sha256')
    .update(content ?? '')
    .digest('hex');

const pick = <Item>(items: readonly Item[], random: (below: number) => number): Item => items[random(items.length)]!;

/** Whole numbers below a limit; the same seed gives the same ones (a linear congruential generator). */
function seededRandom(seed: number): (below: number) => number {
  let state = seed * 7_919;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}
