import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import {
  ACTOR,
  aborted,
  deferred,
  elsewhere,
  Engine,
  once,
  type TestInput,
  work,
} from '../../support/engine-harness.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
let engine: Engine;
const workers: Engine[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
});

afterEach(async () => {
  await Promise.all([engine, ...workers.splice(0)].map((each) => each.close()));
  await database.drop();
});

async function aWorker(options: Parameters<Engine['work']>[0] = {}, script = engine.script): Promise<Engine> {
  const worker = await Engine.open(database.url, script);
  workers.push(worker);
  return worker.work(options);
}

describe('claiming', () => {
  it('takes the highest priority first, and the oldest of the same', async () => {
    const order: (number | undefined)[] = [];
    engine.script.when(work, ({ n }) => void order.push(n));
    for (const [n, priority] of [0, 5, -3, 5, 0, 1].entries()) await engine.enqueue(work, { n }, { priority });

    await aWorker({ concurrency: { default: 1 } });

    await waitFor('all to be run', () => order.length === 6);
    expect(order).toEqual([1, 3, 5, 0, 4, 2]);
  });

  it('gives the next slot to what comes first, also to what came while a long line was being worked off', async () => {
    const order: (number | undefined)[] = [];
    engine.script.when(work, async ({ n }) => {
      order.push(n);
      if (n === 3) await engine.enqueue(work, { n: 100 }, { priority: 5 });
    });
    await engine.tasks.enqueueMany(
      work,
      Array.from({ length: 10 }, (_, n) => ({ n })),
      { actor: ACTOR },
    );

    await engine.work({ concurrency: { default: 1 } });

    await waitFor('all to be run', () => order.length === 11);
    expect(order).toEqual([0, 1, 2, 3, 100, 4, 5, 6, 7, 8, 9]);
  });

  it('comes within a second to what ranks first when nobody said so', async () => {
    const order: (number | undefined)[] = [];
    engine.script.when(work, async ({ n }) => {
      order.push(n);
      await sleep(20);
    });
    const ids = await engine.tasks.enqueueMany(
      work,
      Array.from({ length: 100 }, (_, n) => ({ n })),
      { actor: ACTOR },
    );
    await aWorker({ concurrency: { default: 1 } });
    await waitFor('the line to move', () => order.length > 2);

    await engine.database.query('UPDATE live_tasks SET rank = 0 WHERE id = $1', [ids.at(-1)?.id]);

    await waitFor('it to run', () => order.includes(99));
    expect(order.length).toBeLessThan(60);
  });

  it('does not go over all that was claimed again and again while an old snapshot keeps it from being removed', async () => {
    const tasks = 5_000;
    const old = await engine.database.connect('old-snapshot');
    try {
      await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await old.query('SELECT count(*) FROM live_tasks');
      await engine.tasks.enqueueMany(
        work,
        Array.from({ length: tasks }, (_, n) => ({ n })),
        { actor: ACTOR },
      );
      const worker = await aWorker({ concurrency: { default: 25 } });
      await waitFor('all to be done', async () => (await engine.count('finished_tasks')) === tasks, {
        timeoutMs: 60_000,
      });
      await worker.close(); // its connections tell what they have read when they end
      workers.length = 0;
    } finally {
      await old.end();
    }

    const [{ read } = { read: 0 }] = await engine.database.query<{ read: number }>(
      `SELECT idx_tup_read::int AS read FROM pg_stat_user_indexes WHERE indexrelname = 'live_tasks_ready'`,
    );
    expect(read).toBeGreaterThanOrEqual(tasks);
    // From the start each time it would be 500,000 and more: 200 claims, each over half of all.
    expect(read).toBeLessThan(20 * tasks);
  });

  it('starts what it claims at once in that order too', async () => {
    const order: (number | undefined)[] = [];
    engine.script.when(work, ({ n }) => void order.push(n));
    for (const n of [0, 1, 2, 3, 4, 5]) await engine.enqueue(work, { n }, { priority: n });

    await aWorker({ concurrency: { default: 100 } });

    await waitFor('all to be run', () => order.length === 6);
    expect(order).toEqual([5, 4, 3, 2, 1, 0]);
  });

  it('leaves types alone that it does not know', async () => {
    const stranger = await engine.enqueue(work);
    await engine.database.query(`UPDATE live_tasks SET type = 'test.stranger' WHERE id = $1`, [stranger]);
    const known = await engine.enqueue(work);

    await aWorker();

    await engine.finished(known);
    expect(await engine.tasks.get(stranger)).toMatchObject({ status: 'queued', attempt: 0 });
  });

  it('leaves a task to newer workers that is of a newer version than it knows', async () => {
    const newer = await engine.enqueue(work);
    await engine.database.query('UPDATE live_tasks SET version = 2 WHERE id = $1', [newer]);
    const known = await engine.enqueue(work);

    await aWorker();

    await engine.finished(known);
    expect(await engine.tasks.get(newer)).toMatchObject({ status: 'queued', attempt: 0 });
  });

  it('leaves tasks alone that wait for a person', async () => {
    const created = await engine.enqueue(work, {}, { runImmediately: false });
    await aWorker();
    await engine.finished(await engine.enqueue(work));
    expect(await engine.tasks.get(created)).toMatchObject({ status: 'created' });
  });

  it('runs as many of a queue at once as it may, and each queue by itself', async () => {
    const running = { default: 0, other: 0 };
    const most = { default: 0, other: 0 };
    const go = deferred();
    const count = (queue: 'default' | 'other') => async () => {
      running[queue] += 1;
      most[queue] = Math.max(most[queue], running[queue]);
      await go.promise;
      running[queue] -= 1;
    };
    engine.script.when(work, count('default')).when(elsewhere, count('other'));
    const inputs = Array.from({ length: 20 }, (_, n) => ({ n }));
    await engine.tasks.enqueueMany(work, inputs, { actor: ACTOR });
    await engine.tasks.enqueueMany(elsewhere, inputs, { actor: ACTOR });

    await aWorker({ concurrency: { default: 3, other: 2 } });

    await waitFor('both queues to be full', () => running.default === 3 && running.other === 2);
    expect(await engine.count(`live_tasks WHERE status = 'running'`)).toBe(5);
    go.resolve();
    await waitFor('all to be done', async () => (await engine.count('finished_tasks')) === 40);
    expect(most).toEqual({ default: 3, other: 2 });
  });

  it('claims nothing from a queue without concurrency', async () => {
    const left = await engine.enqueue(elsewhere);
    await aWorker({ concurrency: { default: 1, other: 0 } });
    await engine.finished(await engine.enqueue(work));
    expect(await engine.tasks.get(left)).toMatchObject({ status: 'queued' });
  });

  it('never gives a task to two workers', async () => {
    const runs = new Map<number, number>();
    engine.script.when(work, ({ n = -1 }: TestInput) => void runs.set(n, (runs.get(n) ?? 0) + 1));
    await engine.tasks.enqueueMany(
      work,
      Array.from({ length: 3_000 }, (_, n) => ({ n })),
      { actor: ACTOR },
    );

    await Promise.all([1, 2, 3].map(() => aWorker({ concurrency: { default: 37 } })));

    await waitFor('all to be done', async () => (await engine.count('finished_tasks')) === 3_000, {
      timeoutMs: 20_000,
    });
    expect(runs.size).toBe(3_000);
    expect([...runs.values()].every((times) => times === 1)).toBe(true);
    expect(await engine.count(`task_history WHERE reason = 'claimed'`)).toBe(3_000);
    const shares = await engine.database.query(
      `SELECT DISTINCT worker_id FROM task_history WHERE reason = 'completed'`,
    );
    expect(shares.length).toBeGreaterThan(1);
  });

  it('runs a task again whose claim the database forgot in a crash, when the slot is free', async () => {
    const go = deferred();
    let runs = 0;
    engine.script.when(work, async () => {
      runs += 1;
      await go.promise;
    });
    await aWorker({ concurrency: { default: 1 }, pollMs: 50 });
    const id = await engine.enqueue(work);
    await waitFor('the task to run', () => runs === 1);

    await engine.database.query(
      `UPDATE live_tasks SET status = 'queued', ready = true, worker_id = NULL, attempt = 0, fence = 0 WHERE id = $1`,
      [id],
    );
    const next = await engine.enqueue(work);
    // With one slot, another claim is made when the first attempt ends: its settlement finds the task not held.
    go.resolve();

    expect(await engine.finished(id)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await engine.finished(next)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(runs).toBe(3);
  });

  it('takes a task that it is running already for the attempt that it is', async () => {
    const go = deferred();
    const runs = new Map<number, number>();
    engine.script.when(work, async ({ n = -1 }: TestInput) => {
      runs.set(n, (runs.get(n) ?? 0) + 1);
      await go.promise;
    });
    await aWorker({ concurrency: { default: 2 }, pollMs: 50 });
    const id = await engine.enqueue(work, { n: 1 });
    await waitFor('the task to run', () => runs.get(1) === 1);

    await engine.database.query(
      `UPDATE live_tasks SET status = 'queued', ready = true, worker_id = NULL, attempt = 0, fence = 0 WHERE id = $1`,
      [id],
    );
    await waitFor(
      'it to be claimed again',
      async () => (await engine.count(`live_tasks WHERE status = 'running'`)) === 1,
    );
    await engine.enqueue(work, { n: 2 });
    await waitFor('the other slot to be free for another', () => runs.get(2) === 1);
    go.resolve();

    expect(await engine.finished(id)).toMatchObject({ status: 'completed', attempt: 1 });
    expect([...runs.values()]).toEqual([1, 1]);
  });

  it('wakes for a new task at once, from this process and from another', async () => {
    await aWorker({ pollMs: 60_000 });
    for (const enqueuer of [engine, workers[0]!]) {
      const id = await enqueuer.enqueue(work);
      const { queuedAt, completedAt } = await engine.finished(id);
      expect(Number(completedAt) - Number(queuedAt)).toBeLessThan(5_000);
    }
  });

  it('finds work by polling when a notice was lost', async () => {
    await aWorker({ pollMs: 100 });
    await engine.finished(await engine.enqueue(work));
    const id = await engine.enqueue(work, {}, { runImmediately: false });
    await engine.database.query(
      `UPDATE live_tasks SET status = 'queued', ready = true, queued_at = now() WHERE id = $1`,
      [id],
    );
    expect((await engine.finished(id)).status).toBe('completed');
  });

  it('tells the handler which task and which attempt it is', async () => {
    const seen = deferred<unknown>();
    engine.script.when(once, (_input, { task, checkpoint }) => seen.resolve({ ...task, checkpoint }));
    const id = await engine.enqueue(once);

    await aWorker();

    expect(await seen.promise).toEqual({
      id,
      type: 'test.once',
      version: 1,
      attempt: 1,
      maxAttempts: 1,
      fence: 1,
      parentId: null,
      requestedBy: ACTOR,
      checkpoint: undefined,
    });
  });

  it('shows who holds a running task', async () => {
    engine.script.when(work, (_input, { signal }) => aborted(signal));
    const worker = await aWorker();
    const id = await engine.enqueue(work);
    await engine.until(id, (task) => task.status === 'running');

    const [row] = await engine.database.query(
      'SELECT t.attempt, t.fence, w.pid FROM live_tasks t JOIN task_workers w ON w.id = t.worker_id WHERE t.id = $1',
      [id],
    );

    expect(row).toEqual({ attempt: 1, fence: 1, pid: process.pid });
    await worker.close();
    expect(await engine.count('task_workers')).toBe(0);
  });
});
