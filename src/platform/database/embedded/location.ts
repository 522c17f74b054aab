import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { conflict, invalid } from '../../errors/app-error.js';
import { ignore, systemErrorCode } from './system-error.js';
import { closedFolder, serverOwner, type ServerOwner } from './server-owner.js';

/** Where root keeps the clusters of data folders that the server's user cannot reach. */
const STATE_ROOT = '/var/lib/photosafe';

export interface Home {
  /** Holds data/ (the cluster), run/ (the socket), server.log and password. No symbolic links in it. */
  readonly path: string;
  readonly owner: ServerOwner | undefined;
  /** Set when the home had to be put outside of the data folder just now: the folder that made it necessary. */
  readonly movedBecauseOf?: string;
}

/**
 * Finds or makes the home of a data folder's cluster: `<data folder>/postgres`. Root lends the server to another user;
 * when a folder above is closed to that one (a clone in /root), the home is made in `stateRoot`, and the file
 * `postgres-is-at` in the data folder says where.
 */
export async function locateHome(dataDir: string, stateRoot = STATE_ROOT): Promise<Home> {
  const firstMade = await makeDataDir(dataDir);
  const base = await realpath(dataDir);
  const pointer = join(base, 'postgres-is-at');
  const elsewhere = await readPointer(pointer);
  if (elsewhere !== undefined) return existingElsewhere(elsewhere, base);
  const preferred = join(base, 'postgres');
  const owner = await serverOwner(join(preferred, 'data'));
  if (owner) await grantPassage(owner, base, firstMade ?? base);
  const closed = owner && (await closedFolder(owner, base));
  if (!owner || !closed) {
    await inDataDir(dataDir, () => makeFolder(preferred, owner ? 0o711 : 0o700));
    if (owner && (await stat(preferred)).uid === 0) await chmod(preferred, 0o711);
    return { path: preferred, owner };
  }
  if (await isFolder(join(preferred, 'data'))) throw closedTo(owner, closed, `so ${preferred} cannot be used any more`);
  return moveOut({ base, pointer, stateRoot, owner, closed });
}

async function moveOut(move: {
  base: string;
  pointer: string;
  stateRoot: string;
  owner: ServerOwner;
  closed: string;
}): Promise<Home> {
  const path = join(move.stateRoot, randomBytes(8).toString('hex'));
  try {
    if (await mkdir(move.stateRoot, { recursive: true })) await chmod(move.stateRoot, 0o711);
    await mkdir(path);
    await chmod(path, 0o711);
    await writeFile(join(path, 'data-dir'), move.base);
  } catch (error) {
    throw closedTo(move.owner, move.closed, `and ${path} cannot be made (${(error as Error).message})`);
  }
  try {
    await writeFile(move.pointer, path, { flag: 'wx' });
  } catch (error) {
    await rm(path, { recursive: true });
    ignore('EEXIST')(error);
    return existingElsewhere((await readPointer(move.pointer)) ?? '', move.base);
  }
  return { path, owner: move.owner, movedBecauseOf: move.closed };
}

/** A copied data folder points to the same cluster as its original; two libraries must not share one. */
async function existingElsewhere(path: string, base: string): Promise<Home> {
  const madeFor = await readPointer(join(path, 'data-dir'));
  if (madeFor !== undefined && madeFor !== base) {
    if ((await readPointer(join(madeFor, 'postgres-is-at'))) === path) {
      throw conflict(
        'embedded_postgres_shared',
        `${join(base, 'postgres-is-at')} leads to the database of ${madeFor}. If ${base} is a copy of it, delete that file.`,
      );
    }
    await writeFile(join(path, 'data-dir'), base);
  }
  if (!(await isFolder(path))) {
    throw conflict(
      'embedded_postgres_lost',
      `The database of ${base} should be in ${path}, which does not exist. Put it back, or delete ` +
        `${join(base, 'postgres-is-at')} to begin with an empty one.`,
    );
  }
  return { path: await realpath(path), owner: await serverOwner(join(path, 'data')) };
}

/** Gives the outermost folder that had to be made. */
const makeDataDir = (dataDir: string): Promise<string | undefined> => inDataDir(dataDir, () => makeFolder(dataDir));

/** What cannot be made there will not be by itself, unless it is room that is missing. */
async function inDataDir<T>(dataDir: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (['ENOSPC', 'EDQUOT'].includes(systemErrorCode(error) ?? '')) throw error;
    throw invalid(
      'data_dir_unusable',
      `The data folder ${dataDir} cannot be made or written (${(error as Error).message}); set PHOTOSAFE_DATA_DIR`,
      { cause: error },
    );
  }
}

/**
 * Makes a folder with those above it; gives the outermost one that was made. Node's own way (`recursive`) never ends where the
 * kernel makes no folders (/proc), and calls a read-only file system a missing one.
 */
async function makeFolder(path: string, mode?: number): Promise<string | undefined> {
  try {
    await mkdir(path, { mode });
    return path;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST' && (await isFolder(path))) return undefined;
    if (systemErrorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    const outermost = await makeFolder(dirname(path));
    await mkdir(path, { mode }).catch(ignore('EEXIST')); // of the same by somebody else
    return outermost ?? path;
  }
}

/**
 * Lets the server's user, and nobody else, pass through the data folder and the folders that were made for it just now,
 * where they are root's alone (mktemp, a strict umask). Other folders are left as they are.
 */
async function grantPassage(owner: ServerOwner, base: string, outermost: string): Promise<void> {
  for (let folder = base; folder.length >= outermost.length && folder !== dirname(folder); folder = dirname(folder)) {
    const { uid, mode } = await stat(folder);
    if (uid !== 0 || (mode & 0o077) !== 0) continue;
    await chown(folder, 0, owner.gid);
    await chmod(folder, (mode & 0o700) | 0o010);
  }
}

function closedTo(owner: ServerOwner, folder: string, consequence: string): Error {
  return invalid(
    'embedded_postgres_closed_folder',
    `${folder} is closed to the user "${owner.name}", whom PostgreSQL runs as because it does not run as root, ${consequence}. ` +
      'Set PHOTOSAFE_DATA_DIR to a folder elsewhere, run PhotoSafe as an ordinary user, or set DATABASE_URL.',
  );
}

const readPointer = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
