import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { bytesOfPlace, isErrno } from '../photo-file.js';
import { walkRoot } from '../scan/walk-root.js';
import type { OfflineReason, Root } from './root.js';

export type RootFinding =
  | { readonly state: 'online'; readonly fileSystemId: string }
  | { readonly state: 'offline'; readonly offlineReason: OfflineReason; readonly message: string };

/**
 * Tells a root whose photos may be taken as deleted when they are not there from one that is itself not there. Offline:
 * the folder cannot be listed; or the catalogue knows photos in it of which not one is there, and it either has no photo
 * at all (the mount point of a disk that is not mounted) or is another folder than before (another disk mounted there).
 * `knownPaths`: pages of paths that should be there.
 */
export async function probeRoot(
  root: Pick<Root, 'path' | 'fileSystemId'>,
  knownPaths: AsyncIterable<readonly string[]>,
): Promise<RootFinding> {
  const fileSystemId = await folderIdentity(root.path);
  if (typeof fileSystemId !== 'string') return fileSystemId;
  const online: RootFinding = { state: 'online', fileSystemId };
  const known = await findKnown(root.path, knownPaths);
  if (known !== 'none-is-there') return online;
  if (root.fileSystemId !== undefined && root.fileSystemId !== fileSystemId) {
    return offline('replaced', `${root.path} is another folder or disk than before, and has none of the known photos`);
  }
  return (await hasPhotos(root.path))
    ? online
    : offline('empty', `${root.path} has no photos any more: is its disk mounted?`);
}

/** True while the folder at the path is the one that was found there. */
export async function isStillThere(path: string, fileSystemId: string): Promise<boolean> {
  return (await folderIdentity(path)) === fileSystemId;
}

async function folderIdentity(path: string): Promise<string | (RootFinding & { state: 'offline' })> {
  try {
    if ((await realpath(path)) !== path) return offline('replaced', `${path} is a symbolic link now`);
    await readdir(path);
    const stats = await stat(path, { bigint: true });
    return `${stats.dev}:${stats.ino}`;
  } catch (error) {
    const reason = isErrno(error, 'EACCES', 'EPERM') ? 'unreadable' : 'vanished';
    return offline(reason, error instanceof Error ? error.message : String(error));
  }
}

async function findKnown(
  rootPath: string,
  knownPaths: AsyncIterable<readonly string[]>,
): Promise<'one-is-there' | 'none-is-there' | 'none-is-known'> {
  let answer: 'none-is-there' | 'none-is-known' = 'none-is-known';
  for await (const page of knownPaths) {
    for (const path of page) {
      answer = 'none-is-there';
      if (await isThere(rootPath, path)) return 'one-is-there';
    }
  }
  return answer;
}

/** Anything at the path counts; an error other than "not there" means that we cannot know. */
async function isThere(rootPath: string, path: string): Promise<boolean> {
  try {
    await lstat(bytesOfPlace({ rootPath, path }));
    return true;
  } catch (error) {
    return !isErrno(error, 'ENOENT', 'ENOTDIR');
  }
}

async function hasPhotos(rootPath: string): Promise<boolean> {
  for await (const { photos } of walkRoot(rootPath)) if (photos.length > 0) return true;
  return false;
}

const offline = (offlineReason: OfflineReason, message: string): RootFinding & { state: 'offline' } => ({
  state: 'offline',
  offlineReason,
  message,
});
