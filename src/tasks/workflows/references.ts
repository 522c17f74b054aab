import type { Json } from '../task-handler.js';

/** Stands in a node's `params` for something out of a parent's result. */
export interface Reference {
  /** The parent's name. */
  readonly $from: string;
  /** JSON pointer (RFC 6901) into its result; the whole of it when left out. */
  readonly path?: string;
}

/** A reference and where in the params it stands: `params.images.0`. */
export interface FoundReference {
  readonly at: string;
  readonly value: unknown;
}

/** Each character can be read in one way only: with a slash in the inner class this would take exponential time. */
const POINTER = /^(\/([^~/]|~[01])*)*$/;

export const isPointer = (value: unknown): value is string => typeof value === 'string' && POINTER.test(value);

/** Whatever has a field `$from` is meant as a reference, well made or not. */
const looksLikeReference = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, '$from');

export const isReference = (value: unknown): value is Reference =>
  looksLikeReference(value) &&
  Object.keys(value).every((key) => key === '$from' || key === 'path') &&
  typeof (value as Reference).$from === 'string' &&
  isPointer((value as Reference).path ?? '');

/** Every reference inside params, at any depth. */
export function referencesIn(value: unknown, at = 'params'): FoundReference[] {
  if (typeof value !== 'object' || value === null) return [];
  if (looksLikeReference(value)) return [{ at, value }];
  return Object.entries(value).flatMap(([key, inner]) => referencesIn(inner, `${at}.${key}`));
}

/** Where there is nothing at the end of a pointer. `null` is something. */
export const NOTHING = Symbol('nothing');

/** What a JSON pointer points to. Own fields only, and indices as the RFC writes them: no `-`, no leading zeros. */
export function at(document: unknown, pointer: string): unknown {
  let current = document;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return NOTHING;
    if (Array.isArray(current) && !/^(0|[1-9]\d*)$/.test(key)) return NOTHING;
    current = (current as Record<string, unknown>)[key];
  }
  return current === undefined ? NOTHING : current;
}

/** Results of parents that completed, by name. */
export type Results = ReadonlyMap<string, Json>;

export const resultAt = (results: Results, node: string, path = ''): unknown =>
  results.has(node) ? at(results.get(node), path) : NOTHING;

/** A reference to where there is nothing. */
export class UnresolvedReference extends Error {
  constructor({ $from, path = '' }: Reference, where: string) {
    super(`${where} takes "${path}" of the result of node "${$from}", where there is nothing`);
    this.name = 'UnresolvedReference';
  }
}

/** Whether what the references in params stand for is longer than `limit`, as JSON: told without building it. */
export function takesMoreThan(limit: number, params: unknown, lengthOf: (reference: Reference) => number): boolean {
  let sum = 0;
  return referencesIn(params).some(({ value }) => (sum += isReference(value) ? lengthOf(value) : 0) > limit);
}

/** Params with what their references stand for. @throws UnresolvedReference */
export function resolve(value: unknown, results: Results, where = 'params'): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isReference(value)) {
    const found = resultAt(results, value.$from, value.path);
    if (found === NOTHING) throw new UnresolvedReference(value, where);
    return found;
  }
  if (Array.isArray(value)) return value.map((inner, index) => resolve(inner, results, `${where}.${String(index)}`));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, resolve(inner, results, `${where}.${key}`)]),
  );
}
