import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, opendir, rename, rm, stat, unlink, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { checkBlobKey, checkBlobPrefix } from './blob-key.js';
import { BlobStore, type BlobStat, type StoredBlob, type PutOptions } from './blob-store.js';
import { blobNotFound, isMissing, toStorageError } from './storage-errors.js';

/** Holds files being written; no key can name it. On the same file system as the blobs, so that a rename is atomic. */
const TEMPORARY = '.tmp';
/** Photos are private: no other user of the machine may look in. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Blobs as files below a folder, which several processes and machines may share. */
export class FolderBlobStore extends BlobStore {
  constructor(private readonly root: string) {
    super();
  }

  override async put(
    key: string,
    content: Uint8Array | Readable,
    { durable = true }: PutOptions = {},
  ): Promise<{ sizeBytes: number }> {
    const target = this.pathOf(key);
    const temporary = join(this.root, TEMPORARY, randomUUID());
    try {
      await makeFolder(dirname(temporary));
      const sizeBytes = await write(temporary, content, durable);
      await moveInto(temporary, target);
      if (durable) await syncFolder(dirname(target));
      return { sizeBytes };
    } catch (error) {
      await rm(temporary, { force: true });
      throw toStorageError(error);
    }
  }

  override async read(key: string): Promise<Readable> {
    const path = this.pathOf(key);
    const handle = await open(path).catch((error: unknown) => {
      throw isMissing(error) ? blobNotFound(key, error) : error;
    });
    return handle.createReadStream();
  }

  override async stat(key: string): Promise<BlobStat | undefined> {
    const path = this.pathOf(key);
    const found = await stat(path).catch(undefinedIfMissing);
    return found?.isFile() ? { sizeBytes: found.size, modifiedAt: found.mtime } : undefined;
  }

  override async exists(key: string): Promise<boolean> {
    return (await this.stat(key)) !== undefined;
  }

  override async delete(key: string): Promise<boolean> {
    const path = this.pathOf(key);
    return unlink(path).then(() => true, falseIfMissing);
  }

  override async deletePrefix(prefix: string): Promise<void> {
    checkBlobPrefix(prefix);
    for (const name of prefix === '' ? await this.topNames() : [prefix]) {
      await rm(join(this.root, name), { recursive: true, force: true });
    }
  }

  override async *list(prefix: string): AsyncGenerator<StoredBlob> {
    checkBlobPrefix(prefix);
    // Level by level instead of a recursive directory read: a store of millions of files is never held in memory.
    const folders = [prefix];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const entries = await opendir(join(this.root, folder)).catch(undefinedIfMissing);
      if (!entries) continue;
      for await (const entry of entries) {
        if (entry.name === TEMPORARY) continue;
        if (entry.isDirectory()) folders.push(`${folder}${entry.name}/`);
        else if (entry.isFile()) yield { key: `${folder}${entry.name}` };
      }
    }
  }

  /**
   * Deletes what writers left that died: temporary files that nobody has written to for `olderThanMs`. Gives their
   * number. Other processes may be writing, so nothing young is touched.
   */
  async sweep(olderThanMs: number, now: Date): Promise<number> {
    const entries = await opendir(join(this.root, TEMPORARY)).catch(undefinedIfMissing);
    let swept = 0;
    for await (const entry of entries ?? []) {
      const path = join(this.root, TEMPORARY, entry.name);
      const found = await stat(path).catch(undefinedIfMissing);
      if (!found || now.getTime() - found.mtimeMs < olderThanMs) continue;
      await rm(path, { force: true });
      swept += 1;
    }
    return swept;
  }

  private pathOf(key: string): string {
    checkBlobKey(key);
    return join(this.root, key);
  }

  private async topNames(): Promise<string[]> {
    const names: string[] = [];
    for await (const entry of (await opendir(this.root).catch(undefinedIfMissing)) ?? []) {
      if (entry.name !== TEMPORARY) names.push(entry.name);
    }
    return names;
  }
}

/** Writes a new file; gives its size. */
async function write(path: string, content: Uint8Array | Readable, durable: boolean): Promise<number> {
  if (content instanceof Uint8Array) {
    await writeFile(path, content, { mode: FILE_MODE, flag: 'wx', flush: durable });
    return content.byteLength;
  }
  const file = createWriteStream(path, { mode: FILE_MODE, flags: 'wx', flush: durable });
  await pipeline(content, file);
  return file.bytesWritten;
}

async function moveInto(temporary: string, target: string): Promise<void> {
  try {
    await rename(temporary, target);
  } catch (error) {
    // A blob's folder is made when it turns out to be missing: for most it is there.
    if (!isMissing(error)) throw error;
    await makeFolder(dirname(target));
    await rename(temporary, target);
  }
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: FOLDER_MODE });
}

/** A rename is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path);
    await folder.sync();
  } catch {
    // Windows opens no folders, and some network file systems do not sync them; the file itself is synced.
  } finally {
    await folder?.close();
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
  return undefined;
}

function falseIfMissing(error: unknown): false {
  if (!isMissing(error)) throw error;
  return false;
}
