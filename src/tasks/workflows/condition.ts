import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../task-handler.js';
import { isPointer, NOTHING, resultAt, type Results } from './references.js';

/** What a condition may ask of the value at its path; exactly one of them. */
const TESTS = {
  equals: (found: unknown, wanted: unknown) => isDeepStrictEqual(found, wanted),
  not: (found: unknown, wanted: unknown) => !isDeepStrictEqual(found, wanted),
  in: (found: unknown, wanted: unknown) => (wanted as unknown[]).some((one) => isDeepStrictEqual(found, one)),
  exists: (found: unknown, wanted: unknown) => (found !== NOTHING) === wanted,
  gt: (found: unknown, wanted: unknown) => typeof found === 'number' && found > (wanted as number),
  gte: (found: unknown, wanted: unknown) => typeof found === 'number' && found >= (wanted as number),
  lt: (found: unknown, wanted: unknown) => typeof found === 'number' && found < (wanted as number),
  lte: (found: unknown, wanted: unknown) => typeof found === 'number' && found <= (wanted as number),
};

type Test = keyof typeof TESTS;
const TEST_NAMES = Object.keys(TESTS) as Test[];

/** A question to a parent's result: `{ node: 'scan', path: '/found', equals: 0 }`. */
export interface Condition {
  /** The parent's name. */
  readonly node: string;
  /** JSON pointer (RFC 6901) into its result; the whole of it when left out. */
  readonly path?: string;
  readonly equals?: Json;
  readonly not?: Json;
  readonly in?: readonly Json[];
  readonly exists?: boolean;
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
}

export const CONDITION_SHAPE = `{"node": …, "path": …} and exactly one of ${TEST_NAMES.join(', ')}`;

/** What is wrong with the shape of a condition; undefined when nothing is. */
export function conditionProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object';
  const { node, path = '', ...tests } = value as Record<string, unknown>;
  if (typeof node !== 'string') return 'must name a node';
  if (!isPointer(path)) return 'has a path that is no JSON pointer, such as /found/0';
  const [[name, wanted] = ['', undefined], ...more] = Object.entries(tests);
  if (more.length > 0 || !TEST_NAMES.includes(name as Test)) return `must ask exactly one of ${TEST_NAMES.join(', ')}`;
  if (name === 'in' && !Array.isArray(wanted)) return 'must give a list for in';
  if (name === 'exists' && typeof wanted !== 'boolean') return 'must give true or false for exists';
  if (/^[gl]te?$/.test(name) && typeof wanted !== 'number') return `must give a number for ${name}`;
  return undefined;
}

/**
 * Whether a condition holds. Where there is nothing (the parent did not complete, or its result has no such field), only
 * `not` and `exists: false` do.
 */
export function holds(condition: Condition, results: Results): boolean {
  const { node, path, ...tests } = condition;
  const found = resultAt(results, node, path);
  return Object.entries(tests).every(([name, wanted]) => TESTS[name as Test](found, wanted));
}
