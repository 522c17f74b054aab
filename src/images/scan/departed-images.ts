import { readdir, realpath } from 'node:fs/promises';
import { bytesOfPlace, isErrno } from '../photo-file.js';
import { bytesOfText, textOfName } from '../stored-path.js';
import type { KnownImage } from './compare-folder.js';
import type { FolderListing } from './walk-root.js';

/** Images of a root whose files a scan has not come across, and what the scan could not see. */
export class DepartedImages {
  private readonly byFolder = new Map<string, KnownImage[]>();
  private readonly folders = new Set<string>();
  private readonly unreadable: string[] = [];

  visited({ folder, readable, problems }: FolderListing): void {
    this.folders.add(folder);
    if (!readable) this.unreadable.push(folder);
    for (const { path } of problems) if (path.endsWith('/')) this.unreadable.push(path);
  }

  /** A folder that was neither come across nor lies where we may not look. */
  isGone(folder: string): boolean {
    return !this.folders.has(folder) && !this.unreadable.some((unreadable) => folder.startsWith(unreadable));
  }

  add(folder: string, image: KnownImage): void {
    const images = this.byFolder.get(folder);
    if (images === undefined) this.byFolder.set(folder, [image]);
    else images.push(image);
  }

  /**
   * Ids of those that are really not there. Looked for once more, because another scan may have added an image after
   * this one had listed its folder; by listing, because a file system that ignores letter case finds a file by its old
   * name as well.
   */
  async confirmed(rootPath: string): Promise<string[]> {
    const ids: string[] = [];
    for (const [folder, images] of this.byFolder) {
      const there = await namesIn(rootPath, folder);
      if (there !== 'unknown') ids.push(...images.filter(({ name }) => !there.has(name)).map(({ id }) => id));
    }
    return ids;
  }
}

async function namesIn(rootPath: string, folder: string): Promise<ReadonlySet<string> | 'unknown'> {
  const path = folder === '' ? bytesOfText(rootPath) : bytesOfPlace({ rootPath, path: folder.slice(0, -1) });
  try {
    if (!(await realpath(path, 'buffer')).equals(path)) return new Set();
    const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
    const files = entries.filter((entry) => !entry.isSymbolicLink() && !entry.isDirectory());
    return new Set(files.map(({ name }) => textOfName(name)));
  } catch (error) {
    return isErrno(error, 'ENOENT', 'ENOTDIR') ? new Set() : 'unknown';
  }
}
