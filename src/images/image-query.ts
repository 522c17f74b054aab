import { decodeCursor, encodeCursor } from '../platform/http/cursor.js';
import type { ImageState } from './scan/compare-folder.js';

export const IMAGE_SORTS = ['taken', 'path', 'imported', 'size'] as const;
export type ImageSort = (typeof IMAGE_SORTS)[number];

/** West, south, east, north, in degrees; west above east crosses the antimeridian. */
export type BoundingBox = readonly [number, number, number, number];

export interface ImageFilter {
  readonly catalogId?: string;
  readonly states?: readonly ImageState[];
  readonly formats?: readonly string[];
  /** In make or model, any letter case. */
  readonly camera?: string;
  /** Wall-clock times at the place (ISO without zone): from, inclusive, and to, exclusive. */
  readonly takenFrom?: string;
  readonly takenTo?: string;
  readonly hasGps?: boolean;
  readonly boundingBox?: BoundingBox;
  /** With this problem, by code. */
  readonly problem?: string;
  /** With any error (true), or without one (false). */
  readonly failed?: boolean;
  /** In the path, any letter case. */
  readonly text?: string;
}

export interface ImageOrder {
  readonly sort: ImageSort;
  readonly descending: boolean;
}

export interface ImagePage extends ImageOrder {
  readonly limit: number;
  /** Where the page before ended. */
  readonly after?: ImagePosition;
}

/** A place in a sorted list: the last row's sort key, as text, and its id. */
export interface ImagePosition {
  readonly key: string;
  readonly id: string;
}

interface SortKey {
  /** Never null, and an index has it: see migration 0003. */
  readonly sql: string;
  readonly type: string;
  readonly accepts: RegExp;
}

/** Images without a date sort as if taken before all others. */
export const SORT_KEYS: Readonly<Record<ImageSort, SortKey>> = {
  taken: {
    sql: `coalesce(i.taken_local, '-infinity'::timestamp)`,
    type: 'timestamp',
    accepts: /^(-infinity|\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?)$/,
  },
  path: { sql: 'i.path', type: 'text', accepts: /^[^\0]+$/ },
  imported: { sql: 'i.id', type: 'uuid', accepts: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ },
  size: { sql: 'i.seen_size_bytes', type: 'bigint', accepts: /^\d{1,18}$/ },
};

const UUID = SORT_KEYS.imported.accepts;

const directionOf = ({ descending }: ImageOrder): string => (descending ? 'desc' : 'asc');

/** Opaque; of use only for the same order. */
export const encodeImageCursor = (order: ImageOrder, { key, id }: ImagePosition): string =>
  encodeCursor([order.sort, directionOf(order), key, id]);

/** @throws invalid `validation_failed` for anything that is no cursor of this order. */
export function decodeImageCursor(order: ImageOrder, cursor: string): ImagePosition {
  const [, , key = '', id = ''] = decodeCursor(
    cursor,
    4,
    ([sort = '', direction, position = '', image = '']) =>
      sort === order.sort &&
      direction === directionOf(order) &&
      SORT_KEYS[order.sort].accepts.test(position) &&
      UUID.test(image),
  );
  return { key, id };
}
