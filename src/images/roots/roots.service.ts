import { Injectable } from '@nestjs/common';
import { Settings } from '../../platform/config/settings.js';
import { Database } from '../../platform/database/database.js';
import type { Sql, Transaction } from '../../platform/database/transaction.js';
import { checkFolders } from './check-folder.js';
import type { Root } from './root.js';
import { RootsRepository } from './roots.repository.js';

/** The folders that catalogues watch. A catalogue's own row is its feature's business; its roots are the images'. */
@Injectable()
export class RootsService {
  constructor(
    private readonly database: Database,
    private readonly settings: Settings,
    private readonly roots: RootsRepository,
  ) {}

  /** Ordered by path. */
  rootsOf(catalogId: string, sql: Sql = this.database): Promise<Root[]> {
    return this.roots.rootsOf(sql, [catalogId]);
  }

  /** @throws not-found `catalog_not_found`. */
  async assertCatalog(catalogId: string): Promise<void> {
    await this.roots.rootsOfCatalog(this.database, catalogId);
  }

  async rootsByCatalog(catalogIds: readonly string[]): Promise<ReadonlyMap<string, readonly Root[]>> {
    return byCatalog(await this.roots.rootsOf(this.database, catalogIds));
  }

  /** The catalogue, when there is exactly one. */
  async onlyCatalogId(): Promise<string | undefined> {
    const [only, another] = await this.roots.firstCatalogs(this.database);
    return another === undefined ? only : undefined;
  }

  /** The catalogue that watches this very folder (a real path); the oldest of several. */
  catalogOfRoot(path: string): Promise<string | undefined> {
    return this.roots.catalogOfRoot(this.database, path);
  }

  /** Real paths of folders that may be watched. @throws invalid `unusable_roots`. */
  checkFolders(paths: readonly string[]): Promise<string[]> {
    return checkFolders(paths, this.settings.dataDir);
  }

  /**
   * Makes these (checked) folders the catalogue's roots. One taken out and one put in is a library that has moved: its
   * images stay where they are within it. Images of a root that is only taken out count as missing, until the same
   * content is found under another root.
   */
  async replaceRoots(tx: Transaction, catalogId: string, paths: readonly string[]): Promise<void> {
    const known = await this.roots.lockRoots(tx, catalogId);
    const added = paths.filter((path) => !known.some((root) => root.path === path));
    const removed = known.filter((root) => !paths.includes(root.path));
    const [from, to] = [removed[0], added[0]];
    if (from !== undefined && to !== undefined && removed.length === 1 && added.length === 1) {
      await this.roots.relocate(tx, from.id, to);
      return;
    }
    await this.roots.remove(
      tx,
      removed.map(({ id }) => id),
    );
    await this.roots.insert(tx, catalogId, added);
  }
}

function byCatalog(roots: readonly Root[]): ReadonlyMap<string, readonly Root[]> {
  const groups = new Map<string, Root[]>();
  for (const root of roots) groups.set(root.catalogId, [...(groups.get(root.catalogId) ?? []), root]);
  return groups;
}
