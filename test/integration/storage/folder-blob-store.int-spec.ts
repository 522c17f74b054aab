import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { AppError } from '../../../src/platform/errors/app-error.js';
import { FolderBlobStore } from '../../../src/storage/index.js';

let root: string;
let store: FolderBlobStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'photosafe-blobs-'));
  store = new FolderBlobStore(join(root, 'blobs'));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

const text = async (key: string): Promise<string> => (await buffer(await store.read(key))).toString();

const keys = async (prefix: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found.sort();
};

/** What a put leaves besides its blob. */
const leftovers = (): Promise<string[]> => readdir(join(root, 'blobs', '.tmp'));

describe('FolderBlobStore', () => {
  it.each([{ durable: true }, { durable: false }])('gives back what was put into it (%j)', async (options) => {
    const bytes = randomBytes(300_000);

    await expect(store.put('a/b/bytes', bytes, options)).resolves.toEqual({ sizeBytes: 300_000 });
    await expect(store.put('a/b/stream', Readable.from([bytes, bytes]), options)).resolves.toEqual({
      sizeBytes: 600_000,
    });
    await expect(store.put('empty', new Uint8Array(), options)).resolves.toEqual({ sizeBytes: 0 });

    expect(await buffer(await store.read('a/b/bytes'))).toEqual(bytes);
    expect(await buffer(await store.read('a/b/stream'))).toEqual(Buffer.concat([bytes, bytes]));
    await expect(store.stat('empty')).resolves.toMatchObject({ sizeBytes: 0 });
    expect(Math.abs(Date.now() - ((await store.stat('empty'))?.modifiedAt.getTime() ?? 0))).toBeLessThan(60_000);
    await expect(leftovers()).resolves.toEqual([]);
  });

  it('streams what does not fit into memory at once', async () => {
    const hash = createHash('sha256');
    const chunk = randomBytes(1024 * 1024);
    const source = Readable.from(
      (function* () {
        for (let count = 0; count < 64; count++) {
          hash.update(chunk);
          yield chunk;
        }
      })(),
    );
    await store.put('large', source, { durable: false });

    const read = createHash('sha256');
    for await (const part of await store.read('large')) read.update(part as Buffer);

    expect(read.digest('hex')).toBe(hash.digest('hex'));
  });

  it('knows what it has not got', async () => {
    await store.put('a/b', Buffer.from('x'));

    await expect(store.stat('a/c')).resolves.toBeUndefined();
    await expect(store.exists('a/b/c')).resolves.toBe(false);
    await expect(store.exists('a')).resolves.toBe(false);
    await expect(store.delete('a/c')).resolves.toBe(false);
    await expect(store.read('a/c')).rejects.toMatchObject({
      constructor: AppError,
      kind: 'not-found',
      code: 'blob_not_found',
    });
  });

  it('replaces a blob in one step: readers see the old one or the new one, whole', async () => {
    const versions = ['1'.repeat(100_000), '2'.repeat(200_000)];
    await store.put('k', Buffer.from(versions[0]!));
    const begun = await store.read('k');
    const reads: Promise<string>[] = [];
    for (let round = 0; round < 20; round++) {
      const put = store.put('k', Readable.from([Buffer.from(versions[round % 2]!)]), { durable: false });
      for (let reader = 0; reader < 5; reader++) reads.push(text('k'));
      await put;
    }

    expect((await Promise.all(reads)).every((content) => versions.includes(content))).toBe(true);
    expect((await buffer(begun)).toString()).toBe(versions[0]);
  });

  it('keeps the old blob and leaves nothing when the source of a new one breaks', async () => {
    await store.put('k', Buffer.from('old'));
    const breaking = Readable.from(
      (function* () {
        yield Buffer.from('ne');
        throw new Error('the client went away');
      })(),
    );

    await expect(store.put('k', breaking)).rejects.toThrow('the client went away');

    await expect(text('k')).resolves.toBe('old');
    await expect(leftovers()).resolves.toEqual([]);
  });

  it('deletes blobs and whole folders', async () => {
    for (const key of ['t/0a/one/256', 't/0a/one/512', 't/0a/two/256', 't/0b/x'])
      await store.put(key, Buffer.from(key));

    await expect(store.delete('t/0b/x')).resolves.toBe(true);
    await store.deletePrefix('t/0a/one/');
    await store.deletePrefix('t/never/was/');
    expect(await keys('')).toEqual(['t/0a/two/256']);

    await store.deletePrefix('');
    expect(await keys('')).toEqual([]);
  });

  it('lists folders and everything, without its own files', async () => {
    await mkdir(join(root, 'blobs', '.tmp'), { recursive: true });
    await writeFile(join(root, 'blobs', '.tmp', 'unfinished'), 'x');
    for (const key of ['a', 'b/c', 'b/d/e', 'bb/f']) await store.put(key, Buffer.from(key));

    expect(await keys('')).toEqual(['a', 'b/c', 'b/d/e', 'bb/f']);
    expect(await keys('b/')).toEqual(['b/c', 'b/d/e']);
    expect(await keys('none/')).toEqual([]);
  });

  it('refuses keys that lead out of its folder, before it looks at the disk', async () => {
    await writeFile(join(root, 'secret'), 'x');
    const refused = { kind: 'invalid', code: 'bad_blob_key' };

    await expect(store.read('../secret')).rejects.toMatchObject(refused);
    await expect(store.put('a/../../secret', Buffer.from('y'))).rejects.toMatchObject(refused);
    await expect(store.stat('/etc/passwd')).rejects.toMatchObject(refused);
    await expect(store.delete('.tmp/x')).rejects.toMatchObject(refused);
    await expect(store.deletePrefix('../')).rejects.toMatchObject(refused);
    await expect(keys('a/../')).rejects.toMatchObject(refused);
    expect(await readdir(root)).toEqual(['secret']);
  });

  it('lets no other user look in', async () => {
    await store.put('a/b', Buffer.from('x'));

    const modes = await Promise.all(['', 'a', 'a/b'].map((path) => stat(join(root, 'blobs', path))));

    expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '700', '600']);
  });

  it('removes what dead writers left, and leaves the files of living ones', async () => {
    const folder = join(root, 'blobs', '.tmp');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'abandoned'), 'x');
    await writeFile(join(folder, 'growing'), 'x');
    const now = new Date();
    await utimes(join(folder, 'abandoned'), now, new Date(now.getTime() - 3_601_000));

    await expect(store.sweep(3_600_000, now)).resolves.toBe(1);

    await expect(leftovers()).resolves.toEqual(['growing']);
  });

  it('has nothing to sweep before its first blob', async () => {
    await expect(store.sweep(0, new Date())).resolves.toBe(0);
  });

  const whereMountIsAllowed = mayMount() ? it : it.skip;

  whereMountIsAllowed('says when the disk is full, keeps what is there, and leaves no unfinished file', async () => {
    const disk = join(root, 'disk');
    await mkdir(disk);
    mountSmallDisk(disk);
    try {
      const small = new FolderBlobStore(disk);
      await small.put('k', Buffer.from('old'));
      const full = { constructor: AppError, kind: 'unavailable', code: 'storage_full' };

      await expect(small.put('k', randomBytes(400_000))).rejects.toMatchObject(full);
      await expect(small.put('s', Readable.from([randomBytes(200_000), randomBytes(200_000)]))).rejects.toMatchObject(
        full,
      );

      expect((await buffer(await small.read('k'))).toString()).toBe('old');
      expect(await readdir(join(disk, '.tmp'))).toEqual([]);
      await expect(small.put('room', randomBytes(100_000))).resolves.toEqual({ sizeBytes: 100_000 });
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

function mountSmallDisk(folder: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'ignore' });
}

/** Takes a privileged user, in a container a privileged container. */
function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'photosafe-mount-'));
  try {
    mountSmallDisk(folder);
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}
