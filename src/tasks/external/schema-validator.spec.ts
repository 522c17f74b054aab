import { TIME_LIMIT_MS } from './run-bounded.js';
import { DRAFT_07, type JsonSchema, LARGEST_SCHEMA_BYTES, schemaProblems } from './schema-rules.js';
import { SchemaValidator } from './schema-validator.js';

const pathsOf = (schema: JsonSchema): string[] => schemaProblems(schema, 's').map(({ path }) => path);
const nested = (levels: number): object => (levels === 0 ? {} : { properties: { a: nested(levels - 1) } });
const checked = (schema: JsonSchema, value: unknown) => new SchemaValidator(schema).problemsOf(value, 'params');

/** Each definition asks for the next one twice: two to the thirtieth checks of one value. */
const DOUBLING: JsonSchema = {
  type: 'object',
  properties: { a: { $ref: '#/$defs/d0' } },
  $defs: Object.fromEntries(
    Array.from({ length: 31 }, (_, i) => [
      `d${i}`,
      i === 30 ? { type: 'string' } : { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
    ]),
  ),
};

describe('the rules for schemas', () => {
  it('let references within pass, and none that lead out', () => {
    expect(pathsOf({ $ref: '#/$defs/a', $defs: { a: { $ref: '#b' } } })).toEqual([]);
    expect(pathsOf({ allOf: [{ $ref: 'https://example.com/a.json' }, { $ref: 'other.json#/a' }] })).toEqual([
      's.allOf.0.$ref',
      's.allOf.1.$ref',
    ]);
    expect(pathsOf({ properties: { $ref: { type: 'string' } } })).toEqual([]); // a field that is called so
  });

  it('bound size, depth and dialect', () => {
    expect(pathsOf(nested(20) as JsonSchema)).toEqual([]);
    expect(pathsOf(nested(40) as JsonSchema)).toEqual(['s']);
    expect(pathsOf({ description: 'x'.repeat(LARGEST_SCHEMA_BYTES) })).toEqual(['s']);
    expect(pathsOf({ $schema: 'http://json-schema.org/draft-04/schema#' })).toEqual(['s.$schema']);
    expect(pathsOf({ $schema: `${DRAFT_07}#` })).toEqual([]);
    expect(pathsOf({ $async: true })).toEqual(['s.$async']);
    expect(pathsOf(JSON.parse('{"properties":{"__proto__":{}}}') as JsonSchema)).toEqual(['s.properties.__proto__']);
  });
});

describe('a schema', () => {
  it('names every field that does not fit, with what would', () => {
    const schema = {
      type: 'object',
      properties: {
        tile: { type: 'integer' },
        unit: { enum: ['m', 'ft'] },
        points: { type: 'array', items: { type: 'object', properties: { 'a/b': { type: 'number' } } } },
        at: { type: 'string', format: 'date-time' },
      },
      required: ['tile', 'constructor'],
      additionalProperties: false,
    };
    expect(checked(schema, { unit: 'km', points: [{ 'a/b': 'x' }], at: 'now', more: 1 })).toEqual([
      { path: 'params.tile', message: 'is missing' },
      { path: 'params.constructor', message: 'is missing' },
      { path: 'params.more', message: 'is not a known field' },
      { path: 'params.unit', message: expect.any(String), value: 'km', allowed: 'one of "m", "ft"' },
      { path: 'params.points.0.a/b', message: 'must be number', value: 'x', allowed: 'number' },
      { path: 'params.at', message: 'must match format "date-time"', value: 'now', allowed: 'date-time' },
    ]);
  });

  it('is read in the dialect that it says it is written in', () => {
    const tuple = (schema: JsonSchema) => checked(schema, ['x']).length;
    expect(tuple({ type: 'array', prefixItems: [{ type: 'number' }] })).toBe(1);
    expect(tuple({ $schema: `${DRAFT_07}#`, type: 'array', items: [{ type: 'number' }] })).toBe(1);
  });

  it.each([
    ['a misspelt keyword', { type: 'object', requred: ['a'] }],
    ['an unknown format', { type: 'string', format: 'moon-phase' }],
    ['a reference to nowhere', { $ref: '#/$defs/none' }],
    ['a broken pattern', { type: 'string', pattern: '(' }],
    ['a reference to itself', { $ref: '#' }],
  ])('with %s is refused', (_what, schema: JsonSchema) => {
    expect(() => new SchemaValidator(schema)).toThrow();
  });

  it.each([
    ['a pattern that backtracks', { properties: { a: { type: 'string', pattern: '^(a+)+$' } }, type: 'object' }, 40],
    ['references that double', DOUBLING, 40],
    ['a comparison of all with all', { type: 'object', properties: { a: { type: 'array', uniqueItems: true } } }, 0],
  ])('with %s holds nobody up for long', (_what, schema: JsonSchema, length) => {
    const a = length > 0 ? `${'a'.repeat(length)}!` : Array.from({ length: 40_000 }, (_, i) => ({ i }));
    const started = performance.now();
    expect(checked(schema, { a })).toEqual([{ path: 'params', message: 'takes too long to check against the schema' }]);
    expect(performance.now() - started).toBeLessThan(30 * TIME_LIMIT_MS);
  });

  it('may be of things within things, and refuses those too deep', () => {
    const tree = { type: 'object', properties: { child: { $ref: '#' } }, additionalProperties: false };
    const deep = (levels: number): object => (levels === 0 ? {} : { child: deep(levels - 1) });
    expect(checked(tree, deep(50))).toEqual([]);
    expect(checked(tree, deep(200))).toEqual([
      { path: 'params', message: 'is nested too deeply: there may be 64 levels' },
    ]);
  });

  it('lists no more errors than anybody reads', () => {
    const list = { type: 'array', items: { type: 'number' } };
    expect(
      checked(
        list,
        Array.from({ length: 500 }, () => 'x'),
      ),
    ).toHaveLength(20);
    expect(
      checked(
        list,
        Array.from({ length: 50_000 }, () => 'x'),
      ),
    ).toHaveLength(1);
  });
});
