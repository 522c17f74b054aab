import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { Sql } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/app-error.js';
import type { OfflineReason, Root } from './root.js';
import {
  CATALOG_OF_ROOT,
  DELETE_ROOTS,
  DETACH_IMAGES,
  FIRST_CATALOGS,
  FORGET_PENDING_IMAGES,
  INSERT_ROOTS,
  KNOWN_PATHS,
  LOCK_ROOTS,
  MOVE_IMAGES_WITH_ROOT,
  RELOCATE_ROOT,
  ROOTS_OF,
  SET_ROOT_STATE,
} from './roots.sql.js';

interface RootRow {
  id: string;
  catalog_id: string;
  path: string;
  state: Root['state'];
  offline_reason: OfflineReason | null;
  state_since: Date;
  file_system_id: string | null;
}

export interface RootState {
  readonly state: Root['state'];
  readonly offlineReason?: OfflineReason;
  /** Left as it is when undefined. */
  readonly fileSystemId?: string;
}

const PATHS_A_PAGE = 500;

@Injectable()
export class RootsRepository {
  async rootsOf(sql: Sql, catalogIds: readonly string[]): Promise<Root[]> {
    return (await sql.query<RootRow>(ROOTS_OF, [catalogIds])).map(rootOf);
  }

  /** A catalogue has one at least. @throws not-found `catalog_not_found`. */
  async rootsOfCatalog(sql: Sql, catalogId: string): Promise<Root[]> {
    const roots = await this.rootsOf(sql, [catalogId]);
    if (roots.length === 0) throw notFound('catalog_not_found', `there is no catalogue ${catalogId}`);
    return roots;
  }

  async firstCatalogs(sql: Sql): Promise<string[]> {
    return (await sql.query<{ catalog_id: string }>(FIRST_CATALOGS)).map((row) => row.catalog_id);
  }

  async catalogOfRoot(sql: Sql, path: string): Promise<string | undefined> {
    const [row] = await sql.query<{ catalog_id: string }>(CATALOG_OF_ROOT, [path]);
    return row?.catalog_id;
  }

  async lockRoots(tx: Sql, catalogId: string): Promise<Root[]> {
    return (await tx.query<RootRow>(LOCK_ROOTS, [catalogId])).map(rootOf);
  }

  async insert(tx: Sql, catalogId: string, paths: readonly string[]): Promise<void> {
    if (paths.length > 0) await tx.query(INSERT_ROOTS, [catalogId, paths.map(() => uuidv7()), paths]);
  }

  async relocate(tx: Sql, rootId: string, path: string): Promise<void> {
    await tx.query(RELOCATE_ROOT, [rootId, path]);
  }

  async remove(tx: Sql, rootIds: readonly string[]): Promise<void> {
    if (rootIds.length === 0) return;
    for (const statement of [FORGET_PENDING_IMAGES, DETACH_IMAGES, DELETE_ROOTS]) await tx.query(statement, [rootIds]);
  }

  /** True when anything changed. */
  async setState(tx: Sql, rootId: string, { state, offlineReason, fileSystemId }: RootState): Promise<boolean> {
    const rows = await tx.query(SET_ROOT_STATE, [rootId, state, offlineReason ?? null, fileSystemId ?? null]);
    return rows.length > 0;
  }

  /** Up to `limit` images of the root go offline or come back; gives how many. */
  async moveImages(
    tx: Sql,
    rootId: string,
    move: { readonly to: Root['state']; readonly by: string; readonly limit: number },
  ): Promise<number> {
    const [from, to] = move.to === 'offline' ? ['active', 'offline'] : ['offline', 'active'];
    const rows = await tx.query(MOVE_IMAGES_WITH_ROOT, [rootId, from, to, move.to, move.by, move.limit]);
    return rows.length;
  }

  /** Paths of the images that should be in the root, relative to it, a page at a time. */
  async *knownPaths(sql: Sql, rootId: string): AsyncGenerator<readonly string[]> {
    for (let after = { folder: '', name: '' }; ;) {
      const rows = await sql.query<{ folder: string; name: string }>(KNOWN_PATHS, [
        rootId,
        after.folder,
        after.name,
        PATHS_A_PAGE,
      ]);
      const last = rows.at(-1);
      if (!last) return;
      yield rows.map(({ folder, name }) => folder + name);
      after = last;
    }
  }
}

const rootOf = (row: RootRow): Root => ({
  id: row.id,
  catalogId: row.catalog_id,
  path: row.path,
  state: row.state,
  offlineReason: row.offline_reason ?? undefined,
  stateSince: row.state_since,
  fileSystemId: row.file_system_id ?? undefined,
});
