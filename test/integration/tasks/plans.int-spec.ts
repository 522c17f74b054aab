import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { CANCEL_UNHELD, HOLD_TASKS, LIVE_FAMILY, REQUEST_CANCEL } from '../../../src/tasks/queue/cancel.sql.js';
import { CLAIM, NEXT_DUE, PROMOTE } from '../../../src/tasks/queue/claim.sql.js';
import { EnginePool, PLANNER_BY_KEY } from '../../../src/tasks/queue/engine-pool.js';
import { CLAIM_SUSPECT, FREE_ORPHANS, HOLD_ORPHANS, SURVEY } from '../../../src/tasks/isolation/isolation.sql.js';
import { FROM_THE_START } from '../../../src/tasks/limits/lane-position.js';
import { REVISION } from '../../../src/tasks/limits/limits.sql.js';
import { REGISTER_WORKER, RENEW_LEASE } from '../../../src/tasks/queue/lease.sql.js';
import { EVENTS_OF_TASK, IDS_BY_PREFIX, TASK_BY_ID, THROUGHPUT } from '../../../src/tasks/queue/read.sql.js';
import { FINISH, HOLD, REQUEUE, SAVE_CHECKPOINT, WRITE_PROGRESS } from '../../../src/tasks/queue/settle.sql.js';
import { LOOK, listStatement } from '../../../src/tasks/listing/task-list.sql.js';
import { EXPIRED, FINISHED_TYPES, MISSING_PARENTS } from '../../../src/tasks/retention/retention.sql.js';
import { QUEUES } from '../../../src/tasks/worker/backlog.sql.js';
import type { Sql } from '../../../src/platform/database/transaction.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { ACTOR, Engine, work } from '../../support/engine-harness.js';

const BACKLOG = 50_000;
const HELD = 200;
const BIG_TABLES = ['live_tasks', 'finished_tasks', 'task_events', 'task_event_batches'];

let database: TestDatabase;
let engine: Engine;
const workerId = uuidv7();
/** What the worker holds. */
let held: { id: string; fence: number }[] = [];
let finished: string;
let revision: string;
/** A connection that has settled before there was anything to settle: its plans are from then. */
let early: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
  // Statistics must be as they happen to be: none at first.
  for (const table of BIG_TABLES) {
    await engine.database.query(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
  }
  await engine.database.query('VACUUM ANALYZE live_tasks');
  early = new pg.Client({
    connectionString: database.url,
    options: Object.entries(PLANNER_BY_KEY)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });
  await early.connect();
  for (const [name, { text, values }] of Object.entries(byKey)) {
    await early.query(`PREPARE ${name} AS ${text}`);
    await early.query(execution(name, values(0)));
  }
  await engine.database.query(`
    INSERT INTO finished_tasks (id, type, version, queue, status, joining, priority, attempt, max_attempts, fence, crash_count,
      timeout_ms, processed, run_at, created_at, updated_at, completed_at, weight, requested_by, name, drift_score, params, task_metadata)
    SELECT gen_random_uuid(), 'test.work', 1, 'default', 'completed', false, 0, 1, 3, 1, 0,
      1, 0, now(), now(), now(), now(), 1, 'x', 'x', 0, '{}', '{}' FROM generate_series(1, 50000)`);
  await engine.database.query(`
    INSERT INTO task_event_batches (to_status, actor, reason, tasks, task_ids)
    SELECT 'queued', 'x', 'x', uuid_range(id, id, '[]'), ARRAY[id] FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 50000)) new`);
  finished = (await engine.database.query<{ id: string }>('SELECT id FROM finished_tasks LIMIT 1'))[0]?.id ?? '';
  await engine.tasks.enqueueMany(
    work,
    Array.from({ length: BACKLOG }, (_, n) => ({ n })),
    { actor: ACTOR },
  );
  const pool = engine.app.get(EnginePool);
  await pool.query(REGISTER_WORKER, [workerId, 'plans', 0, '{}', [], 3_600_000, false]);
  revision = (await pool.query<{ revision: string }>(REVISION))[0]!.revision;
  held = await pool.query(CLAIM, [workerId, 'default', [work.name], HELD, [1], revision, ...FROM_THE_START]);
}, 120_000);

afterAll(async () => {
  await early.end();
  await engine.close();
  await database.drop();
});

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** Runs a statement and takes it back; gives how it read the big tables: node and index → rows looked at. */
async function readsOf(sql: Sql, text: string, values: readonly unknown[]): Promise<Record<string, number>> {
  const [row] = await sql.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
    values,
  );
  const reads: Record<string, number> = {};
  for (const node of nodesOf(row!['QUERY PLAN'][0]!.Plan)) {
    if (!BIG_TABLES.includes(node['Relation Name'] ?? '')) continue;
    if (node['Node Type'] === 'ModifyTable') continue;
    const looked = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    const name = node['Index Name'] ?? `${node['Node Type']} on ${String(node['Relation Name'])}`;
    reads[name] = (reads[name] ?? 0) + Math.round(looked);
  }
  return reads;
}

class TakenBack extends Error {}

/** As the engine's own connections plan it; with values that are not known when it is planned, when `prepared`. */
async function engineReads(
  text: string,
  values: readonly unknown[],
  prepared = false,
): Promise<Record<string, number>> {
  let reads: Record<string, number> = {};
  await engine.app
    .get(EnginePool)
    .transaction(async (sql) => {
      if (prepared) await sql.query(`PREPARE planned AS ${text}`);
      reads = prepared ? await readsOf(sql, execution('planned', values), []) : await readsOf(sql, text, values);
      if (prepared) await sql.query('DEALLOCATE planned');
      throw new TakenBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof TakenBack)) throw error;
    });
  return reads;
}

/** The same by a plan that was made, and kept, while there were no tasks. */
async function earlyReads(name: string, values: readonly unknown[]): Promise<Record<string, number>> {
  await early.query('BEGIN');
  try {
    const query = async <Row extends object>(text: string): Promise<Row[]> => (await early.query<Row>(text)).rows;
    return await readsOf({ query }, execution(name, values), []);
  } finally {
    await early.query('ROLLBACK');
  }
}

const execution = (name: string, values: readonly unknown[]): string =>
  `EXECUTE ${name}${values.length === 0 ? '' : ` (${values.map(literal).join(', ')})`}`;

const literal = (value: unknown): string =>
  Array.isArray(value) ? `'{${value.map((element) => String(element)).join(',')}}'` : `'${String(value)}'`;

const ids = (count: number): string[] => held.slice(0, count).map(({ id }) => id);
const fences = (count: number): number[] => held.slice(0, count).map(({ fence }) => fence);
const nulls = (count: number): null[] => Array<null>(count).fill(null);
const many = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);

const finishValues = (n: number): unknown[] => [
  workerId,
  ids(n),
  fences(n),
  many(n, 'completed'),
  nulls(n),
  nulls(n),
  nulls(n),
  nulls(n),
  many(n, 0),
  nulls(n),
  many(n, 'worker'),
];

const requeueValues = (n: number): unknown[] => [
  workerId,
  ids(n),
  fences(n),
  many(n, 0),
  many(n, 'backoff'),
  nulls(n),
  nulls(n),
  nulls(n),
  many(n, 0),
  nulls(n),
  300,
];

const progressValues = (n: number): unknown[] => [workerId, ids(n), fences(n), many(n, 1), many(n, 2)];

/** What the engine plans once, joining by key. */
const byKey = {
  finish: { text: FINISH, values: finishValues },
  requeue: { text: REQUEUE, values: requeueValues },
  progress: { text: WRITE_PROGRESS, values: progressValues },
};

describe.each([
  ['without statistics', 'SELECT 1'],
  ['with statistics of the backlog', 'ANALYZE'],
])('beside a backlog and a history of 50,000, %s', (_name, prepare) => {
  beforeAll(async () => {
    await engine.database.query(prepare);
  });

  it('a claim reads as many rows as it takes', async () => {
    const reads = await engineReads(
      CLAIM,
      [workerId, 'default', [work.name], 10, [1], revision, ...FROM_THE_START],
      true,
    );
    expect(Object.keys(reads).sort()).toEqual(['Tid Scan on live_tasks', 'live_tasks_ready']);
    expect(Math.max(...Object.values(reads))).toBe(10);
  });

  it.each([1, 20, HELD])('settling %i attempts reads those', async (n) => {
    const expected = { finish: n, requeue: n, progress: 2 * n };
    for (const [name, { values }] of Object.entries(byKey)) {
      expect(await earlyReads(name, values(n))).toEqual({ live_tasks_pkey: expected[name as keyof typeof byKey] });
    }
    // In a transaction with what follows for parents, it is planned anew.
    expect(await engineReads(FINISH, finishValues(n))).toEqual({ live_tasks_pkey: n });
  });

  it('settling with effects reads the one task, on a connection of the application as well', async () => {
    let reads: Record<string, number> = {};
    await engine.database
      .transaction(async (tx) => {
        reads = await readsOf(tx, FINISH, finishValues(1));
        throw new TakenBack();
      })
      .catch((error: unknown) => {
        if (!(error instanceof TakenBack)) throw error;
      });
    expect(reads).toEqual({ live_tasks_pkey: 1 });
  });

  it('what an attempt writes reads its task', async () => {
    const [one] = held;
    const holder = [workerId, one?.id, one?.fence];
    expect(Object.values(await engineReads(HOLD, [...holder, '1000']))).toEqual([1]);
    expect(Object.values(await engineReads(SAVE_CHECKPOINT, [...holder, '1']))).toEqual([1]);
  });

  it('renewing a lease and looking for orphans read what workers hold', async () => {
    const renewal = await engineReads(RENEW_LEASE, [workerId, 10_000, ids(HELD)]);
    expect(Object.values(renewal).every((rows) => rows <= HELD)).toBe(true);
    expect(Object.keys(renewal)).not.toContain('Seq Scan on live_tasks');
    expect(await engineReads(HOLD_ORPHANS, [])).toEqual({ live_tasks_running: HELD });
    const freed = [ids(HELD), many(HELD, true), many(HELD, false), nulls(HELD)];
    expect(await engineReads(FREE_ORPHANS, freed)).toEqual({ live_tasks_pkey: HELD });
  });

  it('looking for suspects, of which there are none, reads none', async () => {
    const survey = [['default'], [work.name], [1], 10_000];
    const reads = await engineReads(SURVEY, [...survey, [workerId]], true);
    expect(reads).toEqual({ live_tasks_suspects: 0 });
    expect(await engineReads(CLAIM_SUSPECT, [...survey.slice(0, 3), workerId, revision])).toEqual({
      live_tasks_suspects: 0,
      live_tasks_pkey: 0,
    });
  });

  it('promoting delayed tasks reads those that are due', async () => {
    expect(await engineReads(PROMOTE, [5_000], true)).toEqual({ live_tasks_delayed: 0, live_tasks_pkey: 0 });
    expect(Math.max(0, ...Object.values(await engineReads(NEXT_DUE, [], true)))).toBe(0);
  });

  it('the overview of queues reads no more than it counts', async () => {
    const reads = await engineReads(QUEUES, [['default', 'other'], 10]);
    expect(reads).toEqual({ live_tasks_ready: 20, live_tasks_delayed_lanes: 0, live_tasks_running: 2 * HELD });
  });

  it('cancelling reads the task and what is below it', async () => {
    const [one] = held;
    const most = async (text: string, values: readonly unknown[]): Promise<number> =>
      Math.max(0, ...Object.values(await engineReads(text, values)));
    expect(await most(LIVE_FAMILY, [[one?.id], 100])).toBe(1);
    expect(await most(HOLD_TASKS, [ids(3)])).toBe(3);
    expect(await most(CANCEL_UNHELD, [ids(3), ACTOR, [one?.id]])).toBe(3);
    expect(await most(REQUEST_CANCEL, [ids(3), ACTOR])).toBe(3);
  });

  it('what asks for a type reads the index of kinds, as far as it must', async () => {
    const reads = (text: string, values: readonly unknown[]) => readsOf(engine.database, text, values);
    const page = listStatement(
      { types: [work.name], statuses: ['completed'] },
      { limit: 10, offset: 0, look: LOOK.rows },
    );
    expect(await reads(page.text, page.values)).toEqual({ finished_tasks_kind: 10 });
    expect(await reads(THROUGHPUT, ['test.other'])).toEqual({ finished_tasks_kind: 0 });
    expect(await reads(FINISHED_TYPES, [])).toEqual({ finished_tasks_kind: 1 });
    const first = '00000000-0000-0000-0000-000000000000';
    const expired = [work.name, 'completed', first, 'ffffffff-ffff-ffff-ffff-ffffffffffff', new Date(), 5];
    expect(await reads(EXPIRED, expired)).toEqual({ finished_tasks_kind: 5 });
  });

  it('what looks for batches without their task leaps through the index of children', async () => {
    const first = '00000000-0000-0000-0000-000000000000';
    const reads = await readsOf(engine.database, MISSING_PARENTS, [first, 10]);
    expect(Object.keys(reads).sort()).toEqual(['finished_tasks_children', 'finished_tasks_pkey', 'live_tasks_pkey']);
  });

  it('reading one task reads that one, unfinished or not', async () => {
    for (const id of [held[0]?.id ?? '', finished]) {
      const reads = await readsOf(engine.database, TASK_BY_ID, [id]);
      expect(Math.max(...Object.values(reads))).toBe(1);
      expect(Object.keys(reads).filter((name) => name.startsWith('Seq'))).toEqual([]);
    }
    const prefix = finished.slice(0, 8);
    const span = [prefix.padEnd(32, '0'), prefix.padEnd(32, 'f'), 6];
    expect(Math.max(0, ...Object.values(await readsOf(engine.database, IDS_BY_PREFIX, span)))).toBeLessThan(10);
    expect(Math.max(0, ...Object.values(await readsOf(engine.database, EVENTS_OF_TASK, [held[0]?.id, 0, 50])))).toBe(2);
  });
});
