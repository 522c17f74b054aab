import { jsonArray, numberArray, unlessNull, uuidArray } from '../../../src/platform/database/array-literal.js';
import { Engine } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

let database: TestDatabase;
let engine: Engine;

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
});

afterAll(async () => {
  await engine.close();
  await database.drop();
});

async function asPostgresReads(type: string, literal: unknown): Promise<unknown> {
  const [row] = await engine.database.query<{ elements: unknown }>(
    `SELECT coalesce(json_agg(e ORDER BY n), '[]') AS elements FROM unnest($1::${type}[]) WITH ORDINALITY AS a(e, n)`,
    [literal],
  );
  return row?.elements;
}

const awkward = {
  ...{ quotes: `"'\`"`, backslashes: '\\ \\\\ \\" \\n', breaks: 'a\nb\tc\r\u2028d', braces: '{,},{}', nothing: 'NULL' },
  ...{ emoji: '🏖️', control: '\u0001\u001f\u007f', nested: { list: [1, null, 'x"y\\'] }, empty: '' },
};

it('writes JSON texts so that PostgreSQL reads what was meant', async () => {
  const values = [awkward, null, 'NULL', 1.5, [], '"', '\\'];
  expect(await asPostgresReads('jsonb', jsonArray(values.map((value) => JSON.stringify(value))))).toEqual(values);
});

it('tells a null of SQL from one of JSON', async () => {
  const [row] = await engine.database.query(
    `SELECT (a)[1] IS NULL AS sql, (a)[2] = 'null' AS json FROM (SELECT $1::jsonb[]) AS x(a)`,
    [jsonArray([null, 'null'])],
  );
  expect(row).toEqual({ sql: true, json: true });
});

it('writes ids and numbers, and empty arrays', async () => {
  const id = '01a20b04-3129-76c4-aa22-64709fbfc9a7';
  expect(await asPostgresReads('uuid', uuidArray([id, id]))).toEqual([id, id]);
  expect(await asPostgresReads('int', numberArray([1, -2, 0]))).toEqual([1, -2, 0]);
  expect(await asPostgresReads('int', numberArray([]))).toEqual([]);
  expect(await asPostgresReads('jsonb', jsonArray([]))).toEqual([]);
});

it('leaves an array out only when all of it is null', () => {
  expect(unlessNull([null, null])).toEqual([]);
  expect(unlessNull([null, 0, ''])).toEqual([null, 0, '']);
});
