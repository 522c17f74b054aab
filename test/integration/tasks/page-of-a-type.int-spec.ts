import { countStatement, listStatement, LOOK } from '../../../src/tasks/listing/task-list.sql.js';
import { Engine } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

let database: TestDatabase;
let engine: Engine;

/** In the order of their ids: a type that was done for long beside others, and another since. */
beforeAll(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
  await engine.database.query(`
    INSERT INTO finished_tasks (id, type, version, queue, status, joining, priority, attempt, max_attempts, fence, crash_count,
      timeout_ms, processed, run_at, created_at, updated_at, completed_at, weight, requested_by, name, drift_score, params, task_metadata)
    SELECT ('01890000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
      CASE WHEN n > 40000 THEN 'test.since' WHEN n % 4 = 0 THEN 'test.before' ELSE 'test.beside' END, 1, 'default', 'completed',
      false, 0, 1, 3, 1, 0, 1, 0, now(), now(), now(), now(), 1, 'x', 'x', 0, '{}', '{}' FROM generate_series(1, 80000) AS n`);
  await engine.database.query('VACUUM ANALYZE finished_tasks');
}, 60_000);
afterAll(async () => {
  await engine.close();
  await database.drop();
});

/** Rows of finished tasks that a filter threw away, by EXPLAIN. */
async function wasted({ text, values }: { text: string; values: readonly unknown[] }): Promise<number> {
  const rows = await engine.database.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE) ${text}`, values);
  const removed = rows.flatMap((row) => /Rows Removed by Filter: (\d+)/.exec(row['QUERY PLAN'])?.[1] ?? []);
  return removed.reduce((sum, count) => sum + Number(count), 0);
}

const before = { types: ['test.before'] };

describe('a page of a type that has not been done for long', () => {
  it('looks at none of what was done since, nor does its total', async () => {
    const page = { limit: 10, offset: 0, look: LOOK.rows };
    expect(await wasted(listStatement(before, page))).toBe(0);
    expect(await wasted(listStatement(before, { ...page, after: 'ffffffff-0000-7000-8000-000000000000' }))).toBe(0);
    expect(await wasted(countStatement(before, LOOK.rows))).toBe(0);
  });

  it('is the same as ever', async () => {
    const numbers: number[] = [];
    let after: string | undefined;
    for (let page = 0; page < 3; page += 1) {
      const { text, values } = listStatement(before, { limit: 10, offset: 0, look: LOOK.rows, after });
      const [row] = await engine.database.query<{ ids: string[] }>(text, values);
      numbers.push(...(row?.ids ?? []).map((id) => parseInt(id.slice(24), 16)));
      after = row?.ids.at(-1)?.toUpperCase();
    }
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, n) => 40_000 - 4 * n));
  });
});
