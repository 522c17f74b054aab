import { Logger } from '@nestjs/common';
import { EnginePool } from '../../../src/tasks/queue/engine-pool.js';
import { STRIKE_OFF_WORKERS } from '../../../src/tasks/queue/lease.sql.js';
import type { Cell } from '../../../src/tasks/isolation/cell.js';
import { Orphans } from '../../../src/tasks/isolation/orphans.js';
import { fanOut } from '../../../src/tasks/index.js';
import { type Child, runTypeScript } from '../../support/child.js';
import { aborted, ACTOR, Engine, once, part, patient, renewed, splitOnly, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { node, Workflows } from '../../support/workflows.js';
import { waitFor } from '../../support/wait-for.js';

/** Processes take their time to start on a busy machine. */
const SLOW = { timeoutMs: 150_000 };
/** From the death of the worker to the end of the last task, where a process starts in some 5 s; else as many times as long. */
const WITHIN_MS = 60_000;
const STARTS_WITHIN_MS = 5_000;
const TIMES = { leaseMs: 4_000, renewMs: 400, pollMs: 500, shutdownGraceMs: 300 };
const PROGRAM = 'test/integration/tasks/programs/perilous-worker.ts';

let database: TestDatabase;
let engine: Engine;
let supervised: Child | undefined;
let starts = 0;

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
  starts = 0;
});

afterEach(async () => {
  await stopSupervising();
  await engine.close();
  await database.drop();
});

const start = (options: object): Child => {
  starts += 1;
  return (supervised = runTypeScript(PROGRAM, [database.url, JSON.stringify({ ...TIMES, ...options })]));
};

/** What systemd and containers do: a process that ends is started again. */
async function supervise(options: object): Promise<void> {
  do await start(options).ended;
  while (supervised !== undefined);
}

async function stopSupervising(): Promise<void> {
  const last = supervised;
  supervised = undefined;
  await last?.kill();
}

const suspects = `live_tasks WHERE status = 'queued' AND NOT ready AND crash_count > 0`;

describe('a task that kills its process', () => {
  it('is found and quarantined; those that ran beside it complete and lose nothing, and so does a batch’s parent', async () => {
    const innocents = await Promise.all(Array.from({ length: 23 }, (_, n) => engine.enqueue(once, { n })));
    const parent = await engine.enqueue(splitOnly, { n: 1 }, { runImmediately: false });
    const poison = await engine.enqueue(once, { key: 'poison' });
    const began = performance.now();

    void supervise({ concurrency: { default: 24 } });
    await waitFor('the first start', async () => (await engine.count('task_workers')) > 0, { ...SLOW, everyMs: 5 });
    const started = performance.now();

    for (const [n, id] of innocents.entries()) {
      expect(await engine.finished(id, SLOW)).toMatchObject({
        status: 'completed',
        result: n,
        attempt: 1,
        crashCount: 1,
      });
    }
    expect(await engine.finished(poison, SLOW)).toMatchObject({
      status: 'failed',
      errorCode: 'poison_pill',
      errorCategory: 'permanent',
      errorMessage: expect.stringMatching(/^2 processes died while they ran this task and nothing else; .*SIGKILL/),
      attempt: 1,
      crashCount: 3,
    });
    const slowness = Math.max(1, (started - began) / STARTS_WITHIN_MS);
    expect(performance.now() - started).toBeLessThan(WITHIN_MS * slowness);
    expect(await engine.trail(poison)).toEqual([
      'created>queued enqueued',
      'queued>running claimed',
      'running>queued worker_lost',
      'queued>running claimed',
      'running>queued worker_lost',
      'queued>running claimed',
      'running>failed quarantined',
    ]);
    expect(starts).toBe(2); // it took one ordinary worker with it, and no more

    // A batch that ends its process is one that failed; its siblings and the final step go their ways.
    await engine.tasks.run(parent, ACTOR);
    expect(await engine.finished(parent, SLOW)).toMatchObject({
      status: 'failed',
      errorCode: 'batches_failed',
      crashCount: 0,
    });
    expect(await engine.count(`finished_tasks WHERE error_code = 'poison_pill' AND parent_id = $1`, [parent])).toBe(1);
    expect(starts).toBe(3);

    // Run again by a person, it is an ordinary task again.
    await stopSupervising();
    expect(await engine.tasks.retry(poison, ACTOR)).toMatchObject({ status: 'queued', crashCount: 0, attempt: 0 });
    engine.script.when(once, () => 'harmless now');
    await engine.work(TIMES);
    expect(await engine.finished(poison, SLOW)).toMatchObject({
      status: 'completed',
      result: 'harmless now',
      crashCount: 0,
    });
  });
});

describe('what became of the tasks of a lost worker', () => {
  it('is logged with all that the lines of an attempt carry', async () => {
    const [killer, lost] = [await engine.enqueue(once), await engine.enqueue(renewed, { n: 1 })];
    await engine.database.query(
      `WITH loss AS (INSERT INTO task_worker_losses (worker_id, witnessed, how) VALUES ($1, true, 'SIGKILL'))
       UPDATE live_tasks SET status = 'running', ready = false, worker_id = $1, fence = 7, started_at = now(),
         attempt = CASE id WHEN $1 THEN 1 ELSE 3 END, crash_count = CASE id WHEN $1 THEN 2 ELSE 0 END,
         deaths_alone = CASE id WHEN $1 THEN 1 ELSE 0 END`,
      [killer],
    );
    const [error, warn] = [jest.spyOn(Logger.prototype, 'error'), jest.spyOn(Logger.prototype, 'warn')];

    await engine.work(TIMES);
    await engine.finished(lost);

    const lines = [...error.mock.calls, ...warn.mock.calls].map(([line]) => line as object);
    jest.restoreAllMocks();
    expect(lines.filter((line) => 'jobId' in line)).toEqual([
      {
        message: 'task quarantined: it kills its process',
        ...{ jobId: killer, taskName: 'test.once', taskVersion: 1, attempt: 1 },
      },
      {
        message: 'task rescued from a lost worker',
        ...{ jobId: lost, taskName: 'test.renewed', taskVersion: 2, attempt: 3, suspect: true },
      },
    ]);
  });
});

describe('a node of a workflow', () => {
  it('that is quarantined lets what runs after it follow; run again, it and they start with a clean record', async () => {
    const workflows = new Workflows(engine);
    const id = await workflows.start(node('first'), node('second', ['first']));
    const [first, second] = [(await workflows.node(id, 'first')).taskId, (await workflows.node(id, 'second')).taskId];
    await engine.database.query(
      `INSERT INTO task_worker_losses (worker_id, witnessed, how) VALUES ($1, true, 'its process ended by SIGKILL')`,
      [id],
    );
    await engine.database.query(
      `UPDATE live_tasks SET status = 'running', ready = false, worker_id = $2, attempt = 1, fence = 3, started_at = now(),
         crash_count = 2, deaths_alone = 1 WHERE id = $1`,
      [first, id],
    );

    await engine.app.get(EnginePool).transaction((sql) => engine.app.get(Orphans).release(sql));

    expect(await engine.tasks.get(first)).toMatchObject({ status: 'failed', errorCode: 'poison_pill', crashCount: 3 });
    expect(await engine.tasks.get(second)).toMatchObject({ status: 'failed', errorCode: 'dependency_failed' });
    expect(await workflows.wrong()).toEqual([]);

    await engine.tasks.retry(first, ACTOR);
    expect(await engine.tasks.get(first)).toMatchObject({ status: 'queued', crashCount: 0 });
    await engine.work(TIMES);
    expect(await workflows.finished(id)).toMatchObject({ status: 'completed' });
  });
});

describe('a worker that is killed because it does not end when asked to', () => {
  it('casts no suspicion on its tasks', async () => {
    const worker = start({ concurrency: { default: 2 }, shutdownGraceMs: 60_000 });
    const id = await engine.enqueue(once, { key: 'deaf' });
    await engine.until(id, ({ status }) => status === 'running', SLOW);
    worker.process.kill('SIGTERM');
    await worker.line(/^stopping/, SLOW);
    await waitFor('it to say so', async () => (await engine.count('task_workers WHERE ending')) === 1);

    await worker.kill('SIGKILL');
    engine.script.when(once, () => 'again');
    await engine.work(TIMES);

    expect(await engine.finished(id)).toMatchObject({ status: 'completed', result: 'again', crashCount: 0 });
  });
});

describe('a process that lost its lease, but lives and was awake', () => {
  it('clears what it held of suspicion', async () => {
    engine.script.when(work, async (_input, { signal }) => aborted(signal));
    await engine.work({ ...TIMES, renewMs: 1_000, openCell: noCell });
    const id = await engine.enqueue(work);
    await engine.until(id, ({ status }) => status === 'running');
    engine.script.when(work, () => 'again');

    await engine.app.get(EnginePool).transaction(async (sql) => {
      const [one] = await sql.query<{ id: string; seen: string }>('SELECT id, seen_at::text AS seen FROM task_workers');
      await sql.query(STRIKE_OFF_WORKERS, [[one?.id], [one?.seen], ['its connection is gone']]);
      await engine.app.get(Orphans).release(sql);
    });
    expect(await engine.tasks.get(id)).toMatchObject({ status: 'queued', crashCount: 1 });

    expect(await engine.finished(id)).toMatchObject({
      status: 'completed',
      result: 'again',
      crashCount: 0,
      attempt: 1,
    });
    expect(await engine.count('task_worker_losses')).toBe(0);
  });
});

describe('suspects', () => {
  const suspect = (count: number) =>
    engine.database.query(
      `UPDATE live_tasks SET ready = false, crash_count = 1 WHERE id IN (SELECT id FROM live_tasks ORDER BY id LIMIT $1)`,
      [count],
    );

  it('run one at a time in a cell and nowhere else, beside a busy queue, and each is cleared by its end', async () => {
    const [count, others] = [300, 3_000];
    let alone = 0;
    let most = 0;
    await engine.tasks.enqueueMany(
      work,
      Array.from({ length: count + others }, (_, n) => ({ n })),
      { actor: ACTOR },
    );
    await suspect(count);
    engine.script.when(work, async ({ n = 0 }) => {
      if (n >= count) return n;
      most = Math.max(most, (alone += 1));
      await new Promise((resolve) => setImmediate(resolve));
      alone -= 1;
      return n;
    });
    const began = performance.now();

    await engine.work(TIMES);

    await waitFor('all to end', async () => (await engine.count('live_tasks')) === 0, SLOW);
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(await engine.count(`finished_tasks WHERE status = 'completed' AND attempt = 1`)).toBe(count + others);
    // In this process there are as many cells as there may be; each has one at a time.
    const cells = await engine.database.query<{ claims: number }>(
      `SELECT count(DISTINCT worker_id)::int AS claims FROM task_history e JOIN finished_tasks t ON t.id = e.task_id
       WHERE t.crash_count = 1 AND e.reason = 'claimed'`,
    );
    expect(most).toBeLessThanOrEqual(cells[0]?.claims ?? 0);
    const overlapping = await engine.count(
      `(SELECT c.worker_id, c.at AS began, lag(e.at) OVER (PARTITION BY c.worker_id ORDER BY c.at) AS last_ended
        FROM task_history c JOIN task_history e ON e.task_id = c.task_id AND e.fence = c.fence AND e.reason = 'completed'
        JOIN finished_tasks t ON t.id = c.task_id AND t.crash_count = 1 WHERE c.reason = 'claimed') AS runs
       WHERE began < last_ended`,
    );
    expect(overlapping).toBe(0);
  });

  it('are ordinary tasks again after an attempt that failed in an orderly way, and can be cancelled like them', async () => {
    const [failing, unwanted] = [await engine.enqueue(work), await engine.enqueue(work)];
    await suspect(2);
    await engine.tasks.cancel(unwanted, ACTOR);
    expect(await engine.tasks.get(unwanted)).toMatchObject({ status: 'cancelled' });
    engine.script.when(work, (_input, { task }) => {
      if (task.attempt === 1) throw new Error('not yet');
      return 'then';
    });
    await engine.work(TIMES);
    expect(await engine.finished(failing)).toMatchObject({ status: 'completed', attempt: 2, crashCount: 0 });
    expect(await engine.count(suspects)).toBe(0);
  });
});

describe('a death that was seen', () => {
  it('is forgotten when an attempt ends by itself, or splits: two count only in a row', async () => {
    engine.script.when(patient, () => Promise.reject(new Error('in an orderly way')));
    engine.script.when(splitOnly, () => fanOut(part, [{ input: {} }]));
    engine.script.when(part, (_input, { signal }) => aborted(signal));
    await engine.work(TIMES);
    const later = { runImmediately: false };
    const [failing, splitting] = [await engine.enqueue(patient, {}, later), await engine.enqueue(splitOnly, {}, later)];
    await engine.database.query('UPDATE live_tasks SET deaths_alone = 1');

    for (const id of [failing, splitting]) await engine.tasks.run(id, ACTOR);

    await engine.until(failing, ({ status, attempt }) => status === 'queued' && attempt === 1);
    await engine.until(splitting, ({ waiting }) => waiting);
    expect(await engine.count('live_tasks WHERE deaths_alone > 0')).toBe(0);
  });
});

const noCell = (): Cell => {
  let end: (end: { kind: 'left' }) => void = () => undefined;
  const leave = (): void => end({ kind: 'left' });
  return { workerId: undefined, ended: new Promise((resolve) => (end = resolve)), stop: leave, kill: leave };
};
