import { defineEvent } from '../tasks/index.js';

/**
 * New photos of one catalogue: their files have been read for the first time, and are those of no image that was known before.
 * Emitted once for many, in the transaction from which on they are known. Moved and edited photos are not new.
 */
export const photoImported = defineEvent<{ readonly catalogId: string; readonly imageIds: readonly string[] }>(
  'photo.imported',
);
