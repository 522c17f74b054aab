import { fanOut } from '../../../src/tasks/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { ACTOR, deferred, Engine, part, split, splitOnly, type Deferred } from '../../support/engine-harness.js';
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
    engine.script.when(split, {
      run: () =>
        fanOut(
          part,
          [1, 2, 3].map((n) => ({ input: { n }, weight: n * 10 })),
        ),
      afterChildren: async (_input, { task }, { failed }) => ({
        failed,
        processed: (await engine.tasks.get(task.id)).processed,
      }),
    });
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
    const firstAttempt = finish.get(3);
    firstAttempt?.resolve(); // and is tried again, with what it did
    await waitFor('the second attempt', () => finish.get(3) !== firstAttempt);
    await processed(40);
    finish.get(3)?.resolve();
    expect(await engine.finished(id)).toMatchObject({
      status: 'completed',
      result: { failed: 1, processed: 40 },
      total: 60,
    });
  });

  it('never goes backwards in nested rounds, whatever fails, and is kept when it failed', async () => {
    let runs = 0;
    engine.script.when(split, {
      run: () =>
        fanOut(
          splitOnly,
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
    engine.script.when(splitOnly, {
      run: () => fanOut(part, batches(5), { checkpoint: 1 }),
    });
    await engine.work({ concurrency: { default: 2 } });
    const id = await engine.enqueue(split);
    const { seen, end } = watch(engine, id);
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
    const { seen, end } = watch(engine, id);
    goOn.resolve();
    await waitFor('the second rounds', async () => (await engine.count(`live_tasks WHERE type = 'test.part'`)) === 2);
    await waitFor('another look', () => seen.length > 3 && seen.at(-1)?.processed === 200);
    second.resolve();
    await engine.finished(id);
    await end();
    expect(new Set(seen.map((task) => task.processed))).toEqual(new Set([200]));
  });

  it('does not go backwards when a batch turns out to be larger than it said', async () => {
    const reports = [deferred(), deferred(), deferred()];
    engine.script.when(splitOnly, () => fanOut(part, [{ input: {}, weight: 100 }]));
    engine.script.when(part, async (_input, context) => {
      context.progress(40, 80);
      await reports[0]?.promise;
      context.progress(50, 200);
      await reports[1]?.promise;
      context.progress(150, 200);
      await reports[2]?.promise;
    });
    await engine.work();
    const id = await engine.enqueue(splitOnly);
    await engine.until(id, ({ processed }) => processed === 50);
    const { seen, end } = watch(engine, id);
    const [batch] = await engine.tasks.list({ parentId: id }, { limit: 1 });
    reports[0]?.resolve();
    await engine.until(batch?.id ?? '', ({ updatedAt }) => updatedAt > (batch?.updatedAt ?? 0));
    reports[1]?.resolve();
    await engine.until(id, ({ processed }) => processed === 75);
    reports[2]?.resolve();
    await engine.finished(id);
    await end();
    expect([...new Set(seen.map(({ processed }) => processed))]).toEqual([50, 75, 100]);
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
