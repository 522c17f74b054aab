import { type AnyTaskDefinition, fanOut, LeaseLostError, type TaskContext } from '../../../src/tasks/index.js';
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
  await Promise.all(engines.splice(0).map((each) => each.close()));
  await database.drop();
});

async function aWorker(): Promise<Engine> {
  const worker = await Engine.open(database.url);
  engines.push(worker);
  return worker;
}

/** What the rescuer does to a worker whose lease is gone, at once. */
async function strikeOffAll(): Promise<void> {
  await engine.database.query('DELETE FROM task_workers');
}

interface Stale {
  readonly id: string;
  readonly context: TaskContext;
  /** Ends the stale handler. */
  readonly end: Deferred<unknown>;
  readonly worker: Engine;
}

/** A task that one worker works on while another one has taken it over, and is still at it. */
async function aStaleAttempt(
  task: AnyTaskDefinition = work,
): Promise<Stale & { readonly current: { context: TaskContext; end: Deferred } }> {
  const worker = await aWorker();
  const stale = deferred<TaskContext>();
  const end = deferred<unknown>();
  worker.script.when(task, async (_input, context) => {
    stale.resolve(context);
    return (await end.promise) as string;
  });
  await worker.work({ renewMs: 60_000, leaseMs: 120_000 }); // does not notice by itself
  const id = await engine.enqueue(task);
  const context = await stale.promise;
  const taken = deferred<TaskContext>();
  const currentEnd = deferred();
  const other = await aWorker();
  other.script.when(task, async (_input, ctx) => {
    taken.resolve(ctx);
    await currentEnd.promise;
    return 'by the second';
  });
  await strikeOffAll();
  await other.work();
  return { id, context, end, worker, current: { context: await taken.promise, end: currentEnd } };
}

describe('an attempt whose task was given to someone else', () => {
  it('cannot complete it', async () => {
    const { id, end, current } = await aStaleAttempt();
    end.resolve('by the first');
    current.end.resolve();

    expect(await engine.finished(id)).toMatchObject({
      status: 'completed',
      result: 'by the second',
      attempt: 1,
      crashCount: 0,
    });
    expect(await engine.trail(id)).toEqual([
      'created>queued enqueued',
      'queued>running claimed',
      'running>queued worker_lost',
      'queued>running claimed',
      'running>completed completed',
    ]);
  });

  it('cannot complete it after the second has, either', async () => {
    const { id, end, worker, current } = await aStaleAttempt();
    current.end.resolve();
    await engine.finished(id);
    end.resolve('by the first');
    await worker.close();

    expect(await engine.tasks.get(id)).toMatchObject({ status: 'completed', result: 'by the second' });
  });

  it('cannot fail it', async () => {
    const { id, end, worker, current } = await aStaleAttempt(once);
    end.resolve(Promise.reject(new Error('the first fails')));
    await worker.close();
    current.end.resolve();

    expect(await engine.finished(id)).toMatchObject({ status: 'completed', result: 'by the second', errorCode: null });
  });

  it('cannot save a checkpoint', async () => {
    const { id, context, end, current } = await aStaleAttempt();
    await current.context.saveCheckpoint('from the second');

    await expect(context.saveCheckpoint('from the first')).rejects.toThrow(LeaseLostError);

    expect(context.signal.aborted).toBe(true);
    expect(await engine.database.query('SELECT checkpoint FROM live_tasks WHERE id = $1', [id])).toEqual([
      { checkpoint: 'from the second' },
    ]);
    end.resolve(undefined);
    current.end.resolve();
    await engine.finished(id);
  });

  it('cannot write in a transaction', async () => {
    const { id, context, end, current } = await aStaleAttempt();
    const write = jest.fn(() => Promise.resolve());

    await expect(context.transaction(write)).rejects.toThrow(LeaseLostError);

    expect(write).not.toHaveBeenCalled();
    end.resolve(undefined);
    current.end.resolve();
    await engine.finished(id);
  });

  it('cannot report progress', async () => {
    const { id, context, end, worker, current } = await aStaleAttempt();
    context.progress(90, 100);
    current.context.progress(10, 100);
    expect(await engine.until(id, ({ processed }) => processed > 0)).toMatchObject({ processed: 10, total: 100 });
    end.resolve(undefined);
    await worker.close();
    expect(await engine.tasks.get(id)).toMatchObject({ processed: 10 });
    current.end.resolve();
  });

  it('cannot add follow-up tasks or settlement writes', async () => {
    const { id, context, end, worker, current } = await aStaleAttempt();
    const write = jest.fn(() => Promise.resolve());
    context.enqueue(once, { n: 1 });
    context.onSettle(write);
    end.resolve('by the first');
    await worker.close();

    expect(write).not.toHaveBeenCalled();
    expect(await engine.count(`tasks WHERE type = 'test.once'`)).toBe(0);
    current.end.resolve();
    expect(await engine.finished(id)).toMatchObject({ result: 'by the second' });
  });

  it('cannot split it', async () => {
    const { id, end, worker, current } = await aStaleAttempt(split);
    end.resolve(fanOut(part, [{ input: { n: 1 } }]));
    await worker.close();

    expect(await engine.count('tasks WHERE parent_id = $1', [id])).toBe(0);
    expect(await engine.count('task_fan_outs')).toBe(0);
    current.end.resolve();
    expect(await engine.finished(id)).toMatchObject({ result: 'by the second' });
  });

  it('cannot write once its own worker has settled it either', async () => {
    const worker = await aWorker();
    const late = deferred<TaskContext>();
    worker.script.when(work, (_input, context) => {
      late.resolve(context);
      return 'done';
    });
    await worker.work();
    const id = await engine.enqueue(work);
    await engine.finished(id);
    const context = await late.promise;

    await expect(context.saveCheckpoint('late')).rejects.toThrow(LeaseLostError);
    await expect(context.transaction(() => Promise.resolve())).rejects.toThrow(LeaseLostError);
  });
});

describe('a worker that is struck off', () => {
  it('is told at its next renewal, stops what it does, and goes on as a new one', async () => {
    const worker = await aWorker();
    const reasons: unknown[] = [];
    worker.script.when(work, async (_input, { signal }) => {
      await aborted(signal).catch((reason: unknown) => reasons.push(reason));
      throw new Error('stopped');
    });
    await worker.work({ renewMs: 50, leaseMs: 2_000 });
    const id = await engine.enqueue(work);
    await engine.until(id, ({ status }) => status === 'running');
    worker.script.when(work, () => 'again');

    await strikeOffAll();

    expect(await engine.finished(id)).toMatchObject({
      status: 'completed',
      result: 'again',
      crashCount: 0,
      attempt: 1,
    });
    await waitFor('the first attempt to have ended', () => reasons.length === 1);
    expect(reasons[0]).toMatchObject({ why: 'lease-lost' });
    expect(await engine.count('task_workers')).toBe(1);
  });

  it('claims nothing', async () => {
    const worker = await aWorker();
    await worker.work({ renewMs: 60_000, leaseMs: 120_000, pollMs: 20 });
    await engine.finished(await engine.enqueue(work));
    await strikeOffAll();
    const id = await engine.enqueue(work);
    await waitFor('the worker to have looked several times', async () => {
      const [row] = await engine.database.query<{ calls: number }>(
        `SELECT count(*)::int AS calls FROM pg_stat_activity WHERE application_name = 'photosafe-engine'`,
      );
      return row && row.calls > 0;
    });
    await engine.enqueue(work, {}, { runImmediately: false });
    expect((await engine.tasks.get(id)).status).toBe('queued');
  });

  it('loses nothing that a claim took while it was struck off', async () => {
    // The row of a task that a claim has just given to a worker that is no more.
    const worker = await aWorker();
    const id = await engine.enqueue(work);
    await engine.database.query(
      `UPDATE live_tasks SET status = 'running', ready = false, worker_id = gen_random_uuid(), attempt = 1, fence = 1,
         started_at = now() WHERE id = $1`,
      [id],
    );
    await worker.work();
    expect(await engine.finished(id)).toMatchObject({ status: 'completed', attempt: 1, crashCount: 0 });
  });
});

describe('effects that belong to the settlement', () => {
  beforeEach(async () => {
    await engine.database.query('CREATE TABLE effects (task uuid, what text UNIQUE)');
  });

  it('are written with it, once', async () => {
    engine.script.when(work, (_input, context) => {
      context.onSettle(async (tx) => {
        await tx.query('INSERT INTO effects VALUES ($1, $2)', [context.task.id, 'written']);
      });
      context.enqueue(once, { n: 7 });
      context.enqueue(once, { n: 8 });
      return 'done';
    });
    await engine.work();
    const id = await engine.enqueue(work);
    expect(await engine.finished(id)).toMatchObject({ status: 'completed', result: 'done' });

    expect(await engine.database.query('SELECT task, what FROM effects')).toEqual([{ task: id, what: 'written' }]);
    const followUps = await engine.tasks.list({ types: ['test.once'] }, { limit: 10 });
    expect(followUps.map(({ params }) => params)).toEqual([{ n: 8 }, { n: 7 }]);
    expect(followUps.map(({ requestedBy }) => requestedBy)).toEqual([`task:${id}`, `task:${id}`]);
    await Promise.all(followUps.map((task) => engine.finished(task.id)));
  });

  it('appear all at once with the status', async () => {
    const writing = deferred();
    const go = deferred();
    engine.script.when(work, (_input, context) => {
      context.enqueue(once, {});
      context.onSettle(async () => {
        writing.resolve();
        await go.promise;
      });
    });
    await engine.work();
    const id = await engine.enqueue(work);
    await writing.promise;
    expect(await engine.tasks.get(id)).toMatchObject({ status: 'running' });
    expect(await engine.count(`tasks WHERE type = 'test.once'`)).toBe(0);
    go.resolve();
    await engine.finished(id);
    expect(await engine.count(`tasks WHERE type = 'test.once'`)).toBe(1);
  });

  it('are taken back with an attempt that fails, and written by the one that succeeds', async () => {
    engine.script.when(work, (_input, context) => {
      const { attempt } = context.task;
      context.enqueue(once, { n: attempt });
      context.onSettle(async (tx) => {
        await tx.query('INSERT INTO effects VALUES ($1, $2)', [context.task.id, `attempt ${attempt}`]);
        if (attempt < 3) throw new Error('not this time');
      });
    });
    await engine.work();
    const id = await engine.enqueue(work);
    expect(await engine.finished(id)).toMatchObject({ status: 'completed', attempt: 3 });
    expect(await engine.database.query('SELECT what FROM effects')).toEqual([{ what: 'attempt 3' }]);
    expect((await engine.tasks.list({ types: ['test.once'] }, { limit: 10 })).map(({ params }) => params)).toEqual([
      { n: 3 },
    ]);
  });

  it('fail the task when what they break will not change', async () => {
    engine.script.when(work, (_input, context) => {
      context.onSettle(async (tx) => {
        await tx.query(`INSERT INTO effects VALUES ($1, 'twice'), ($1, 'twice')`, [context.task.id]);
      });
    });
    await engine.work();
    expect(await engine.finished(await engine.enqueue(work))).toMatchObject({
      status: 'failed',
      errorCode: 'sqlstate_23505',
      attempt: 1,
    });
  });

  it('are refused with a follow-up whose input is not valid', async () => {
    engine.script.when(work, (_input, context) => {
      context.enqueue(once, { n: 'one' as unknown as number });
    });
    await engine.work();
    expect(await engine.finished(await engine.enqueue(work))).toMatchObject({
      status: 'failed',
      errorCode: 'invalid_task_input',
    });
  });

  it('come with the final step of a task that splits, and with the split itself', async () => {
    engine.script.when(split, {
      run: (_input, context) => {
        context.enqueue(once, { n: 1 });
        context.onSettle(async (tx) => {
          await tx.query(`INSERT INTO effects VALUES ($1, 'split')`, [context.task.id]);
        });
        return fanOut(part, [{ input: { n: 1 } }]);
      },
      afterChildren: (_input, context) => {
        context.enqueue(once, { n: 2 });
      },
    });
    await engine.work();
    await engine.finished(await engine.enqueue(split));
    expect(await engine.database.query('SELECT what FROM effects')).toEqual([{ what: 'split' }]);
    expect((await engine.tasks.list({ types: ['test.once'] }, { limit: 9 })).map(({ params }) => params)).toEqual([
      { n: 2 },
      { n: 1 },
    ]);
  });

  it('of a transaction of its own are kept whatever becomes of the attempt', async () => {
    engine.script.when(once, async (_input, context) => {
      await context.transaction(async (tx) => {
        await tx.query(`INSERT INTO effects VALUES ($1, 'kept')`, [context.task.id]);
      });
      throw new Error('no');
    });
    await engine.work();
    await engine.finished(await engine.enqueue(once));
    expect(await engine.count('effects')).toBe(1);
  });
});

describe('a checkpoint', () => {
  it('reaches the next attempt, and the handler that saved it', async () => {
    const seen: unknown[] = [];
    engine.script.when(work, async (_input, context) => {
      seen.push(context.checkpoint);
      await context.saveCheckpoint({ done: context.task.attempt });
      seen.push(context.checkpoint);
      if (context.task.attempt < 3) throw new Error('again');
    });
    await engine.work();
    await engine.finished(await engine.enqueue(work));
    expect(seen).toEqual([undefined, { done: 1 }, { done: 1 }, { done: 2 }, { done: 2 }, { done: 3 }]);
  });

  it('reaches the final step of a task that splits', async () => {
    const seen: unknown[] = [];
    engine.script.when(split, {
      run: async (_input, context) => {
        await context.saveCheckpoint('saved before');
        return fanOut(part, [{ input: {} }]);
      },
      afterChildren: (_input, { checkpoint }) => void seen.push(checkpoint),
    });
    await engine.work();
    await engine.finished(await engine.enqueue(split));
    expect(seen).toEqual(['saved before']);
  });

  it('stays with a task that is run again', async () => {
    const seen: unknown[] = [];
    engine.script.when(once, async (_input, context) => {
      seen.push(context.checkpoint);
      if (context.checkpoint !== undefined) return;
      await context.saveCheckpoint(['half']);
      throw new Error('no');
    });
    await engine.work();
    const id = await engine.enqueue(once);
    await engine.finished(id);
    await engine.tasks.retry(id, ACTOR);
    await engine.until(id, ({ status }) => status === 'completed');
    expect(seen).toEqual([undefined, ['half']]);
  });
});
