import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';
import { AppError, invalid } from '../platform/errors/app-error.js';
import { bytesOfText } from './stored-path.js';

/** Where a photo lies: a root (absolute, without symbolic links) and a stored path below it. */
export interface PhotoPlace {
  readonly rootPath: string;
  readonly path: string;
}

const SEPARATOR = Buffer.from('/');
/** Non-blocking: opening a pipe must not wait for a writer. (A flag that the platform lacks is undefined, which counts as 0.) */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The bytes of the absolute path. @throws invalid `outside_root` for a path that is not one below the root. */
export function bytesOfPlace({ rootPath, path }: PhotoPlace): Buffer {
  const steps = path.split('/');
  if (path.includes('\0') || steps.some((step) => step === '' || step === '.' || step === '..')) throw outside(path);
  return Buffer.concat([bytesOfText(rootPath === '/' ? '' : rootPath), SEPARATOR, bytesOfText(path)]);
}

/**
 * Opens a photo for reading and makes sure that what was opened is a regular file inside the root, whatever has become
 * of the folders on the way since they were listed: no symbolic link leads out, and none is the file itself. The caller
 * closes the handle.
 * @throws invalid `outside_root`; the system's own error (ENOENT, EACCES, EIO, …) when it cannot be opened.
 */
export async function openPhoto(place: PhotoPlace): Promise<FileHandle> {
  const path = bytesOfPlace(place);
  const handle = await open(path, OPEN_FLAGS).catch((error: unknown) => {
    throw isErrno(error, 'ELOOP') ? outside(place.path, error) : error;
  });
  try {
    if (!(await handle.stat()).isFile() || !isInside(await realPathOf(handle, path), bytesOfText(place.rootPath))) {
      throw outside(place.path);
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The path by which this process and its children reach an open file, whatever has become of its name; Linux only. */
export const descriptorPath = (handle: FileHandle): string | undefined =>
  process.platform === 'linux' ? `/proc/${process.pid}/fd/${handle.fd}` : undefined;

/** The system's code of an error (`ENOENT`), if it has one. */
export const errnoOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;

export const isErrno = (error: unknown, ...codes: string[]): boolean => codes.includes(errnoOf(error) ?? '');

export const isOutsideRoot = (error: unknown): boolean => error instanceof AppError && error.code === 'outside_root';

/** Where an open file really is. Without /proc: where its name leads, if that is still the same file. */
async function realPathOf(handle: FileHandle, path: Buffer): Promise<Buffer> {
  if (process.platform === 'linux') return readlink(`/proc/self/fd/${handle.fd}`, 'buffer');
  const real = await realpath(path, 'buffer');
  const [opened, named] = await Promise.all([handle.stat({ bigint: true }), stat(real, { bigint: true })]);
  return opened.dev === named.dev && opened.ino === named.ino ? real : Buffer.alloc(0);
}

function isInside(path: Buffer, root: Buffer): boolean {
  const prefix = root.equals(SEPARATOR) ? root : Buffer.concat([root, SEPARATOR]);
  return path.length > prefix.length && path.subarray(0, prefix.length).equals(prefix);
}

const outside = (path: string, cause?: unknown): AppError =>
  invalid('outside_root', `${path} is not a file inside the catalogue's folder`, { cause });
