import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Settings } from '../../platform/config/settings.js';
import { Database } from '../../platform/database/database.js';
import type { Sql } from '../../platform/database/transaction.js';
import { ARCHIVE_LINES, KEEP_ARCHIVE, KNOWN_ARCHIVES, LIST_ARCHIVES } from './retention.sql.js';

/** Read at once; results may have a megabyte each. */
const TASKS_A_READ = 50;
/** A file that no row names is being written, or its writer is gone: after so long it is. */
const STRAY_AFTER_MS = 24 * 3_600_000;
/** Tasks hold what people typed: no other user of the machine may look in. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** The attempt that writes. */
export interface ArchiveWriter {
  readonly taskId: string;
  readonly fence: number;
}

/** A file that is whole and on the disk, but holds nothing that was removed until {@link TaskArchive.keep}. */
export interface ArchiveFile {
  readonly name: string;
  readonly removedBy: string;
  readonly tasks: number;
  readonly sizeBytes: number;
  readonly checksum: Buffer;
}

/** An archive of tasks that were removed. */
export interface Archive {
  readonly name: string;
  readonly removed_by: string;
  readonly tasks: number;
  readonly size_bytes: string;
  readonly checksum: string;
  readonly created_at: Date;
}

/**
 * Removed tasks as gzipped JSON Lines below the data folder: a task a line, with its audit trail. A file is written once,
 * under a name that no other attempt uses, and counts from the moment a row of task_archives names it; that row is
 * written in the transaction that removes the tasks. So each removed task is in exactly one file, whenever the process dies.
 */
@Injectable()
export class TaskArchive {
  readonly folder: string;

  constructor(
    private readonly database: Database,
    settings: Settings,
  ) {
    this.folder = join(settings.dataDir, 'archives', 'tasks');
  }

  /** Writes tasks to file `number` of an attempt; on the disk when this resolves. */
  async write(ids: readonly string[], number: number, { taskId, fence }: ArchiveWriter): Promise<ArchiveFile> {
    const name = `${taskId}/${String(fence).padStart(6, '0')}-${String(number).padStart(6, '0')}.jsonl.gz`;
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    const digest = createHash('sha256');
    const watch = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        digest.update(chunk);
        done(null, chunk);
      },
    });
    const file = createWriteStream(path, { mode: FILE_MODE, flags: 'wx', flush: true });
    try {
      await pipeline(Readable.from(this.lines(ids)), createGzip(), watch, file);
      for (const folder of [dirname(path), this.folder]) await syncFolder(folder);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return { name, removedBy: taskId, tasks: ids.length, sizeBytes: file.bytesWritten, checksum: digest.digest() };
  }

  /** From the commit of this transaction on the file counts. */
  async keep(tx: Sql, { name, removedBy, tasks, sizeBytes, checksum }: ArchiveFile): Promise<void> {
    await tx.query(KEEP_ARCHIVE, [name, removedBy, tasks, sizeBytes, checksum]);
  }

  async discard({ name }: ArchiveFile): Promise<void> {
    await rm(join(this.folder, name), { force: true });
  }

  /** Oldest first, after the one that is named. */
  list(after: string, limit: number): Promise<Archive[]> {
    return this.database.query<Archive>(LIST_ARCHIVES, [after, limit]);
  }

  /** Deletes what attempts left that died before they could remove what they had written. */
  async removeStrays(writer: ArchiveWriter, now: Date): Promise<void> {
    for (const folder of await namesIn(this.folder)) {
      const names = (await namesIn(join(this.folder, folder))).map((file) => `${folder}/${file}`);
      const known = await this.database.query<{ name: string }>(KNOWN_ARCHIVES, [names]);
      const kept = new Set(known.map(({ name }) => name));
      for (const name of names.filter((one) => !kept.has(one))) {
        if (await this.isAbandoned(name, writer, now)) await rm(join(this.folder, name), { force: true });
      }
    }
  }

  private async isAbandoned(name: string, { taskId, fence }: ArchiveWriter, now: Date): Promise<boolean> {
    const [folder, file = ''] = name.split('/');
    if (folder === taskId) return Number.parseInt(file, 10) < fence;
    const found = await stat(join(this.folder, name)).catch(() => undefined);
    return found !== undefined && now.getTime() - found.mtimeMs > STRAY_AFTER_MS;
  }

  private async *lines(ids: readonly string[]): AsyncGenerator<string> {
    for (let start = 0; start < ids.length; start += TASKS_A_READ) {
      const some = ids.slice(start, start + TASKS_A_READ);
      for (const { line } of await this.database.query<{ line: string }>(ARCHIVE_LINES, [some])) yield `${line}\n`;
    }
  }
}

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  });

/** A new file is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined); // Windows opens no folders
  try {
    await folder?.sync();
  } finally {
    await folder?.close();
  }
}
