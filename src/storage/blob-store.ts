import type { Readable } from 'node:stream';

export interface BlobStat {
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

export interface StoredBlob {
  readonly key: string;
}

export interface PutOptions {
  /**
   * Default true: once `put` has resolved, the blob survives a loss of power. False for what can be made again
   * (thumbnails): it is still never seen half-written by a running system, but after a loss of power it may be missing
   * or of another size than was recorded.
   */
  readonly durable?: boolean;
}

/**
 * Where bytes are kept that do not belong in a database, under keys of the form `thumbnails/0a/…/256-….jpg` (lower
 * case, digits, `._-`, segments separated by `/`; anything else is refused with AppError `bad_blob_key`). A class and
 * not an interface, so that it is its own injection token.
 */
export abstract class BlobStore {
  /**
   * Stores the bytes under the key, replacing what was there: readers see the old or the new blob, whole. When it
   * throws, nothing has changed. Throws AppError `storage_full` (unavailable) when there is no room.
   */
  abstract put(key: string, content: Uint8Array | Readable, options?: PutOptions): Promise<{ sizeBytes: number }>;

  /** The blob as it is now: replacing or deleting it does not disturb the reading. Throws AppError `blob_not_found`. */
  abstract read(key: string): Promise<Readable>;

  abstract stat(key: string): Promise<BlobStat | undefined>;

  abstract exists(key: string): Promise<boolean>;

  /** False when there was none. */
  abstract delete(key: string): Promise<boolean>;

  /** Deletes all blobs under a folder (`thumbnails/0a/…/`); no matter if there are none. */
  abstract deletePrefix(prefix: string): Promise<void>;

  /** All keys under a folder (`''` = everything), in no order. What changes meanwhile may be in it or not. */
  abstract list(prefix: string): AsyncIterable<StoredBlob>;
}
