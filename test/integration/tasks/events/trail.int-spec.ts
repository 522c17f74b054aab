import type { PoolClient } from 'pg';
import pg from 'pg';
import { decodePosition, encodePosition } from '../../../../src/tasks/events/position.js';
import { Follower } from '../../../../src/tasks/events/follower.js';
import { Tail } from '../../../../src/tasks/events/tail.js';
import { TrailReader } from '../../../../src/tasks/events/trail-reader.js';
import type { TrailEvent } from '../../../../src/tasks/events/trail-event.js';
import { Engine, work } from '../../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../../support/test-database.js';
import { waitFor } from '../../../support/wait-for.js';

let database: TestDatabase;
let engine: Engine;
let pool: pg.Pool;

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
  pool = new pg.Pool({ connectionString: database.url, max: 20 });
});
afterEach(async () => {
  await engine.close();
  await pool.end();
  await database.drop();
});

const partsOf = ({ app }: Engine) => ({
  reader: app.get(TrailReader, { strict: false }),
  tail: app.get(Tail, { strict: false }),
});

/** Collects what a follower gives: `name:number of the audit row`. */
class Listener {
  static async open(on: Engine, from?: string): Promise<Listener> {
    return new Listener(await Follower.open(partsOf(on), from === undefined ? undefined : decodePosition(from)));
  }

  readonly events: TrailEvent[] = [];
  /** Where one would go on after each of them. */
  readonly positions: string[] = [];
  private readonly done = this.listen();

  constructor(readonly follower: Follower) {}

  private async listen(): Promise<void> {
    for (let page = await this.follower.next(); page; page = await this.follower.next()) {
      for (const event of page.events) {
        const within = { until: page.until, id: event.row.id, count: event.count };
        this.positions.push(encodePosition({ ...page.start, within }));
        this.events.push(event);
      }
    }
  }

  get ids(): string[] {
    return this.events.map((event) => `${event.row.id}/${event.taskId}`);
  }

  async until(count: number): Promise<void> {
    await waitFor(`${String(count)} events`, () => this.events.length >= count);
  }

  async close(): Promise<void> {
    this.follower.close();
    await this.done;
  }
}

const insert = (client: PoolClient | pg.Pool, task: string): Promise<unknown> =>
  client.query(
    `INSERT INTO task_events (task_id, to_status, attempt, fence, actor, reason) VALUES ($1, 'created', 0, 0, 'test', 'created')`,
    [task],
  );

const taskId = (n: number): string => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;

async function begin(): Promise<PoolClient> {
  const client = await pool.connect();
  await client.query('BEGIN');
  return client;
}

async function commit(client: PoolClient): Promise<void> {
  await client.query('COMMIT');
  client.release();
}

const trail = async (): Promise<string[]> => {
  const rows = await engine.database.query<{ id: string; task_id: string }>(
    'SELECT id, task_id FROM task_history ORDER BY id, task_id',
  );
  return rows.map(({ id, task_id }) => `${id}/${task_id}`);
};

describe('following the audit trail', () => {
  it('tells each row once, though ids are committed out of order and transactions stay open', async () => {
    const [early, long] = [await begin(), await begin()];
    await insert(long, taskId(1));
    await insert(early, taskId(2));
    const listener = await Listener.open(engine);
    const late = await begin();
    await insert(late, taskId(3));
    await commit(late);
    await listener.until(1);
    await insert(early, taskId(4));
    await commit(early);
    await listener.until(3);
    await insert(pool, taskId(5));
    await listener.until(4);
    await commit(long);
    await listener.until(5);
    await listener.close();
    expect(listener.events.map((event) => event.taskId)).toEqual([3, 2, 4, 5, 1].map(taskId));
    expect([...listener.ids].sort()).toEqual(await trail());
  });

  it('tells what was rolled back to nobody', async () => {
    const listener = await Listener.open(engine);
    const undone = await begin();
    await insert(undone, taskId(1));
    await insert(pool, taskId(2));
    await listener.until(1);
    await undone.query('ROLLBACK');
    undone.release();
    await insert(pool, taskId(3));
    await listener.until(2);
    await listener.close();
    expect(listener.events.map((event) => event.taskId)).toEqual([2, 3].map(taskId));
  });

  it('goes on from any position, in any process, without a gap or a repetition', async () => {
    const other = await Engine.open(database.url);
    const listener = await Listener.open(engine);
    const long = await begin();
    await insert(long, taskId(1));
    await engine.tasks.enqueueMany(
      work,
      Array.from({ length: 30 }, (_, n) => ({ n })),
      { actor: 'test' },
    ); // one row of many tasks
    await listener.until(30);
    for (const n of [2, 3, 4]) await insert(pool, taskId(n));
    await listener.until(33);
    await commit(long);
    await listener.until(34);
    await listener.close();
    expect([...listener.ids].sort()).toEqual(await trail());
    for (const at of [0, 1, 14, 28, 29, 30, 32, 33]) {
      const again = await Listener.open(other, listener.positions[at]);
      const rest = listener.ids.slice(at + 1);
      await again.until(rest.length);
      await insert(pool, taskId(100 + at)); // and what happens from then on, once
      await again.until(rest.length + 1);
      await again.close();
      // What was open when the position was given may come before what followed it.
      expect([...again.ids.slice(0, rest.length)].sort()).toEqual([...rest].sort());
      expect(again.events.at(-1)?.taskId).toBe(taskId(100 + at));
      listener.events.push(again.events.at(-1)!); // the next ones see it as well
    }
    await other.close();
  });

  it('goes on in a process that has looked less lately than the one that gave the position', async () => {
    const late = await Engine.open(database.url);
    partsOf(engine).tail.lookEveryMs = 20;
    partsOf(late).tail.lookEveryMs = 1_000;
    const [here, there] = [await Listener.open(engine), await Listener.open(late)];
    await insert(pool, taskId(1));
    await here.until(1);
    const position = encodePosition(here.follower.position);
    expect(there.events).toEqual([]);
    const again = await Listener.open(late, position);
    await insert(pool, taskId(2));
    await there.until(2);
    await again.until(1);
    await Promise.all([here, there, again].map((listener) => listener.close()));
    await late.close();
    expect(again.events.map((event) => event.taskId)).toEqual([taskId(2)]);
  });

  it('keeps each task in its own order while many are worked on', async () => {
    const listener = await Listener.open(engine);
    await engine.work();
    const inputs = Array.from({ length: 200 }, (_, n) => ({ n }));
    for (let i = 0; i < 5; i += 1) await engine.tasks.enqueueMany(work, inputs, { actor: 'test' });
    for (let n = 0; n < 20; n += 1) await engine.enqueue(work, { n });
    await listener.until(3 * 1_020);
    await listener.close();
    const moves = new Map<string, string[]>();
    for (const { taskId: id, row } of listener.events) moves.set(id, [...(moves.get(id) ?? []), row.to_status]);
    expect([...new Set([...moves.values()].map((list) => list.join(' ')))]).toEqual(['queued running completed']);
    expect(new Set(listener.ids).size).toBe(listener.ids.length);
    expect(listener.events[0]?.facts).toMatchObject({ type: 'test.work', queue: 'default' });
  });

  it('lets go of what waits for a slow follower, who reads it again and misses nothing', async () => {
    const slow = await Follower.open(partsOf(engine));
    slow.mostWaiting = 10;
    const quick = await Listener.open(engine);
    for (let round = 1; round <= 5; round += 1) {
      await engine.tasks.enqueueMany(
        work,
        Array.from({ length: 20 }, (_, n) => ({ n })),
        { actor: 'test' },
      );
      await quick.until(round * 20);
    }
    const heard: string[] = [];
    while (heard.length < 100) {
      const page = await slow.next();
      heard.push(...(page?.events ?? []).map((event) => `${event.row.id}/${event.taskId}`));
    }
    slow.close();
    await quick.close();
    expect(heard).toEqual(quick.ids);
  });

  it('asks the database nothing while nobody listens, and goes on when the connection was lost', async () => {
    const looks = async (): Promise<number> => {
      const { rows } = await pool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'photosafe-events' AND datname = current_database()`,
      );
      return rows[0]?.n ?? -1;
    };
    await waitFor('the connections of those before to be gone', async () => (await looks()) === 0);
    const listener = await Listener.open(engine);
    await insert(pool, taskId(1));
    await listener.until(1);
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'photosafe-events' AND datname = current_database()`,
    );
    await insert(pool, taskId(2));
    await listener.until(2);
    await listener.close();
    expect(listener.events.map((event) => event.taskId)).toEqual([1, 2].map(taskId));
  });

  it('costs the same beside a transaction that stays open and a long history', async () => {
    const idle = await begin();
    await insert(idle, taskId(1)); // holds back every xmin from here on
    await pool.query(`
      INSERT INTO task_events (task_id, to_status, attempt, fence, actor, reason)
      SELECT gen_random_uuid(), 'created', 0, 0, 'test', 'created' FROM generate_series(1, 20000)`);
    await pool.query('ANALYZE task_events');
    const { reader } = partsOf(engine);
    const before = await reader.now();
    await insert(pool, taskId(2));
    const after = await reader.now();
    const { BETWEEN } = await import('../../../../src/tasks/events/trail.sql.js');
    const values = [before.seen, after.seen, '0', 2_000, 2_000];
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off) ${BETWEEN}`,
      values,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    const buffers = Number(/Buffers: shared hit=(\d+)/.exec(plan)?.[1]);
    expect(plan).toContain('task_events_tx');
    expect(buffers).toBeLessThan(40);
    await commit(idle);
  });

  it.each([
    ['nonsense', 'position_malformed'],
    ['t~5-9', 'position_too_old'],
    ['top2v4~zzzzzzzz-5', 'position_unknown'],
  ])('says why it cannot go on from %s', async (text, problem) => {
    expect(await partsOf(engine).reader.resolve(text)).toBe(problem);
  });
});
