import { Injectable } from '@nestjs/common';
import type { Sql } from '../platform/database/transaction.js';
import type { Image, ImageDetails, MadeBy, RecordedProblem, RecordedRendition } from './image.js';
import { countImages, listImages } from './image-list.sql.js';
import type { ImageFilter, ImagePage, ImagePosition } from './image-query.js';
import { type ImageRow, imageOf } from './image-row.js';
import { FORGET_RENDITION, IMAGE_BY_ID, PLACE_OF_IMAGE, PROBLEMS_OF_IMAGE, RENDITIONS_OF_IMAGE } from './images.sql.js';
import type { ImageState } from './scan/compare-folder.js';

/** Where an image's file lies and what it was when it was analysed. */
export interface OriginalPlace {
  readonly state: ImageState;
  readonly path: string;
  readonly mimeType: string | null;
  readonly checksum: string | null;
  readonly sizeBytes: number | null;
  readonly modifiedAt: Date | null;
  /** Absent when the root was taken out of the catalogue. */
  readonly root: { readonly path: string; readonly online: boolean } | undefined;
}

interface MadeByRow {
  task_id: string;
  task_type: string;
  task_version: number;
  created_at: Date;
}

type DetailsRow = ImageRow & {
  sidecars: string[];
  tags: unknown;
  date_candidates: unknown;
  analyzed_at: Date | null;
  analyzed_by: string;
  analysis_type: string;
  analysis_version: number;
};

type ProblemRow = MadeByRow & Pick<RecordedProblem, 'phase' | 'code' | 'severity' | 'message'>;

type RenditionRow = MadeByRow & {
  size: number;
  width: number;
  height: number;
  mime_type: string;
  size_bytes: string;
  quality: number;
  blob_key: string;
  source_checksum: string;
  current: boolean;
};

@Injectable()
export class ImagesRepository {
  async list(sql: Sql, filter: ImageFilter, page: ImagePage): Promise<{ image: Image; position: ImagePosition }[]> {
    const { text, values } = listImages(filter, page);
    const rows = await sql.query<ImageRow & { sort_key: string }>(text, values);
    return rows.map((row) => ({ image: imageOf(row), position: { key: row.sort_key, id: row.id } }));
  }

  async count(sql: Sql, filter: ImageFilter): Promise<number> {
    const { text, values } = countImages(filter);
    const [row] = await sql.query<{ total: number }>(text, values);
    return row?.total ?? 0;
  }

  async findDetails(sql: Sql, id: string): Promise<ImageDetails | undefined> {
    const [row] = await sql.query<DetailsRow>(IMAGE_BY_ID, [id]);
    if (row === undefined) return undefined;
    const { sidecars, tags, date_candidates: dateCandidates } = row;
    const problems = (await sql.query<ProblemRow>(PROBLEMS_OF_IMAGE, [id])).map((problem) => ({
      ...madeBy(problem),
      phase: problem.phase,
      code: problem.code,
      severity: problem.severity,
      message: problem.message,
    }));
    const renditions = await this.renditionsOf(sql, id);
    return { ...imageOf(row), sidecars, tags, dateCandidates, analysis: analysisOf(row), problems, renditions };
  }

  async renditionsOf(sql: Sql, imageId: string): Promise<RecordedRendition[]> {
    const rows = await sql.query<RenditionRow>(RENDITIONS_OF_IMAGE, [imageId]);
    return rows.map((row) => ({
      ...madeBy(row),
      size: row.size,
      width: row.width,
      height: row.height,
      mimeType: row.mime_type,
      sizeBytes: Number(row.size_bytes),
      quality: row.quality,
      blobKey: row.blob_key,
      sourceChecksum: row.source_checksum,
      current: row.current,
    }));
  }

  async forgetRendition(sql: Sql, imageId: string, { size, blobKey }: RecordedRendition): Promise<void> {
    await sql.query(FORGET_RENDITION, [imageId, size, blobKey]);
  }

  async findPlace(sql: Sql, imageId: string): Promise<OriginalPlace | undefined> {
    const [row] = await sql.query<{
      state: ImageState;
      path: string;
      mime_type: string | null;
      size_bytes: string | null;
      modified_at: Date | null;
      checksum: string | null;
      root_path: string | null;
      root_state: string | null;
    }>(PLACE_OF_IMAGE, [imageId]);
    if (row === undefined) return undefined;
    return {
      state: row.state,
      path: row.path,
      mimeType: row.mime_type,
      checksum: row.checksum,
      sizeBytes: row.size_bytes === null ? null : Number(row.size_bytes),
      modifiedAt: row.modified_at,
      root: row.root_path === null ? undefined : { path: row.root_path, online: row.root_state === 'online' },
    };
  }
}

const madeBy = (row: MadeByRow): MadeBy => ({
  taskId: row.task_id,
  taskType: row.task_type,
  taskVersion: row.task_version,
  at: row.created_at,
});

const analysisOf = (row: DetailsRow): MadeBy | null =>
  row.analyzed_at === null
    ? null
    : { taskId: row.analyzed_by, taskType: row.analysis_type, taskVersion: row.analysis_version, at: row.analyzed_at };
