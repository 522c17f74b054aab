import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { boundedParallel } from '../bounded-parallel.js';
import { SNIFFED_BYTES, sniffFormat } from '../metadata/sniff-format.js';
import { bytesOfPlace, isErrno, isOutsideRoot, openPhoto } from '../photo-file.js';
import { bytesOfText, shownText, textOfName } from '../stored-path.js';
import { type FileKind, fileKind, isSkippedFolder } from './file-kind.js';
import { type ListedFile, type ListedPhoto, withSidecars } from './sidecars.js';

/** Something of a root that could not be looked at. What is known to lie beneath is left as it is. */
export interface ScanProblem {
  /** Relative to the root; ends in a slash for a folder. */
  readonly path: string;
  readonly code: 'unreadable' | 'path_too_long';
  readonly message: string;
}

export interface FolderListing {
  /** Relative to the root; empty for the root itself, else it ends in a slash. */
  readonly folder: string;
  readonly photos: readonly ListedPhoto[];
  readonly sidecars: number;
  /** Everything else that is not a folder: other kinds of file, hidden files, symbolic links, devices. */
  readonly ignored: number;
  readonly problems: readonly ScanProblem[];
  /** False when it could not be listed: nothing in or beneath it may count as gone. */
  readonly readable: boolean;
}

/**
 * The longest path that is catalogued, in bytes. Systems allow 4,096 and PostgreSQL's index entries 2,704.
 */
const LONGEST_PATH_BYTES = 2_400;
/** Answers wait for the disk, not for us: more than libuv's threads only queue, fewer leave a slow share idle. */
const STATS_AT_ONCE = 16;
const SLASH = Buffer.from('/');

/**
 * Lists a root folder by folder, depth first, holding one folder and the names of those still to visit. Symbolic links
 * are never followed, so that nothing outside the root is seen and no loop exists. `leaveOut`: absolute folders that are
 * not part of the library (our own data).
 * @throws the system's error when the root itself cannot be listed.
 */
export async function* walkRoot(
  rootPath: string,
  options: { readonly leaveOut?: readonly string[]; readonly signal?: AbortSignal } = {},
): AsyncGenerator<FolderListing> {
  const leaveOut = new Set(options.leaveOut);
  const toVisit = [''];
  for (let folder = toVisit.pop(); folder !== undefined; folder = toVisit.pop()) {
    options.signal?.throwIfAborted();
    try {
      const { listing, folders } = await listFolder(rootPath, folder);
      toVisit.push(...folders.filter((inner) => !leaveOut.has(`${rootPath}/${inner.slice(0, -1)}`)).reverse());
      yield listing;
    } catch (error) {
      if (folder === '') throw error;
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) yield unreadable(folder, error);
    }
  }
}

async function listFolder(rootPath: string, folder: string): Promise<{ listing: FolderListing; folders: string[] }> {
  const path = folder === '' ? bytesOfText(rootPath) : bytesOfPlace({ rootPath, path: folder.slice(0, -1) });
  if (!(await realpath(path, 'buffer')).equals(path)) throw vanished(); // a link has taken the folder's place
  const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
  const found = new FoundEntries(folder);
  await boundedParallel(entries, STATS_AT_ONCE, (entry) => look(entry, { rootPath, path, found }));
  return { listing: found.listing(), folders: found.folders.sort() };
}

interface Looking {
  readonly rootPath: string;
  readonly path: Buffer;
  readonly found: FoundEntries;
}

async function look(entry: Dirent<Buffer>, { rootPath, path, found }: Looking): Promise<void> {
  const name = textOfName(entry.name);
  const kind = fileKind(name);
  if (entry.isDirectory()) found.addFolder(name);
  else if (kind === 'other' || entry.isSymbolicLink()) found.ignore();
  else {
    const stats = await lstat(Buffer.concat([path, SLASH, entry.name]), { bigint: true }).catch(undefinedIfGone);
    // Some file systems tell the type only here.
    if (stats?.isDirectory()) found.addFolder(name);
    else if (stats?.isFile()) await lookAtFile(name, kind, { rootPath, found, stats });
    else if (stats !== undefined) found.ignore();
  }
}

async function lookAtFile(
  name: string,
  kind: FileKind,
  { rootPath, found, stats }: { rootPath: string; found: FoundEntries; stats: BigIntStats },
): Promise<void> {
  const file = { name, sizeBytes: Number(stats.size), modifiedUs: microseconds(stats.mtimeNs) };
  if (found.isTooLong(name)) found.refuse(name);
  else if (kind === 'sidecar') found.sidecars.push(file);
  else if (kind === 'photo' || (await beginsLikePicture(rootPath, found.folder + name))) found.photos.push(file);
  else found.ignore();
}

/** What one folder holds, as it comes to light. */
class FoundEntries {
  readonly photos: ListedFile[] = [];
  readonly sidecars: ListedFile[] = [];
  readonly folders: string[] = [];
  private readonly problems: ScanProblem[] = [];
  private ignored = 0;

  constructor(readonly folder: string) {}

  ignore(): void {
    this.ignored += 1;
  }

  addFolder(name: string): void {
    if (isSkippedFolder(name)) return;
    if (this.isTooLong(`${name}/`)) this.refuse(`${name}/`);
    else this.folders.push(`${this.folder}${name}/`);
  }

  isTooLong(name: string): boolean {
    return Buffer.byteLength(this.folder) + Buffer.byteLength(name) > LONGEST_PATH_BYTES;
  }

  refuse(name: string): void {
    if (!name.endsWith('/')) this.ignore();
    const message = `its path has more than ${LONGEST_PATH_BYTES} bytes`;
    this.problems.push({ path: this.folder + name, code: 'path_too_long', message });
  }

  listing(): FolderListing {
    const { folder, sidecars, ignored, problems } = this;
    const photos = withSidecars(this.photos.sort(byName), sidecars.sort(byName));
    return { folder, photos, sidecars: sidecars.length, ignored, problems, readable: true };
  }
}

const byName = (a: ListedFile, b: ListedFile): number => (a.name < b.name ? -1 : 1);

async function beginsLikePicture(rootPath: string, path: string): Promise<boolean> {
  try {
    const handle = await openPhoto({ rootPath, path });
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0);
      return sniffFormat(buffer.subarray(0, bytesRead)).kind === 'picture';
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM') || isOutsideRoot(error)) return false;
    throw error;
  }
}

/** Years outside 1–9999 come from broken file systems; the database could not keep them. */
const EARLIEST_US = -62_135_596_800_000_000n;
const LATEST_US = 253_402_300_799_000_000n;

function microseconds(nanoseconds: bigint): bigint {
  const us = nanoseconds / 1_000n;
  return us < EARLIEST_US ? EARLIEST_US : us > LATEST_US ? LATEST_US : us;
}

function unreadable(folder: string, error: unknown): FolderListing {
  const message = `${shownText(folder)}: ${error instanceof Error ? error.message : String(error)}`;
  const problem: ScanProblem = { path: folder, code: 'unreadable', message };
  return { folder, photos: [], sidecars: 0, ignored: 0, problems: [problem], readable: false };
}

const vanished = (): Error => Object.assign(new Error('the folder has gone'), { code: 'ENOENT' });

function undefinedIfGone(error: unknown): undefined {
  if (isErrno(error, 'ENOENT')) return undefined;
  throw error;
}
