import { invalid } from '../errors/app-error.js';

/**
 * A keyset cursor: the sort key of the last row of a page, opaque to callers. It is not a secret and proves nothing;
 * whatever it holds is bound as a parameter.
 */
export const encodeCursor = (key: readonly string[]): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/** The cursor after a page of a list that is sorted by id alone; null when the page was not full, and so the last. */
export function cursorAfter(page: readonly { readonly id: string }[], limit: number): string | null {
  const last = page.length === limit ? page.at(-1) : undefined;
  return last === undefined ? null : encodeCursor([last.id]);
}

/** The sort key inside `cursor`; refused unless it is one of `length` parts that `accepts` takes. */
export function decodeCursor(
  cursor: string,
  length: number,
  accepts: (key: readonly string[]) => boolean,
): readonly string[] {
  const key = parsed(cursor);
  if (isKey(key) && key.length === length && accepts(key)) return key;
  throw invalid('validation_failed', 'One field of the query parameters is not acceptable: cursor.', {
    fields: [
      {
        path: 'cursor',
        message: 'is not a cursor of this list',
        value: cursor,
        allowed: 'next_cursor of the page before, unchanged',
      },
    ],
  });
}

const isKey = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((part) => typeof part === 'string');

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
