/**
 * Arrays as PostgreSQL writes them, made in one go: the driver's own way, element by element, costs more than all else
 * that enqueueing a task costs this process. For elements in which nothing is to be escaped.
 */
export const uuidArray = (ids: readonly string[]): string => `{${ids.join(',')}}`;

export const numberArray = (numbers: readonly number[]): string => `{${numbers.join(',')}}`;

/**
 * Of JSON texts and nulls, for a jsonb[]. A JSON text has no raw control characters, so that quoting it once more as JSON
 * is exactly the array's own quoting.
 */
export const jsonArray = (texts: readonly (string | null)[]): string => `{${JSON.stringify(texts).slice(1, -1)}}`;

/** An array, or none at all when every element is null: `unnest` of several arrays fills up the shorter ones with nulls. */
export function unlessNull<T>(elements: readonly (T | null)[]): readonly (T | null)[] {
  return elements.every((element) => element === null) ? [] : elements;
}
