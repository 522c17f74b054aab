import { invalid } from '../platform/errors/app-error.js';

/** Keys become paths: longer ones fail on file systems (255 a name) and in object stores (1024 in all). */
const MAX_KEY_LENGTH = 512;
const MAX_SEGMENT_LENGTH = 200;

/**
 * Lower case, because a store on macOS or Windows would take `A` and `a` for the same; no leading dot, so neither `..`
 * nor a store's own files can be named.
 */
const SEGMENT = /^[a-z0-9_][a-z0-9._-]*$/;

/** Throws AppError `bad_blob_key` for what is no key: relative path segments, absolute paths, foreign characters. */
export function checkBlobKey(key: string): void {
  const segments = key.split('/');
  const fits = key.length <= MAX_KEY_LENGTH && segments.every((part) => part.length <= MAX_SEGMENT_LENGTH);
  if (fits && segments.every((segment) => SEGMENT.test(segment) && !segment.endsWith('.'))) return;
  throw invalid('bad_blob_key', `${JSON.stringify(key.slice(0, MAX_KEY_LENGTH))} is not a key of the blob store.`);
}

/** A folder's keys: all that begin with it. It ends in a slash; the empty prefix is the whole store. */
export function checkBlobPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/')) throw invalid('bad_blob_key', `The prefix ${JSON.stringify(prefix)} must end in a slash.`);
  checkBlobKey(prefix.slice(0, -1));
}
