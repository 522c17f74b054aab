import type { FileHandle } from 'node:fs/promises';
import { withPhotoFile } from '../metadata/photo-file.js';
import { readFacts } from '../metadata/read-photo.js';
import { readSidecars } from '../metadata/sidecars.js';
import type { PhotoProblem } from '../photo-facts.js';
import { bytesOfPlace, descriptorPath, errnoOf, isErrno, isOutsideRoot, openPhoto } from '../photo-file.js';
import { shownText } from '../stored-path.js';
import type { Reading } from './content-columns.js';
import type { FileToRead } from './readings.repository.js';

/** `gone`: not there any more, or no longer a file inside the root; the next scan sees to it. */
export type ReadOutcome = Reading | { readonly unreadable: PhotoProblem } | 'gone';

/**
 * Reads one photo. What is opened is what was checked to lie inside the root: its descriptor is read, so that nothing on
 * the way to it can be exchanged in between (without /proc, its name is).
 * @throws what would befall any file: the signal's reason, or the process being out of descriptors or memory.
 */
export async function readFile(file: FileToRead, signal: AbortSignal): Promise<ReadOutcome> {
  try {
    return await withOpened(file, file.name, (path) => readOpened(file, path, signal));
  } catch (error) {
    signal.throwIfAborted();
    if (isErrno(error, 'ENOENT', 'ENOTDIR') || isOutsideRoot(error)) return 'gone';
    if (!isErrno(error, ...UNREADABLE)) throw error;
    return {
      unreadable: {
        severity: 'error',
        code: 'unreadable',
        message: `The file cannot be read (${errnoOf(error) ?? 'unknown'}).`,
      },
    };
  }
}

/** What is wrong with one file or its disk, as against what is wrong with this process. */
const UNREADABLE = [
  'EACCES',
  'EPERM',
  'EIO',
  'ENXIO',
  'ENODEV',
  'ESTALE',
  'EINVAL',
  'EISDIR',
  'ETIMEDOUT',
  'EBADMSG',
  'EUCLEAN',
];

async function readOpened(file: FileToRead, path: string, signal: AbortSignal): Promise<Reading> {
  return withPhotoFile(path, signal, async ({ checksum, sizeBytes, modifiedAt, source }) => {
    const problems: PhotoProblem[] = [];
    const sidecar = await readSidecarsOf(file, problems);
    const shownPath = `${file.rootPath}/${shownText(file.folder + file.name)}`;
    const facts = await readFacts(source, { path: shownPath, modifiedAt, now: new Date(), sidecar }, problems);
    return { checksum, sizeBytes, modifiedAt, facts, problems };
  });
}

/** A sidecar that has gone since the scan, or that leads out of the root, does not speak. */
async function readSidecarsOf(file: FileToRead, problems: PhotoProblem[]): ReturnType<typeof readSidecars> {
  const handles: FileHandle[] = [];
  try {
    const paths: string[] = [];
    for (const name of file.sidecars) {
      const handle = await openPhoto(placeOf(file, name)).catch(() => undefined);
      if (handle === undefined) continue;
      handles.push(handle);
      paths.push(pathOf(handle, file, name));
    }
    return await readSidecars(paths, problems);
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
}

async function withOpened<T>(file: FileToRead, name: string, work: (path: string) => Promise<T>): Promise<T> {
  const handle = await openPhoto(placeOf(file, name));
  try {
    return await work(pathOf(handle, file, name));
  } finally {
    await handle.close();
  }
}

const placeOf = ({ rootPath, folder }: FileToRead, name: string): { rootPath: string; path: string } => ({
  rootPath,
  path: folder + name,
});

const pathOf = (handle: FileHandle, file: FileToRead, name: string): string =>
  descriptorPath(handle) ?? bytesOfPlace(placeOf(file, name)).toString();
