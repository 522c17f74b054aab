import { fanOut } from '../../../src/tasks/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { aborted, ACTOR, deferred, Engine, once, part, split, splitOnly, work } from '../../support/engine-harness.js';
import { batches, collect, watch, wrongCounters } from '../../support/fan-outs.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
let engine: Engine;
const engines: Engine[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
  engines.push(engine);
});

afterEach(async () => {
  expect(await wrongCounters(engine)).toEqual([]);
  await Promise.all(engines.splice(0).map((each) => each.close()));
  await database.drop();
});

describe('batches that fail', () => {
  it('fail the task, once all have ended, and say how many', async () => {
    engine.script.when(splitOnly, () => fanOut(part, batches(5)));
    engine.script.when(part, ({ n = 0 }) => {
      if (n % 2 === 0) throw new Error('even');
    });
    await engine.work();
    const id = await engine.enqueue(splitOnly);
    expect(await engine.finished(id)).toMatchObject({
      status: 'failed',
      attempt: 1,
      errorCode: 'batches_failed',
      errorCategory: 'permanent',
      errorMessage: expect.stringContaining('3 of 5 batches failed'),
    });
    expect(await engine.tasks.list({ parentId: id }, { limit: 9 })).toMatchObject(
      [4, 3, 2, 1, 0].map((n) =>
        n % 2 === 0 ? { status: 'failed', attempt: 2 } : { status: 'completed', attempt: 1 },
      ),
    );
  });

  it('are shown to a final step that decides for itself', async () => {
    engine.script.when(split, {
      run: () => fanOut(part, batches(3)),
      afterChildren: async (_input, _context, { failed, results }) => ({
        failed,
        errors: (await collect(results())).map(({ status, errorCode, errorMessage }) => [
          status,
          errorCode,
          errorMessage,
        ]),
      }),
    });
    engine.script.when(part, ({ n }) => {
      if (n === 1) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    await engine.work();
    expect(await engine.finished(await engine.enqueue(split))).toMatchObject({
      status: 'completed',
      result: {
        failed: 1,
        errors: [
          ['completed', null, null],
          ['failed', 'enospc', 'full'],
          ['completed', null, null],
        ],
      },
    });
  });

  it('can be run again alone', async () => {
    const runs: number[] = [];
    let broken = true;
    engine.script.when(splitOnly, () => fanOut(part, batches(6)));
    engine.script.when(part, ({ n = 0 }) => {
      runs.push(n);
      if (broken && n < 2) throw new Error('broken');
    });
    await engine.work();
    const id = await engine.enqueue(splitOnly);
    await engine.finished(id);
    broken = false;
    runs.length = 0;

    await engine.tasks.retryFailedBatches(id, ACTOR);

    expect(await engine.until(id, ({ status }) => status === 'completed')).toMatchObject({
      result: { total: 6, completed: 6 },
      progress: 100,
    });
    expect(runs.sort()).toEqual([0, 1]);
    expect((await engine.trail(id)).slice(-5)).toEqual([
      'failed>queued retry',
      'queued>running waiting_for_children',
      'running>queued children_ended',
      'queued>running claimed',
      'running>completed completed',
    ]);
    await expect(engine.tasks.retryFailedBatches(id, ACTOR)).rejects.toMatchObject({ code: 'nothing_to_retry' });
  });

  it('can be run again alone at any depth, with the sums right', async () => {
    const runs: string[] = [];
    let broken = true;
    engine.script.when(split, {
      run: () =>
        fanOut(
          splitOnly,
          [0, 1, 2].map((n) => ({ input: { n }, weight: 10 })),
        ),
      afterChildren: (_input, _context, { failed }) => {
        if (failed > 0) throw Object.assign(new Error('some failed'), { status: 400 });
        return 'joined';
      },
    });
    engine.script.when(splitOnly, ({ n }) =>
      fanOut(
        part,
        [0, 1, 2, 3].map((m) => ({ input: { n: m, key: String(n) } })),
      ),
    );
    engine.script.when(part, ({ n = 0, key = '' }) => {
      runs.push(`${key}.${n}`);
      if (broken && key !== '0' && n >= 2) throw new Error('broken');
    });
    await engine.work();
    const id = await engine.enqueue(split);
    expect(await engine.finished(id)).toMatchObject({
      status: 'failed',
      errorCode: 'http_400',
      processed: 20,
      total: 30,
    });
    expect(await wrongCounters(engine)).toEqual([]);
    broken = false;
    runs.length = 0;
    const { seen, end } = watch(engine, id);

    await engine.tasks.retryFailedBatches(id, ACTOR);

    expect(await engine.until(id, ({ status }) => status === 'completed')).toMatchObject({
      result: 'joined',
      processed: 30,
    });
    await end();
    expect(runs.sort()).toEqual(['1.2', '1.3', '2.2', '2.3']);
    const processed = seen.map((task) => task.processed);
    expect(processed).toEqual([...processed].sort((a, b) => a - b));
  });

  it('can be run again one by one while the others still run', async () => {
    const go = deferred();
    let broken = true;
    engine.script.when(splitOnly, () => fanOut(part, batches(2)));
    engine.script.when(part, async ({ n = 0 }) => {
      if (n === 1) return go.promise;
      if (broken) throw new Error('broken');
    });
    await engine.work();
    const id = await engine.enqueue(splitOnly);
    const failed = await waitFor(
      'a failed batch',
      async () => (await engine.tasks.list({ parentId: id, statuses: ['failed'] }, { limit: 1 }))[0],
    );
    broken = false;
    await engine.tasks.retry(failed.id, ACTOR);
    await engine.until(failed.id, ({ status }) => status === 'completed');
    go.resolve();
    expect(await engine.finished(id)).toMatchObject({ status: 'completed', result: { total: 2, completed: 2 } });
  });

  it('of a task that is a batch itself can be run again while that one’s parent waits, and not afterwards', async () => {
    const go = deferred();
    let broken = true;
    engine.script.when(split, {
      run: () => fanOut(splitOnly, batches(2)),
      afterChildren: (_i, _c, { completed, failed }) => ({ completed, failed }),
    });
    engine.script.when(splitOnly, ({ n }) => fanOut(part, [{ input: { n } }, { input: { n, key: 'second' } }]));
    engine.script.when(part, async ({ n = 0, key }) => {
      if (n === 1) return go.promise;
      if (broken && key === undefined) throw new Error('broken');
    });
    await engine.work();
    const id = await engine.enqueue(split);
    const nested = await waitFor(
      'a failed batch',
      async () => (await engine.tasks.list({ parentId: id, statuses: ['failed'] }, { limit: 1 }))[0],
    );
    await engine.tasks.retryFailedBatches(nested.id, ACTOR);
    await engine.until(nested.id, ({ status }) => status === 'failed');
    broken = false;
    await engine.tasks.retryFailedBatches(nested.id, ACTOR);
    await engine.until(nested.id, ({ status }) => status === 'completed');
    expect(await wrongCounters(engine)).toEqual([]);
    expect((await engine.tasks.get(id)).status).toBe('running');
    go.resolve();
    expect(await engine.finished(id)).toMatchObject({ status: 'completed', result: { completed: 2, failed: 0 } });
  });

  it('cannot be run again when the task that they are a part of has finished', async () => {
    engine.script.when(splitOnly, () => fanOut(split, batches(1)));
    engine.script.when(split, {
      run: () => fanOut(part, batches(1)),
      afterChildren: () => Promise.reject(new Error('always')),
    });
    engine.script.when(part, () => Promise.reject(new Error('broken')));
    await engine.work();
    const id = await engine.enqueue(splitOnly);
    await engine.finished(id);
    const [nested] = await engine.tasks.list({ parentId: id }, { limit: 1 });
    const [batch] = await engine.tasks.list({ parentId: nested?.id }, { limit: 1 });
    const refused = { kind: 'conflict', code: 'child_of_finished_parent' };
    await expect(engine.tasks.retryFailedBatches(nested?.id ?? '', ACTOR)).rejects.toMatchObject(refused);
    await expect(engine.tasks.retry(nested?.id ?? '', ACTOR)).rejects.toMatchObject(refused);
    await expect(engine.tasks.retry(batch?.id ?? '', ACTOR)).rejects.toMatchObject(refused);
  });

  it('are not there to be run again when there are none, or the task has not failed', async () => {
    const refused = { kind: 'conflict', code: 'nothing_to_retry' };
    const plain = await engine.enqueue(work);
    await expect(engine.tasks.retryFailedBatches(plain, ACTOR)).rejects.toMatchObject(refused);
    await engine.tasks.cancel(plain, ACTOR);
    await expect(engine.tasks.retryFailedBatches(plain, ACTOR)).rejects.toMatchObject(refused);
  });
});

describe('a task that splits and is run again as a whole', () => {
  it('starts anew, and its progress with it', async () => {
    let broken = true;
    engine.script.when(splitOnly, () => fanOut(part, batches(4)));
    engine.script.when(part, ({ n = 0 }) => {
      if (broken && n === 3) throw new Error('broken');
    });
    await engine.work();
    const id = await engine.enqueue(splitOnly);
    await engine.finished(id);
    broken = false;
    const { seen, end } = watch(engine, id);

    await engine.tasks.retry(id, ACTOR);

    expect(await engine.until(id, ({ status }) => status === 'completed')).toMatchObject({
      result: { total: 4, completed: 4 },
      total: 4,
    });
    await end();
    const processed = seen.map((task) => task.processed);
    expect(processed).toEqual([...processed].sort((a, b) => a - b));
    expect(await engine.count('tasks WHERE parent_id = $1', [id])).toBe(8);
  });

  it('is not joined by stragglers of the time before', async () => {
    const straggle = deferred();
    const news = deferred();
    let round = 1;
    engine.script.when(splitOnly, () => fanOut(part, [{ input: { n: round } }]));
    engine.script.when(part, ({ n }) => (n === 1 ? straggle.promise : news.promise));
    await engine.work();
    const id = await engine.enqueue(splitOnly);
    await waitFor(
      'the batch to run',
      async () => (await engine.count(`live_tasks WHERE type = 'test.part' AND status = 'running'`)) === 1,
    );
    await engine.tasks.cancel(id, ACTOR);
    round = 2;
    await engine.tasks.retry(id, ACTOR);
    await waitFor(
      'the new batch',
      async () => (await engine.count('live_tasks WHERE parent_id = $1 AND parent_round = 2', [id])) === 1,
    );
    straggle.resolve();
    await waitFor(
      'the straggler to end',
      async () => (await engine.count('finished_tasks WHERE parent_id = $1', [id])) === 1,
    );
    expect(await engine.tasks.get(id)).toMatchObject({ status: 'running', waiting: true });
    news.resolve();
    expect(await engine.finished(id)).toMatchObject({ status: 'completed', result: { total: 1, completed: 1 } });
  });
});

describe('cancelling a task that splits', () => {
  it('ends it at once, what waits below it at once, and what runs below it soon', async () => {
    let stopped = 0;
    engine.script.when(split, () => fanOut(splitOnly, batches(2)));
    engine.script.when(splitOnly, () => fanOut(part, batches(5)));
    engine.script.when(part, async (_input, { signal }) => {
      await aborted(signal).catch(() => (stopped += 1));
      throw new Error('stopped');
    });
    await engine.work({ concurrency: { default: 3 } });
    const id = await engine.enqueue(split);
    await waitFor(
      'batches to run',
      async () => (await engine.count(`live_tasks WHERE type = 'test.part' AND status = 'running'`)) === 3,
    );
    await waitFor('all to be there', async () => (await engine.count('live_tasks')) === 13);

    expect(await engine.tasks.cancel(id, 'test:another')).toMatchObject({ status: 'cancelled' });

    await waitFor('all to end', async () => (await engine.count('live_tasks')) === 0);
    expect(stopped).toBe(3);
    expect(await engine.count(`finished_tasks WHERE status = 'cancelled'`)).toBe(13);
    expect(await engine.count(`task_history WHERE to_status = 'cancelled' AND actor <> 'test:another'`)).toBe(0);
  });

  it('while it splits ends what it split into, too', async () => {
    const handler = deferred();
    engine.script.when(split, async () => {
      await handler.promise;
      return fanOut(part, batches(3));
    });
    engine.script.when(part, (_input, { signal }) => aborted(signal));
    await engine.work();
    const id = await engine.enqueue(split);
    await engine.until(id, ({ status }) => status === 'running');
    await engine.tasks.cancel(id, ACTOR);
    handler.resolve();
    expect(await engine.finished(id)).toMatchObject({ status: 'cancelled' });
    await waitFor('all to end', async () => (await engine.count('live_tasks')) === 0);
  });

  it('one batch of it counts as cancelled', async () => {
    engine.script.when(split, {
      run: () => fanOut(part, batches(2)),
      afterChildren: (_i, _c, { completed, cancelled }) => ({ completed, cancelled }),
    });
    engine.script.when(part, async ({ n }, { signal }) => {
      if (n === 0) await aborted(signal);
    });
    await engine.work();
    const id = await engine.enqueue(split);
    await waitFor('the other batch to be done', async () => (await engine.tasks.get(id)).processed === 1);
    const [open] = await engine.tasks.list({ parentId: id, statuses: ['queued', 'running'] }, { limit: 1 });
    await engine.tasks.cancel(open?.id ?? '', ACTOR);
    expect(await engine.finished(id)).toMatchObject({ result: { completed: 1, cancelled: 1 } });
  });

  it('can be undone by running its batches again', async () => {
    const runs: number[] = [];
    let open = false;
    engine.script.when(splitOnly, () => fanOut(part, batches(6)));
    engine.script.when(part, async ({ n = 0 }, { signal }) => {
      if (n > 1 && !open) await aborted(signal);
      runs.push(n);
    });
    await engine.work({ concurrency: { default: 2 } });
    const id = await engine.enqueue(splitOnly);
    await waitFor(
      'two to be done',
      async () => (await engine.count(`finished_tasks WHERE status = 'completed'`)) === 2,
    );
    await engine.tasks.cancel(id, ACTOR);
    await waitFor('all to end', async () => (await engine.count('live_tasks')) === 0);
    open = true;
    await engine.tasks.retryFailedBatches(id, ACTOR);
    expect(await engine.until(id, ({ status }) => status === 'completed')).toMatchObject({
      result: { total: 6, completed: 6 },
    });
    expect(runs.sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('many batches of many tasks', () => {
  it('end on two workers at once without waiting for each other', async () => {
    engine.script.when(splitOnly, () => fanOut(part, batches(8)));
    const other = await Engine.open(database.url, engine.script);
    engines.push(other);
    await Promise.all([engine, other].map((each) => each.work({ concurrency: { default: 60 } })));
    await engine.tasks.enqueueMany(
      splitOnly,
      Array.from({ length: 120 }, (_, n) => ({ n })),
      { actor: ACTOR },
    );
    await waitFor('all to end', async () => (await engine.count('live_tasks')) === 0, { timeoutMs: 30_000 });
    expect(await engine.count(`finished_tasks WHERE status = 'completed'`)).toBe(120 * 9);
    const [stats] = await engine.database.query<{ deadlocks: string }>(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(Number(stats?.deadlocks)).toBe(0);
    expect(once.name).toBe('test.once');
  });
});
