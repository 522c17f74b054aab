import type { FieldError } from '../../platform/errors/app-error.js';
import { DEEPEST_JSON, isTooDeep, TOO_DEEP } from './json-limits.js';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** More than the largest schemas that generators make of one class; bounds what compiling one can cost. */
export const LARGEST_SCHEMA_BYTES = 65_536;

const DRAFT_2020 = 'https://json-schema.org/draft/2020-12/schema';
export const DRAFT_07 = 'http://json-schema.org/draft-07/schema';

/** The dialect that a schema is written in. */
export const dialectOf = (schema: JsonSchema): string =>
  typeof schema.$schema === 'string' ? schema.$schema.replace(/#$/, '') : DRAFT_2020;

const REFERENCES = ['$ref', '$dynamicRef', '$recursiveRef'];

/** What is refused about a schema before it is compiled: its dialect, its size, and references that lead out of it. */
export function schemaProblems(schema: JsonSchema, field: string): FieldError[] {
  if (isTooDeep(schema)) {
    return [{ path: field, message: TOO_DEEP, allowed: `at most ${String(DEEPEST_JSON)} levels` }];
  }
  const bytes = Buffer.byteLength(JSON.stringify(schema));
  if (bytes > LARGEST_SCHEMA_BYTES) {
    const allowed = `at most ${String(LARGEST_SCHEMA_BYTES)} bytes`;
    return [{ path: field, message: `is too large, ${String(bytes)} bytes`, allowed }];
  }
  const dialect = dialectOf(schema);
  const known = [DRAFT_2020, DRAFT_07];
  if (!known.includes(dialect)) {
    const allowed = `one of ${known.join(', ')}, or left out for the first`;
    return [{ path: `${field}.$schema`, message: 'is a dialect that is not known here', value: dialect, allowed }];
  }
  return [...problemsWithin(schema, field)];
}

function* problemsWithin(node: unknown, path: string): Generator<FieldError> {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    const at = `${path}.${key}`;
    if (key === '__proto__') yield { path: at, message: 'is a name that is not allowed' };
    else if (REFERENCES.includes(key) && typeof value === 'string' && !value.startsWith('#')) {
      const allowed = 'a reference within the schema, such as #/$defs/point';
      yield { path: at, message: 'leads out of the schema', value, allowed };
    } else if (key === '$async') yield { path: at, message: 'is not allowed' };
    else yield* problemsWithin(value, at);
  }
}
