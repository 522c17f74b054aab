import { type ChildResult, fanOut, type Task } from '../../../src/tasks/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import {
  aborted,
  ACTOR,
  type Deferred,
  deferred,
  Engine,
  once,
  part,
  split,
  splitOnly,
  work,
} from '../../support/engine-harness.js';
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
  await countersAddUp();
  await Promise.all(engines.splice(0).map((each) => each.close()));
  await database.drop();
});

/** Holds at any time, for every fan-out there ever was. */
async function countersAddUp(): Promise<void> {
  const wrong = await engine.database.query(`
    SELECT f.*, live.count AS live, done.completed AS really_completed, done.failed AS really_failed, done.cancelled AS really_cancelled
    FROM task_fan_outs f,
      LATERAL (SELECT count(*)::int AS count FROM live_tasks WHERE parent_id = f.parent_id AND parent_round = f.round) live,
      LATERAL (SELECT count(*) FILTER (WHERE status = 'completed')::int AS completed,
        count(*) FILTER (WHERE status = 'failed')::int AS failed, count(*) FILTER (WHERE status = 'cancelled')::int AS cancelled
        FROM finished_tasks WHERE parent_id = f.parent_id AND parent_round = f.round) done
    WHERE (f.open, f.completed, f.failed, f.cancelled) IS DISTINCT FROM (live.count, done.completed, done.failed, done.cancelled)`);
  expect(wrong).toEqual([]);
}

const batches = (count: number) => Array.from({ length: count }, (_, n) => ({ input: { n } }));

async function collect(results: AsyncIterable<ChildResult>): Promise<ChildResult[]> {
  const all: ChildResult[] = [];
  for await (const result of results) all.push(result);
  return all;
}

/** Looks at a task again and again while it runs; gives every state seen. */
function watch(id: string): { readonly seen: Task[]; readonly end: () => Promise<void> } {
  const seen: Task[] = [];
  let watching = true;
  const looking = (async () => {
    while (watching) seen.push(await engine.tasks.get(id));
  })();
  return {
    seen,
    end: async () => {
      watching = false;
      await looking;
    },
  };
}

describe('a task that splits', () => {
  it('joins with the results of its batches in order', async () => {
    engine.script.when(split, {
      run: () => fanOut(part, batches(7)),
      afterChildren: async (_input, context, { total, completed, failed, cancelled, results }) => ({
        counts: [total, completed, failed, cancelled],
        results: (await collect(results())).map(({ result }) => result),
        attempt: context.task.attempt,
      }),
    });
    engine.script.when(part, ({ n = 0 }) => n * n);
    await engine.work();

    const id = await engine.enqueue(split);

    expect(await engine.finished(id)).toMatchObject({
      status: 'completed',
      result: { counts: [7, 7, 0, 0], results: [0, 1, 4, 9, 16, 25, 36], attempt: 1 },
      progress: 100,
      processed: 7,
      total: 7,
      attempt: 1,
    });
    expect(await engine.trail(id)).toEqual([
      'created>queued enqueued',
      'queued>running claimed',
      'running>queued children_ended',
      'queued>running claimed',
      'running>completed completed',
    ]);
  });

  it('needs no final step of its own', async () => {
    engine.script.when(splitOnly, () => fanOut(part, batches(3)));
    await engine.work();
    expect(await engine.finished(await engine.enqueue(splitOnly))).toMatchObject({
      result: { total: 3, completed: 3 },
    });
  });

  it('waits without a worker, a slot or an attempt', async () => {
    const go = deferred();
    engine.script.when(split, { run: () => fanOut(part, batches(2)), afterChildren: () => 'joined' });
    engine.script.when(part, () => go.promise);
    await engine.work({ concurrency: { default: 2 } });
    const id = await engine.enqueue(split);
    await waitFor(
      'both batches to run',
      async () => (await engine.count(`live_tasks WHERE type = 'test.part' AND status = 'running'`)) === 2,
    );

    expect(await engine.tasks.get(id)).toMatchObject({
      status: 'running',
      waiting: true,
      attempt: 1,
      progress: 0,
      total: 2,
    });
    expect(await engine.database.query('SELECT worker_id FROM live_tasks WHERE id = $1', [id])).toEqual([
      { worker_id: null },
    ]);

    go.resolve();
    expect(await engine.finished(id)).toMatchObject({ status: 'completed', result: 'joined', attempt: 1 });
  });

  it('gives its batches its priority and its actor', async () => {
    engine.script.when(split, () => fanOut(part, batches(1)));
    await engine.work();
    const id = await engine.enqueue(split, {}, { priority: 9 });
    await engine.finished(id);
    expect(await engine.tasks.list({ parentId: id }, { limit: 5 })).toMatchObject([
      { priority: 9, requestedBy: ACTOR, parentId: id },
    ]);
  });

  it('into nothing goes straight to its final step', async () => {
    engine.script.when(split, {
      run: () => fanOut(part, [], { checkpoint: 'nothing to do' }),
      afterChildren: (_input, { checkpoint }, { total }) => ({ checkpoint, total }),
    });
    engine.script.when(splitOnly, () => fanOut(part, []));
    await engine.work();
    expect(await engine.finished(await engine.enqueue(split))).toMatchObject({
      result: { checkpoint: 'nothing to do', total: 0 },
    });
    expect(await engine.finished(await engine.enqueue(splitOnly))).toMatchObject({
      result: { total: 0, completed: 0 },
    });
  });

  it('into nothing in one of several rounds goes on to the next', async () => {
    engine.script.when(split, {
      run: () => fanOut(part, batches(1), { checkpoint: 1 }),
      afterChildren: (_input, { checkpoint }) => {
        if (checkpoint === 5) return 'done';
        const round = Number(checkpoint) + 1;
        return fanOut(part, round === 4 ? batches(2) : [], { checkpoint: round });
      },
    });
    await engine.work();
    expect(await engine.finished(await engine.enqueue(split))).toMatchObject({ status: 'completed', result: 'done' });
    expect(await engine.database.query('SELECT round, total FROM task_fan_outs ORDER BY round')).toEqual([
      { round: 1, total: 1 },
      { round: 2, total: 2 },
    ]);
  });

  it('into nothing for ever fails instead of never ending', async () => {
    engine.script.when(split, { run: () => fanOut(part, []), afterChildren: () => fanOut(part, []) });
    await engine.work();
    expect(await engine.finished(await engine.enqueue(split))).toMatchObject({
      status: 'failed',
      errorCode: 'endless_fan_out',
    });
  });

  it('several times keeps every attempt that really failed', async () => {
    let failures = 0;
    engine.script.when(split, {
      run: () => fanOut(part, batches(1), { checkpoint: 1 }),
      afterChildren: (_input, { checkpoint, task }) => {
        if (task.attempt < 3) {
          failures += 1;
          throw new Error('again');
        }
        return Number(checkpoint) < 4 ? fanOut(part, batches(1), { checkpoint: Number(checkpoint) + 1 }) : task.attempt;
      },
    });
    await engine.work();
    expect(await engine.finished(await engine.enqueue(split))).toMatchObject({
      status: 'completed',
      result: 3,
      attempt: 3,
    });
    expect(failures).toBe(2);
  });

  it('into more batches than a statement holds sees every result, once and in order', async () => {
    const count = 2_500;
    engine.script.when(split, {
      run: () => fanOut(part, batches(count)),
      afterChildren: async (_input, _context, { results }) => {
        const numbers = (await collect(results())).map(({ result }) => Number(result));
        return { count: numbers.length, ordered: numbers.every((n, index) => n === index) };
      },
    });
    const other = await Engine.open(database.url, engine.script);
    engines.push(other);
    await Promise.all([engine, other].map((each) => each.work({ concurrency: { default: 100 } })));
    const id = await engine.enqueue(split);
    expect(await engine.finished(id, { timeoutMs: 30_000 })).toMatchObject({
      status: 'completed',
      result: { count, ordered: true },
      processed: count,
    });
  });

  it('into batches that are not valid fails and adds none', async () => {
    engine.script.when(split, () => fanOut(part, [{ input: { n: 1 } }, { input: { n: 'x' as unknown as number } }]));
    await engine.work();
    expect(await engine.finished(await engine.enqueue(split))).toMatchObject({
      status: 'failed',
      errorCode: 'invalid_task_input',
    });
    expect(await engine.count(`tasks WHERE type = 'test.part'`)).toBe(0);
  });

  it.each([[1.5], [-1], [NaN], [1e12]])('with a weight of %p fails and adds none', async (weight) => {
    engine.script.when(split, () => fanOut(part, [{ input: {}, weight }]));
    await engine.work();
    expect(await engine.finished(await engine.enqueue(split))).toMatchObject({
      status: 'failed',
      errorCode: 'invalid_task_input',
    });
    expect(await engine.count('task_fan_outs')).toBe(0);
  });
});

describe('the progress of a task that splits', () => {
  it('is the exact sum of its batches, and never goes backwards', async () => {
    const finish = new Map<number, Deferred>();
    const report = new Map<number, (done: number, of: number) => void>();
    engine.script.when(split, () =>
      fanOut(
        part,
        [1, 2, 3].map((n) => ({ input: { n }, weight: n * 10 })),
      ),
    );
    engine.script.when(part, async ({ n = 0 }, context) => {
      const end = deferred();
      report.set(n, (done, of) => context.progress(done, of));
      finish.set(n, end);
      await end.promise;
      if (n === 3) throw new Error('a failure counts with what it did');
    });
    await engine.work();
    const id = await engine.enqueue(split);
    await waitFor('all batches to run', () => finish.size === 3);
    const processed = async (expected: number): Promise<void> => {
      await engine.until(id, (task) => task.processed === expected);
    };

    expect(await engine.tasks.get(id)).toMatchObject({ processed: 0, total: 60, progress: 0, waiting: true });
    report.get(1)?.(1, 4); // 2.5 of 10
    await processed(2);
    report.get(2)?.(3, 4); // 15 of 20
    await processed(17);
    finish.get(1)?.resolve();
    await processed(25);
    report.get(3)?.(1, 3); // 10 of 30
    await processed(35);
    expect(await engine.tasks.get(id)).toMatchObject({ progress: 58, eta: expect.any(Date) });
    finish.get(2)?.resolve();
    await processed(40);
    finish.get(3)?.resolve(); // tried again, and then failed
    await waitFor('the second attempt', () => report.get(3) !== undefined);
    await engine.until(id, (task) => task.processed === 40);
    await waitFor('the second attempt to be ended', async () => {
      finish.get(3)?.resolve();
      return (await engine.tasks.get(id)).status === 'failed' || (await engine.tasks.get(id)).status === 'completed';
    });
    expect(await engine.tasks.get(id)).toMatchObject({ processed: expect.any(Number), total: 60 });
  });

  it('never goes backwards in nested rounds, whatever fails, and is kept when it failed', async () => {
    let runs = 0;
    engine.script.when(split, {
      run: () =>
        fanOut(
          splitOnlyRounds,
          [0, 1, 2].map((n) => ({ input: { n }, weight: 100 })),
        ),
      afterChildren: (_input, _context, { failed }) => {
        if (failed > 0) throw new Error('some failed');
      },
    });
    engine.script.when(part, ({ n = 0 }, context) => {
      runs += 1;
      for (let done = 1; done <= 10; done += 1) context.progress(done, 10);
      if (n === 3 && context.task.attempt === 1) throw new Error('once');
    });
    engine.script.when(splitOnlyRounds, {
      run: () => fanOut(part, batches(5), { checkpoint: 1 }),
    });
    await engine.work({ concurrency: { default: 2 } });
    const id = await engine.enqueue(split);
    const { seen, end } = watch(id);
    const done = await engine.finished(id, { timeoutMs: 20_000 });
    await end();

    const processed = seen.map((task) => task.processed);
    expect(processed).toEqual([...processed].sort((a, b) => a - b));
    expect(new Set(processed).size).toBeGreaterThan(3);
    expect(done).toMatchObject({ status: 'completed', processed: 300, total: 300, progress: 100 });
    expect(runs).toBe(18);
  });

  it('does not go backwards when a batch splits once more than it seemed', async () => {
    const goOn = deferred();
    const second = deferred();
    engine.script.when(splitOnly, () =>
      fanOut(split, [
        { input: {}, weight: 100 },
        { input: { n: 1 }, weight: 100 },
      ]),
    );
    engine.script.when(split, {
      run: ({ n }) => fanOut(part, [{ input: { n } }], { checkpoint: 1 }),
      afterChildren: async (_input, { checkpoint }) => {
        if (checkpoint === 2) return 'done';
        await goOn.promise;
        return fanOut(part, [{ input: { key: 'second' } }], { checkpoint: 2 });
      },
    });
    engine.script.when(part, ({ key }) => (key === 'second' ? second.promise.then(() => 1) : 1));
    await engine.work();
    const id = await engine.enqueue(splitOnly);
    await engine.until(id, (task) => task.processed === 200);
    const { seen, end } = watch(id);
    goOn.resolve();
    await waitFor('the second rounds', async () => (await engine.count(`live_tasks WHERE type = 'test.part'`)) === 2);
    await waitFor('another look', () => seen.length > 3 && seen.at(-1)?.processed === 200);
    second.resolve();
    await engine.finished(id);
    await end();
    expect(new Set(seen.map((task) => task.processed))).toEqual(new Set([200]));
  });

  it('is what was done when it fails', async () => {
    engine.script.when(splitOnly, () => fanOut(part, batches(10)));
    engine.script.when(part, ({ n = 0 }) => {
      if (n < 2) throw new Error('no');
    });
    await engine.work();
    expect(await engine.finished(await engine.enqueue(splitOnly))).toMatchObject({
      status: 'failed',
      errorCode: 'batches_failed',
      processed: 8,
      total: 10,
      progress: 80,
    });
  });
});

/** The second level of a nested fan-out. */
const splitOnlyRounds = splitOnly;

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
    await countersAddUp();
    broken = false;
    runs.length = 0;
    const { seen, end } = watch(id);

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
    await countersAddUp();
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
    const { seen, end } = watch(id);

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
    expect(await engine.count(`task_events WHERE to_status = 'cancelled' AND actor <> 'test:another'`)).toBe(0);
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
