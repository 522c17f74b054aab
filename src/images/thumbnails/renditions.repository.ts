import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import { databaseJson } from '../analysis/content-columns.js';
import type { PhotoProblem } from '../photo-facts.js';
import { type Lineage, ProblemsRepository } from '../problems.repository.js';
import {
  BATCH_COUNTS,
  DISCARD_REPLACED,
  DISCARD_UNUSED,
  FILES_TO_RENDER,
  IMAGES_TO_RENDER,
  KEEP_USED,
  WITH_CONTENT,
  WRITE_RENDITIONS,
  WRITE_THUMBHASHES,
} from './renditions.sql.js';

/** A file that is to be rendered, as it was when it was analysed. */
export interface FileToRender {
  readonly imageId: string;
  readonly rootPath: string;
  readonly path: string;
  readonly format: string;
  readonly orientation: number | undefined;
  readonly checksum: Buffer;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** Sizes that it has already. */
  readonly present: readonly number[];
}

/** One rendition whose blob has been written. */
export interface StoredRendition {
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly blobKey: string;
}

/** What rendering one image has come to. */
export interface RenderedImage {
  readonly imageId: string;
  /** Of the content that was rendered. */
  readonly checksum: Buffer;
  readonly renditions: readonly StoredRendition[];
  readonly thumbhash: Buffer | undefined;
  readonly problems: readonly PhotoProblem[];
}

/** How, and by which task, renditions were made. */
export interface Making {
  readonly quality: number;
  readonly lineage: Lineage;
}

export interface RenderCounts {
  readonly rendered: number;
  readonly renditions: number;
  readonly bytes: number;
  readonly failed: number;
}

interface FileRow {
  id: string;
  root_path: string;
  path: string;
  format: string;
  orientation: number | null;
  checksum: Buffer;
  size_bytes: string;
  modified_at: Date;
  present: number[];
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const IDS_A_PAGE = 10_000;

@Injectable()
export class RenditionsRepository {
  constructor(private readonly problems: ProblemsRepository) {}

  /** Images that lack any of the sizes, or with `force` all that have a picture. */
  async imagesToRender(
    sql: Sql,
    catalogId: string,
    { sizes, force }: { readonly sizes: readonly number[]; readonly force: boolean },
  ): Promise<string[]> {
    const ids: string[] = [];
    for (;;) {
      const values = [catalogId, sizes, force, ids.at(-1) ?? FIRST_ID, IDS_A_PAGE];
      const rows = await sql.query<{ id: string }>(IMAGES_TO_RENDER, values);
      for (const { id } of rows) ids.push(id);
      if (rows.length < IDS_A_PAGE) return ids;
    }
  }

  /** With `onlyOf`, sizes count as present only when that task made them. */
  async filesToRender(sql: Sql, imageIds: readonly string[], onlyOf?: string): Promise<FileToRender[]> {
    const rows = await sql.query<FileRow>(FILES_TO_RENDER, [imageIds, onlyOf ?? null]);
    return rows.map((row) => ({
      imageId: row.id,
      rootPath: row.root_path,
      path: row.path,
      format: row.format,
      orientation: row.orientation ?? undefined,
      checksum: row.checksum,
      sizeBytes: Number(row.size_bytes),
      modifiedAt: row.modified_at,
      present: row.present,
    }));
  }

  /** Writes what was rendered, and gives the keys of blobs that no row names any more. */
  async save(tx: Sql, images: readonly RenderedImage[], making: Making): Promise<string[]> {
    const contents = images.map(({ imageId, checksum }) => ({ image_id: imageId, checksum: checksum.toString('hex') }));
    const present = await tx.query<{ id: string }>(WITH_CONTENT, [databaseJson(contents)]);
    const ids = new Set(present.map(({ id }) => id));
    const current = images.filter(({ imageId }) => ids.has(imageId));
    await this.problems.replace(tx, current, { phase: 'thumbnails', lineage: making.lineage });
    await tx.query(WRITE_THUMBHASHES, [databaseJson(current.flatMap(thumbhashRow))]);
    return this.writeRenditions(tx, images, making);
  }

  async batchCounts(sql: Sql, imageIds: readonly string[], taskId: string): Promise<RenderCounts> {
    const [row] = await sql.query<Omit<RenderCounts, 'bytes'> & { bytes: string }>(BATCH_COUNTS, [imageIds, taskId]);
    return { rendered: 0, renditions: 0, failed: 0, ...row, bytes: Number(row?.bytes ?? 0) };
  }

  private async writeRenditions(
    tx: Sql,
    images: readonly RenderedImage[],
    { quality, lineage: { taskId, taskType, taskVersion } }: Making,
  ): Promise<string[]> {
    const rows = images.flatMap(renditionRows);
    if (rows.length === 0) return [];
    const json = databaseJson(rows);
    const keys = rows.map((row) => row.blob_key);
    const replaced = await tx.query<{ blob_key: string }>(DISCARD_REPLACED, [json]);
    await tx.query(WRITE_RENDITIONS, [json, quality, taskId, taskType, taskVersion]);
    await tx.query(DISCARD_UNUSED, [keys]);
    await tx.query(KEEP_USED, [keys]);
    return replaced.map((row) => row.blob_key);
  }
}

const renditionRows = ({
  imageId,
  checksum,
  renditions,
}: RenderedImage): (Record<string, unknown> & { blob_key: string })[] =>
  renditions.map((rendition) => ({
    image_id: imageId,
    size: rendition.size,
    width: rendition.width,
    height: rendition.height,
    mime_type: rendition.mimeType,
    size_bytes: rendition.sizeBytes,
    blob_key: rendition.blobKey,
    checksum: checksum.toString('hex'),
  }));

const thumbhashRow = ({ imageId, checksum, thumbhash }: RenderedImage): Record<string, unknown>[] =>
  thumbhash === undefined
    ? []
    : [{ image_id: imageId, thumbhash: thumbhash.toString('hex'), checksum: checksum.toString('hex') }];
