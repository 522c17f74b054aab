import { type Child, runTypeScript } from '../../support/child.js';
import { ACTOR, Engine, once, part, splitOnly, work } from '../../support/engine-harness.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';

/** Processes take their time to start on a busy machine. */
const SLOW = { timeoutMs: 60_000 };

let database: TestDatabase;
let engine: Engine;
const children: Child[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
});

afterEach(async () => {
  for (const child of children) child.process.kill('SIGCONT');
  await Promise.all(children.splice(0).map((child) => child.kill()));
  await engine.close();
  await database.drop();
});

const TIMES = { leaseMs: 3_000, renewMs: 400, pollMs: 500, shutdownGraceMs: 300 };

async function aWorkerProcess(options: object = {}, url = database.url): Promise<Child> {
  const child = runTypeScript('test/integration/tasks/programs/worker.ts', [
    url,
    JSON.stringify({ ...TIMES, ...options }),
  ]);
  children.push(child);
  await child.line(/^working/, SLOW);
  return child;
}

const running = (count: number) =>
  waitFor(
    `${count} tasks to run`,
    async () => (await engine.count(`live_tasks WHERE status = 'running' AND NOT waiting`)) === count,
    SLOW,
  );

describe('a worker process that dies', () => {
  it('leaves its tasks to others within seconds, with their attempts', async () => {
    const dying = await aWorkerProcess();
    const ids = await Promise.all([1, 2, 3].map((n) => engine.enqueue(work, { n })));
    await running(3);
    engine.script.when(work, ({ n }) => `${String(n)} again`);
    await engine.work(TIMES);
    const killed = performance.now();

    await dying.kill('SIGKILL');

    for (const [index, id] of ids.entries()) {
      expect(await engine.finished(id)).toMatchObject({
        status: 'completed',
        result: `${index + 1} again`,
        attempt: 1,
        crashCount: 1,
      });
    }
    expect(performance.now() - killed).toBeLessThan(5_000);
    expect(
      (await engine.tasks.events(ids[0] ?? '', { limit: 20 })).map(({ reason, attempt, fence, actor }) => [
        reason,
        attempt,
        fence,
        actor,
      ]),
    ).toEqual([
      ['enqueued', 0, 0, ACTOR],
      ['claimed', 1, 1, 'worker'],
      ['worker_lost', 0, 1, 'rescuer'],
      ['claimed', 1, 2, 'worker'],
      ['completed', 1, 2, 'worker'],
    ]);
    expect(await engine.count('task_workers WHERE NOT isolated')).toBe(1);
  });

  it('before it splits a task, or after, loses no batch and doubles none', async () => {
    const dying = await aWorkerProcess({ concurrency: { default: 4 } });
    const before = await engine.enqueue(splitOnly, { n: 3, key: 'before' });
    await dying.line(new RegExp(`^splits ${before}`), SLOW);
    const half = await engine.enqueue(splitOnly, { n: 12, key: 'half' });
    await waitFor(
      'some batches to be done',
      async () => (await engine.count(`finished_tasks WHERE type = 'test.part'`)) === 5,
      SLOW,
    );
    await running(4);

    await dying.kill('SIGKILL');
    const runs: number[] = [];
    engine.script.when(splitOnly, async ({ n = 0 }) => {
      const { fanOut } = await import('../../../src/tasks/index.js');
      return fanOut(
        part,
        Array.from({ length: n }, () => ({ input: {} })),
      );
    });
    engine.script.when(part, ({ n = -1 }) => void runs.push(n));
    await engine.work({ ...TIMES, concurrency: { default: 4 } });

    expect(await engine.finished(half, SLOW)).toMatchObject({
      status: 'completed',
      result: { total: 12, completed: 12 },
    });
    expect(await engine.finished(before, SLOW)).toMatchObject({
      status: 'completed',
      result: { total: 3, completed: 3 },
    });
    expect(runs.filter((n) => n >= 0).sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10, 11]);
    expect(await engine.count('tasks WHERE parent_id = $1', [half])).toBe(12);
    expect(await engine.count('task_fan_outs')).toBe(2);
  });

  it('again and again loses nothing', async () => {
    const count = 400;
    await engine.tasks.enqueueMany(
      once,
      Array.from({ length: count }, (_, n) => ({ n })),
      { actor: ACTOR, runImmediately: false },
    );
    const survivor = await aWorkerProcess({ concurrency: { default: 2 } });
    for (let round = 0; round < 3; round += 1) {
      const dying = await aWorkerProcess({ concurrency: { default: 20 } });
      await engine.database.query(
        `UPDATE live_tasks SET status = 'queued', ready = true, queued_at = now()
         WHERE id IN (SELECT id FROM live_tasks WHERE status = 'created' ORDER BY id LIMIT 130)`,
      );
      await waitFor(
        'it to work',
        async () => (await engine.count(`task_history WHERE reason = 'completed'`)) > 10 * (round + 1),
      );
      await dying.kill('SIGKILL');
    }
    await engine.database.query(
      `UPDATE live_tasks SET status = 'queued', ready = true, queued_at = now() WHERE status = 'created'`,
    );
    await waitFor('all to end', async () => (await engine.count('live_tasks')) === 0, SLOW);
    expect(await engine.count(`finished_tasks WHERE status = 'completed'`)).toBe(count);
    expect(await engine.count(`task_history WHERE reason = 'completed'`)).toBe(count);
    expect(survivor.process.exitCode).toBeNull();
  });
});

describe('a worker process that is stopped for a while', () => {
  it('loses its lease; its late results are refused; and it goes on as a new worker', async () => {
    const paused = await aWorkerProcess();
    const id = await engine.enqueue(work, { n: 1 });
    await paused.line(new RegExp(`^started ${id} 1 1`), SLOW);
    engine.script.when(work, () => 'by another');
    await engine.work(TIMES);

    paused.process.kill('SIGSTOP');
    expect(await engine.finished(id, SLOW)).toMatchObject({
      status: 'completed',
      result: 'by another',
      attempt: 1,
      crashCount: 1,
    });
    paused.say('go');
    paused.process.kill('SIGCONT');

    expect(await paused.line(new RegExp(`^went on ${id}`), SLOW)).toMatch(/LeaseLostError$/);
    await waitFor('a new worker', async () => (await engine.count('task_workers')) === 2, SLOW);
    expect(await engine.tasks.get(id)).toMatchObject({ result: 'by another' });
    await engine.close();
    engine = await Engine.open(database.url);
    expect(await engine.finished(await engine.enqueue(work, { n: 2 }), SLOW)).toMatchObject({
      result: `2 by ${paused.pid}`,
    });
  });

  it('and nobody else is there goes on where it was', async () => {
    const paused = await aWorkerProcess();
    const id = await engine.enqueue(work, { n: 1 });
    await paused.line(new RegExp(`^started ${id} 1 1`), SLOW);
    paused.process.kill('SIGSTOP');
    await waitFor(
      'the lease to run out',
      async () => (await engine.count(`task_workers WHERE lease_expires_at < now() - interval '1 second'`)) === 1,
      SLOW,
    );
    paused.process.kill('SIGCONT');
    paused.say('go');

    expect(await engine.finished(id, SLOW)).toMatchObject({
      status: 'completed',
      result: `1 by ${paused.pid}`,
      crashCount: 0,
    });
  });

  it('amid a transaction that holds its task does not hold it for ever', async () => {
    const paused = await aWorkerProcess();
    const id = await engine.enqueue(work, { n: 1, key: 'in a transaction' });
    await paused.line(new RegExp(`^in a transaction ${id}`), SLOW);
    engine.script.when(work, () => 'by another');
    await engine.work(TIMES);

    paused.process.kill('SIGSTOP');

    expect(await engine.finished(id, { timeoutMs: 25_000 })).toMatchObject({
      status: 'completed',
      result: 'by another',
    });
  });
});

describe('a worker process that is asked to end', () => {
  it('hands back what does not end in time, at once and without cost, and exits', async () => {
    const ending = await aWorkerProcess();
    const id = await engine.enqueue(work, { n: 1 });
    await ending.line(new RegExp(`^started ${id} 1 1`), SLOW);
    await engine.close();
    engine = await Engine.open(database.url);

    ending.process.kill('SIGTERM');
    await ending.line(new RegExp(`^stopped ${id} shutdown`), SLOW);
    ending.say('go'); // it listens now

    expect(await ending.ended).toEqual({ code: 0, signal: null });
    expect(['queued', 'completed']).toContain((await engine.tasks.get(id)).status);
    expect(await engine.count('task_workers')).toBe(0);
  });
});

describe('a worker process whose connections break', () => {
  it('lives on, whatever it was doing', async () => {
    const proxy = await FaultProxy.before(database.url);
    try {
      const child = await aWorkerProcess({ concurrency: { default: 20 } }, proxy.url);
      const ids = await Promise.all(Array.from({ length: 20 }, () => engine.enqueue(splitOnly, { n: 10 })));
      const cutting = setInterval(() => {
        proxy.cut();
      }, 400); // on a busy machine it takes a while to connect
      await waitFor('some to end', async () => (await engine.count('finished_tasks')) > 20, SLOW).finally(() => {
        clearInterval(cutting);
      });
      for (const id of ids)
        expect(await engine.finished(id, SLOW)).toMatchObject({
          status: 'completed',
          result: { total: 10, completed: 10 },
        });
      expect(child.process.exitCode).toBeNull();
    } finally {
      await Promise.all(children.splice(0).map((child) => child.kill()));
      await proxy.close();
    }
  });
});
