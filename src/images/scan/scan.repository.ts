import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { Sql } from '../../platform/database/transaction.js';
import { databaseJson, seenRow } from '../analysis/content-columns.js';
import type { ImageState, KnownImage, SeenAgain } from './compare-folder.js';
import {
  ADD_IMAGES,
  DUE_IMAGES,
  FORGET_UNREAD,
  KNOWN_FOLDERS,
  KNOWN_IN_FOLDERS,
  MARK_CHANGED,
  MARK_MISSING,
  MARK_OUTDATED,
  MARK_RESTORED,
} from './scan.sql.js';
import type { ListedPhoto } from './sidecars.js';

interface KnownRow {
  id: string;
  folder: string;
  name: string;
  state: ImageState;
  due: boolean;
  unread: boolean;
  size_bytes: string;
  modified_us: string;
  sidecar_stamp: string;
}

/** Everything sorts after it. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const IDS_A_PAGE = 10_000;
const FOLDERS_A_PAGE = 2_000;
/** A statement rewrites at most so many rows: a long one would hold up whoever waits for the task's row. */
const OUTDATED_A_PAGE = 2_000;

/** What the scan reads and writes. Writes take a transaction of the attempt that scans. */
@Injectable()
export class ScanRepository {
  /** By folder; folders without images are not in it. */
  async knownIn(
    sql: Sql,
    rootId: string,
    folders: readonly string[],
  ): Promise<ReadonlyMap<string, readonly KnownImage[]>> {
    const rows = await sql.query<KnownRow>(KNOWN_IN_FOLDERS, [rootId, folders]);
    const known = new Map<string, KnownImage[]>();
    for (const row of rows) {
      const images = known.get(row.folder) ?? [];
      images.push(knownImage(row));
      known.set(row.folder, images);
    }
    return known;
  }

  /** The folders of a root that have images, in order. */
  async *knownFolders(sql: Sql, rootId: string): AsyncGenerator<string> {
    const [first] = await sql.query(`SELECT 1 FROM images WHERE root_id = $1 AND folder = '' AND holds_path LIMIT 1`, [
      rootId,
    ]);
    if (first) yield '';
    for (let after = ''; ;) {
      const rows = await sql.query<{ folder: string }>(KNOWN_FOLDERS, [rootId, after, FOLDERS_A_PAGE]);
      for (const { folder } of rows) yield folder;
      const last = rows.at(-1);
      if (!last) return;
      after = last.folder;
    }
  }

  async add(
    tx: Sql,
    root: { readonly id: string; readonly catalogId: string },
    photos: readonly (ListedPhoto & { readonly folder: string })[],
  ): Promise<void> {
    const rows = photos.map((photo) => ({ id: uuidv7(), folder: photo.folder, name: photo.name, ...seenRow(photo) }));
    await tx.query(ADD_IMAGES, [root.catalogId, root.id, databaseJson(rows)]);
  }

  async markChanged(tx: Sql, changed: readonly SeenAgain[]): Promise<void> {
    await tx.query(MARK_CHANGED, [databaseJson(changed.map(({ id, photo }) => ({ id, ...seenRow(photo) })))]);
  }

  async markRestored(tx: Sql, ids: readonly string[], jobId: string): Promise<void> {
    await tx.query(MARK_RESTORED, [ids, jobId]);
  }

  async markMissing(tx: Sql, ids: readonly string[], jobId: string): Promise<void> {
    await tx.query(FORGET_UNREAD, [ids]);
    await tx.query(MARK_MISSING, [ids, jobId]);
  }

  /**
   * Makes a page of images due whose analysis is of an older version, or all with `force`; gives where the next page
   * begins, undefined after the last.
   */
  async markOutdated(
    tx: Sql,
    catalogId: string,
    options: { readonly version: number; readonly force: boolean; readonly after?: string },
  ): Promise<string | undefined> {
    const values = [catalogId, options.version, options.force, options.after ?? FIRST_ID, OUTDATED_A_PAGE];
    const [page] = await tx.query<{ last: string | null }>(MARK_OUTDATED, values);
    return page?.last ?? undefined;
  }

  /** All that is to be read, in the order in which it was found: neighbours on the disk stay neighbours. */
  async dueIds(sql: Sql, catalogId: string): Promise<string[]> {
    const ids: string[] = [];
    for (;;) {
      const rows = await sql.query<{ id: string }>(DUE_IMAGES, [catalogId, ids.at(-1) ?? FIRST_ID, IDS_A_PAGE]);
      for (const { id } of rows) ids.push(id);
      if (rows.length < IDS_A_PAGE) return ids;
    }
  }
}

const knownImage = (row: KnownRow): KnownImage => ({
  id: row.id,
  name: row.name,
  state: row.state,
  due: row.due,
  unread: row.unread,
  sizeBytes: Number(row.size_bytes),
  modifiedUs: BigInt(row.modified_us),
  sidecarStamp: row.sidecar_stamp,
});
