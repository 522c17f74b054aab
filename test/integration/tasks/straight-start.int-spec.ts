import { logFields, withLogFields } from '../../../src/platform/logging/log-context.js';
import { deferred, Engine, unique, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
let engine: Engine;

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
});

afterEach(async () => {
  await engine.close();
  await database.drop();
});

/** Adds tasks, with a pause for the worker to find its queue empty, until one goes straight to it. */
function untilStraight(): Promise<string> {
  return waitFor('a task that starts as it is added', async () => {
    const id = await engine.enqueue(work);
    return (await transactionsOfStart(id)) === 1 ? id : undefined;
  });
}

/** In how many transactions a task was added and claimed. */
const transactionsOfStart = (id: string): Promise<number> =>
  engine.count(`(SELECT DISTINCT tx FROM task_events WHERE task_id = $1 AND to_status IN ('queued', 'running')) AS t`, [
    id,
  ]);

describe('a task for a worker of the same process that has nothing to do', () => {
  it('is added and claimed in one transaction, with both moves in its trail', async () => {
    await engine.work();
    const id = await untilStraight();

    expect(await engine.finished(id)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await engine.trail(id)).toEqual([
      'created>queued enqueued',
      'queued>running claimed',
      'running>completed completed',
    ]);
  });

  it('is on disk when whoever added it hears of it', async () => {
    // The tests' server does not wait for the disk; this database does, from the next connection on.
    await engine.database.query(`DO $$ BEGIN
      EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$`);
    await engine.close();
    engine = await Engine.open(database.url);
    await engine.work();
    await untilStraight();
    const ask = async (what: string): Promise<unknown> => {
      const [row] = await engine.database.query<{ answer: unknown }>(`SELECT ${what} AS answer`);
      return row?.answer;
    };
    let straight = 0;
    for (let round = 0; round < 30; round += 1) {
      const before = String(await ask('pg_current_wal_insert_lsn()'));
      const id = await engine.enqueue(work);
      // A moment later it would be there in any case.
      expect(await ask(`pg_current_wal_flush_lsn() > '${before}'`)).toBe(true);
      straight += (await transactionsOfStart(id)) === 1 ? 1 : 0;
      await engine.finished(id);
    }
    expect(straight).toBeGreaterThan(0);
  });

  it('is the same to its handler as one that was claimed', async () => {
    const seen = new Map<string, object>();
    engine.script.when(work, (input, { task: { id, ...task }, checkpoint }) => {
      seen.set(id, { input, task, checkpoint });
    });
    const payload = {
      at: new Date(0),
      much: 1e21,
      little: -0,
      text: '"\u2028',
      nested: [{ none: null, left: undefined }],
    };
    const add = (): Promise<string> => engine.enqueue(work, { n: 1, payload }, { actor: 'token:mine', priority: 3 });
    const claimed = await add();
    await engine.work();
    await engine.finished(claimed);
    await untilStraight();
    const straight = await waitFor('the same, started straight', async () => {
      const id = await add();
      await engine.finished(id);
      return (await transactionsOfStart(id)) === 1 ? id : undefined;
    });

    expect(seen.get(claimed)).toMatchObject({ task: { attempt: 1, requestedBy: 'token:mine' } });
    expect(seen.get(straight)).toStrictEqual(seen.get(claimed));
  });

  it('waits its turn behind others', async () => {
    const gate = deferred();
    engine.script.when(work, () => gate.promise);
    await engine.work({ concurrency: { default: 1 } });
    const first = await engine.enqueue(work);
    await engine.until(first, (task) => task.status === 'running');

    const ids = [await engine.enqueue(work), await engine.enqueue(work)];
    expect(await Promise.all(ids.map(async (id) => (await engine.tasks.get(id)).status))).toEqual(['queued', 'queued']);
    gate.resolve();
    for (const id of ids) await engine.finished(id);
  });

  it('is not added twice when its dedup key is taken', async () => {
    const gate = deferred();
    engine.script.when(unique, () => gate.promise);
    await engine.work();
    await untilStraight();
    const id = await engine.enqueue(unique, { key: 'only' });
    expect(await engine.add(unique, { key: 'only' })).toEqual({ id, created: false });
    gate.resolve();
    await engine.finished(id);
    expect((await engine.add(unique, { key: 'only' })).created).toBe(true);
  });

  it('is queued when the lease of that worker is gone, and run by its successor', async () => {
    await engine.work();
    await untilStraight();
    await engine.database.query('DELETE FROM task_workers');

    const id = await engine.enqueue(work);

    expect(await engine.finished(id)).toMatchObject({ status: 'completed', attempt: 1, crashCount: 0 });
  });

  it('gives its slot back when it is refused', async () => {
    await engine.work({ concurrency: { default: 2 } });
    await untilStraight();
    for (let i = 0; i < 5; i++) {
      const bad = engine.add(work, { payload: 'half a pair: \ud800' });
      await expect(bad).rejects.toMatchObject({ code: 'invalid_task_input', fields: [{ path: 'params.payload' }] });
      await expect(engine.add(work, { payload: 1n })).rejects.toThrow(TypeError); // no JSON can hold it
    }
    const ids = await Promise.all([1, 2, 3].map((n) => engine.enqueue(work, { n })));
    for (const id of ids) expect(await engine.finished(id)).toMatchObject({ status: 'completed' });
  });

  it('logs as itself, not as the request that added it', async () => {
    const seen = deferred<object>();
    await engine.work();
    await untilStraight();
    engine.script.when(work, ({ n }) => (n === 7 ? seen.resolve(logFields()) : undefined));

    const id = await withLogFields({ requestId: 'of whoever asked' }, () => engine.enqueue(work, { n: 7 }));

    expect(await seen.promise).toEqual({ jobId: id, taskName: 'test.work', taskVersion: 1, attempt: 1, fence: 1 });
  });

  it('does not keep a process from ending that loses its lease while the task is being added', async () => {
    await engine.work();
    await untilStraight();
    await waitFor('it to be settled', async () => (await engine.count('live_tasks')) === 0);
    const [blocker, other] = [await engine.database.connect('blocker'), await engine.database.connect('other')];
    const connections = async (which: string): Promise<number> =>
      (await other.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND ${which}`)).rows.length;
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE task_events IN SHARE MODE');
    const adding = engine.enqueue(work);
    await waitFor('it to wait', () =>
      connections(`wait_event_type = 'Lock' AND query LIKE '%INSERT INTO live_tasks%'`),
    );

    const closing = engine.close();
    await other.query('DELETE FROM task_workers');
    await waitFor('it to hear of that', async () => (await connections(`application_name = 'photosafe-lease'`)) === 0);
    await blocker.query('COMMIT');

    await Promise.allSettled([closing, adding]);
    await Promise.all([blocker.end(), other.end()]);
  });

  it('is finished or handed back when its process ends meanwhile', async () => {
    await engine.work();
    await untilStraight();
    const adding = Array.from({ length: 20 }, () => engine.enqueue(work).catch(() => undefined));
    await Promise.all([...adding, engine.close()]);

    const running = await withEngine(database.url, (next) => next.count(`live_tasks WHERE status = 'running'`));
    expect(running).toBe(0);
    engine = await Engine.open(database.url);
    await engine.work();
    for (const id of await Promise.all(adding)) {
      if (id !== undefined) expect(await engine.finished(id)).toMatchObject({ status: 'completed', crashCount: 0 });
    }
  });
});

async function withEngine<T>(url: string, work: (engine: Engine) => Promise<T>): Promise<T> {
  const other = await Engine.open(url);
  try {
    return await work(other);
  } finally {
    await other.close();
  }
}
