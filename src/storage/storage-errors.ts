import { notFound, unavailable } from '../platform/errors/app-error.js';

/** No space left, quota used up, file larger than the system allows. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];
/** Somebody must make room first. */
const RETRY_AFTER_MS = 60_000;

export function isMissing(error: unknown): boolean {
  return hasCode(error, ['ENOENT', 'ENOTDIR']);
}

/** What a failed write means to its caller; an error that is none of the storage's stays as it is. */
export function toStorageError(error: unknown): unknown {
  if (!hasCode(error, FULL)) return error;
  return unavailable('storage_full', 'There is no room left for files. Free some space in the data folder.', {
    cause: error,
    retryAfterMs: RETRY_AFTER_MS,
  });
}

export const blobNotFound = (key: string, cause: unknown): Error =>
  notFound('blob_not_found', `There is no stored file ${key}.`, { cause });

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && codes.includes(String(error.code));
}
