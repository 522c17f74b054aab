import pg from 'pg';
import { isOlder, type Position } from '../../../../src/tasks/events/position.js';
import { Trail } from '../../../../src/tasks/events/trail.js';
import { BETWEEN, MARK, NEXT_MARK } from '../../../../src/tasks/events/trail.sql.js';
import type { TrailEvent } from '../../../../src/tasks/events/trail-event.js';
import { TrailMarker } from '../../../../src/tasks/events/trail-marker.js';
import { type TrailPage, TrailReader } from '../../../../src/tasks/events/trail-reader.js';
import { Engine } from '../../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../../support/test-database.js';

let database: TestDatabase;
let engine: Engine;
let pool: pg.Pool;
let reader: TrailReader;
let marker: TrailMarker;

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
  reader = engine.app.get(TrailReader, { strict: false });
  marker = new TrailMarker(engine.database);
});
afterEach(async () => {
  await engine.close();
  await pool.end();
  await database.drop();
});

const taskId = (n: number): string => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;

const addSingles = (sql: pg.Pool | pg.PoolClient, first: number, count = 1): Promise<unknown> =>
  sql.query(
    `INSERT INTO task_events (task_id, to_status, attempt, fence, actor, reason)
    SELECT id::uuid, 'created', 0, 0, 'test', 'created' FROM unnest($1::text[]) AS id`,
    [Array.from({ length: count }, (_, i) => taskId(first + i))],
  );

const addBatches = (count: number): Promise<unknown> =>
  pool.query(
    `INSERT INTO task_event_batches (to_status, actor, reason, tasks, task_ids, attempts, fences)
    SELECT 'created', 'test', 'created', uuid_range($1, $1, '[]'), array_fill($1::uuid, '{10}'), array_fill(0, '{10}'),
      array_fill(0, '{10}') FROM generate_series(1, $2)`,
    [taskId(0), count],
  );

async function* pages(from: Position, latest: Position): AsyncGenerator<TrailPage> {
  for (let at = from; at.seen !== latest.seen || at.within;) {
    const page = await reader.page(at, latest);
    yield page;
    at = page.end;
  }
}

async function eventsOf(from: Position, latest: Position): Promise<TrailEvent[]> {
  const events: TrailEvent[] = [];
  for await (const page of pages(from, latest)) events.push(...page.events);
  return events;
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

const rowsIn = (plan: Plan): number =>
  (plan['Node Type'].includes('Scan') && !plan['Node Type'].startsWith('CTE')
    ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
    : 0) + (plan.Plans ?? []).reduce((sum, inner) => sum + rowsIn(inner), 0);

async function rowsReadBy(sql: string, values: readonly unknown[]): Promise<number> {
  const text = `EXPLAIN (ANALYZE, TIMING off, FORMAT json) ${sql}`;
  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(text, [...values]);
  return rowsIn(rows[0]!['QUERY PLAN'][0].Plan);
}

const rowsReadFor = ({ start, until }: TrailPage): Promise<number> =>
  rowsReadBy(BETWEEN, [start.seen, until, start.within?.id ?? '0', 2_000, 2_000]);

describe('catching up on the audit trail', () => {
  it('reads for each page about what the page gives, however much was missed', async () => {
    const from = await reader.now();
    for (let n = 0; n < 20; n += 1) {
      await addSingles(pool, n * 700, 700);
      await addBatches(20);
      await marker.mark(0);
    }
    await pool.query('ANALYZE task_events, task_event_batches');
    const latest = await reader.now();
    let [events, read] = [0, 0];
    for await (const page of pages(from, latest)) {
      events += page.events.length;
      read += await rowsReadFor(page);
    }
    expect(events).toBe(20 * (700 + 20 * 10));
    expect(read).toBeLessThan(3 * 20 * (700 + 20)); // and not 14 pages with all of it
    expect(await rowsReadBy(NEXT_MARK, [from.seen, latest.seen, 700, 700])).toBeLessThan(2_000);
    expect(await rowsReadBy(MARK, [0, 86_400])).toBeLessThan(50);
  });

  it('reads on where no mark was made, and where a mark is all that is left', async () => {
    const from = await reader.now();
    reader.stretch = { singles: 2, batches: 2 };
    await addSingles(pool, 1, 5);
    await marker.mark(0);
    await marker.mark(0); // nothing has happened since
    await addSingles(pool, 6, 5);
    const latest = await reader.now();
    const events = await eventsOf(from, latest);
    expect(events.map((event) => event.taskId)).toEqual(Array.from({ length: 10 }, (_, i) => taskId(i + 1)));
    expect((await pool.query('SELECT FROM task_event_marks')).rowCount).toBe(1);
    await marker.mark(0);
    expect(await eventsOf(latest, await reader.now())).toEqual([]);
  });

  it('keeps each task in its order and leaves nothing out, whatever was open at the marks', async () => {
    reader.stretch = { singles: 1, batches: 1 };
    const from = await reader.now();
    const long = await pool.connect();
    await long.query('BEGIN');
    await addSingles(long, 1); // its number is lower than those of all that follow
    for (let n = 2; n < 6; n += 1) {
      await addSingles(pool, n);
      await addSingles(pool, 100);
      await marker.mark(0);
    }
    await addSingles(long, 100); // the last of that task
    await long.query('COMMIT');
    long.release();
    await marker.mark(0);
    await addSingles(pool, 6);
    const events = await eventsOf(from, await reader.now());
    const rows = await engine.database.query<{ id: string }>('SELECT id FROM task_events ORDER BY id');
    expect(events.map(({ row }) => row.id).sort((a, b) => Number(a) - Number(b))).toEqual(rows.map(({ id }) => id));
    const ofOne = events.filter((event) => event.taskId === taskId(100)).map(({ row }) => Number(row.id));
    expect(ofOne).toEqual([...ofOne].sort((a, b) => a - b));
    expect(ofOne).toHaveLength(5);
  });

  it('gives a mark’s time to positions that have come as far, so that they last', async () => {
    const from = { ...(await reader.now()), takenAt: 1 };
    await addBatches(3);
    await marker.mark(0);
    reader.stretch = { singles: 1, batches: 1 };
    await addBatches(3);
    const first = await reader.page(from, await reader.now());
    expect(first.end.takenAt).toBeGreaterThan(1);
    // In the middle as well.
    const within = { until: first.until, id: first.events[15]!.row.id, count: 5 };
    expect((await reader.page({ ...from, within }, await reader.now())).end).toEqual(first.end);
  });

  it('tells again what lay between two positions, whatever marks were made since', async () => {
    reader.stretch = { singles: 1, batches: 1 };
    const from = await reader.now();
    await addSingles(pool, 1, 3);
    const middle = await reader.now();
    await addSingles(pool, 4, 3);
    await marker.mark(0);
    const mark = (await reader.page(middle, await reader.now())).end;
    await addSingles(pool, 7, 3);
    const until = (await reader.now()).seen;
    expect(isOlder(mark.seen, until)).toBe(true);
    const [, second] = await engine.database.query<{ id: string }>('SELECT id FROM task_events ORDER BY id OFFSET 6');
    const to = { ...middle, within: { until, id: second!.id, count: 1 } };
    const told: string[] = [];
    for await (const some of engine.app.get(Trail, { strict: false }).between(from, to)) {
      told.push(...some.map((event) => event.taskId));
    }
    expect(told).toEqual(Array.from({ length: 8 }, (_, i) => taskId(i + 1)));
  });

  it('marks once a second at most, and forgets marks that no position can need any more', async () => {
    await addSingles(pool, 1);
    await marker.mark();
    await addSingles(pool, 2);
    await marker.mark();
    const marks = async () => (await pool.query('SELECT FROM task_event_marks')).rowCount;
    expect(await marks()).toBe(1);
    await pool.query(`UPDATE task_event_marks SET at = now() - interval '25 hours'`);
    await marker.mark();
    expect(await marks()).toBe(1); // the new one
    expect((await pool.query(`SELECT FROM task_event_marks WHERE at > now() - interval '1 hour'`)).rowCount).toBe(1);
  });

  it('goes on being marked when the clock was set back', async () => {
    await addSingles(pool, 1);
    await marker.mark();
    await pool.query(`UPDATE task_event_marks SET at = now() + interval '1 hour'`);
    await addSingles(pool, 2);
    await marker.mark();
    expect((await pool.query('SELECT FROM task_event_marks')).rowCount).toBe(2);
  });
});
