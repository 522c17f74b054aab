import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { BlobStore } from '../../storage/index.js';
import { boundedParallel } from '../bounded-parallel.js';
import type { Rendition } from '../rendering/render-request.js';
import type { FileToRender, StoredRendition } from './renditions.repository.js';
import { DISCARDED_BLOBS, FORGET_BLOBS } from './renditions.sql.js';

const EXTENSIONS: Readonly<Record<string, string>> = { 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp' };
const BLOBS_A_PAGE = 1_000;
const DELETIONS_AT_ONCE = 8;

/**
 * The blobs of thumbnails. A blob is written before the row that names it and deleted after the row is gone, so that no
 * row ever names a blob that is not there; what a crash leaves in between is listed in `discarded_blobs`, or is written
 * again under the same key.
 */
@Injectable()
export class ThumbnailFiles {
  constructor(
    private readonly database: Database,
    private readonly blobs: BlobStore,
  ) {}

  async store(file: FileToRender, renditions: readonly Rendition[]): Promise<StoredRendition[]> {
    const stored: StoredRendition[] = [];
    for (const { size, width, height, mimeType, bytes } of renditions) {
      const blobKey = thumbnailKey(file, size, mimeType);
      const { sizeBytes } = await this.blobs.put(blobKey, bytes, { durable: false });
      stored.push({ size, width, height, mimeType, sizeBytes, blobKey });
    }
    return stored;
  }

  /** Deletes blobs whose rows are gone for good (committed). */
  async discard(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await boundedParallel(keys, DELETIONS_AT_ONCE, (key) => this.blobs.delete(key));
    await this.database.query(FORGET_BLOBS, [keys]);
  }

  /**
   * Deletes all blobs that were let go of at least so long ago. An attempt that is about to name one of them again has
   * had that time to commit. Gives how many.
   */
  async sweep(minAgeMs: number, signal?: AbortSignal): Promise<number> {
    for (let swept = 0; ;) {
      signal?.throwIfAborted();
      const rows = await this.database.query<{ blob_key: string }>(DISCARDED_BLOBS, [minAgeMs, BLOBS_A_PAGE]);
      if (rows.length === 0) return swept;
      await this.discard(rows.map((row) => row.blob_key));
      swept += rows.length;
    }
  }
}

/** The folder is the end of the id: time-ordered ids begin alike. */
function thumbnailKey({ imageId, checksum }: FileToRender, size: number, mimeType: string): string {
  const folder = imageId.slice(-2);
  return `thumbnails/${folder}/${imageId}/${size}-${checksum.toString('hex', 0, 6)}.${EXTENSIONS[mimeType] ?? 'bin'}`;
}
