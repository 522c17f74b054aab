import { AppError } from '../../../src/platform/errors/app-error.js';
import {
  type AnyTaskDefinition,
  type HandlerResult,
  PermanentError,
  TransientError,
} from '../../../src/tasks/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { ACTOR, choosy, deferred, Engine, once, patient, type Behaviour, work } from '../../support/engine-harness.js';

let database: TestDatabase;
let engine: Engine;

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await (await Engine.open(database.url)).work();
});

afterEach(() => {
  engine.script.clear();
});

afterAll(async () => {
  await engine.close();
  await database.drop();
});

async function runs(
  run: NonNullable<Behaviour['run']>,
  task: AnyTaskDefinition = work,
): ReturnType<Engine['finished']> {
  engine.script.when(task, run);
  return engine.finished(await engine.enqueue(task));
}

/** Everything else is still settled: what one handler did has not wedged the worker. */
async function stillWorks(): Promise<void> {
  expect((await runs(() => 'fine', once)).result).toBe('fine');
}

const cyclic = (): HandlerResult => {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value as HandlerResult;
};

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
};

describe('a handler that returns', () => {
  it.each([
    ['an object', { a: [1, null, 'ü'], b: { c: true } }],
    ['text', 'done'],
    ['zero', 0],
    ['false', false],
    ['an empty list', []],
  ])('%s completes its task with it', async (_what, result) => {
    expect(await runs(() => result)).toMatchObject({
      status: 'completed',
      result,
      progress: 100,
      attempt: 1,
      errorCode: null,
      completedAt: expect.any(Date),
    });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
  ])('%s completes its task without a result', async (_what, result) => {
    expect(await runs(() => result)).toMatchObject({ status: 'completed', result: null });
  });

  it('text that looks like an escape gets it back as it was', async () => {
    const result = { text: String.raw`\u0000 \ud800 \\u0000 \\\u0000`, nested: [String.raw`C:\u0000`] };
    expect(await runs(() => result)).toMatchObject({ status: 'completed', result });
    await stillWorks();
  });

  it('characters that the database cannot hold loses those and nothing else', async () => {
    const result = { 'a\0b': 'c\0d', text: 'x\ud800y', fine: '😀' };
    expect(await runs(() => result)).toMatchObject({
      status: 'completed',
      result: { ab: 'cd', text: 'x\ufffdy', fine: '😀' },
    });
    await stillWorks();
  });

  it('numbers that JSON does not know gets null for them', async () => {
    const result = { nan: NaN, infinite: [Infinity, -Infinity], gone: undefined };
    expect(await runs(() => result)).toMatchObject({
      status: 'completed',
      result: { nan: null, infinite: [null, null] },
    });
  });

  it.each<[string, () => unknown]>([
    ['a circular object', cyclic],
    ['a function', () => () => 1],
    ['a symbol', () => Symbol('s')],
    ['a BigInt', () => ({ n: 1n })],
    [
      'an object that cannot be turned into JSON',
      () => ({
        toJSON: () => {
          throw new Error('no');
        },
      }),
    ],
    ['lists too deep to be written', () => deep(200_000)],
    ['lists too deep for the database', () => deep(7_000)],
  ])('%s fails its task once and for all, with a code', async (_what, result) => {
    expect(await runs(() => result() as HandlerResult)).toMatchObject({
      status: 'failed',
      errorCode: 'result_not_storable',
      errorCategory: 'permanent',
      attempt: 1,
    });
    await stillWorks();
  });

  it('more than a row may hold fails its task, and says what to do', async () => {
    expect(await runs(() => 'ü'.repeat(600_000))).toMatchObject({
      status: 'failed',
      errorCode: 'result_too_large',
      errorCategory: 'permanent',
      errorMessage: expect.stringContaining('1200002 bytes'),
      attempt: 1,
      result: null,
    });
  });
});

describe('a handler that throws', () => {
  it('a permanent error fails its task at once', async () => {
    const task = await runs(() => {
      throw new PermanentError('bad_photo', 'there is no picture in it');
    });
    expect(task).toMatchObject({
      status: 'failed',
      attempt: 1,
      errorCode: 'bad_photo',
      errorCategory: 'permanent',
      errorMessage: 'there is no picture in it',
    });
  });

  it('an application error fails its task at once, unless it says unavailable', async () => {
    const refused = await runs(() => {
      throw new AppError('not-found', 'image_not_found', 'there is no image');
    });
    expect(refused).toMatchObject({ status: 'failed', attempt: 1, errorCode: 'image_not_found' });
    const unavailable = await runs(() => {
      throw new AppError('unavailable', 'store_down', 'come back');
    });
    expect(unavailable).toMatchObject({ status: 'failed', attempt: 3, errorCode: 'store_down' });
  });

  it('a transient error is tried again until the attempts are used up, each recorded', async () => {
    let attempts = 0;
    const task = await runs(() => {
      attempts += 1;
      throw new TransientError(`try_${attempts}`, `attempt ${attempts}`);
    });
    expect(task).toMatchObject({ status: 'failed', attempt: 3, errorCode: 'try_3', errorCategory: 'transient' });
    const events = await engine.tasks.events(task.id, { limit: 20 });
    expect(
      events.map(({ from, to, reason, attempt, fence, actor, errorCode }) => ({
        from,
        to,
        reason,
        attempt,
        fence,
        actor,
        errorCode,
      })),
    ).toEqual([
      { from: 'created', to: 'queued', reason: 'enqueued', attempt: 0, fence: 0, actor: ACTOR, errorCode: null },
      { from: 'queued', to: 'running', reason: 'claimed', attempt: 1, fence: 1, actor: 'worker', errorCode: null },
      { from: 'running', to: 'queued', reason: 'backoff', attempt: 1, fence: 1, actor: 'worker', errorCode: 'try_1' },
      { from: 'queued', to: 'running', reason: 'claimed', attempt: 2, fence: 2, actor: 'worker', errorCode: null },
      { from: 'running', to: 'queued', reason: 'backoff', attempt: 2, fence: 2, actor: 'worker', errorCode: 'try_2' },
      { from: 'queued', to: 'running', reason: 'claimed', attempt: 3, fence: 3, actor: 'worker', errorCode: null },
      { from: 'running', to: 'failed', reason: 'failed', attempt: 3, fence: 3, actor: 'worker', errorCode: 'try_3' },
    ]);
    const holders = events.map((event) => event.workerId);
    expect(holders).toEqual([null, ...Array<string>(6).fill(expect.any(String) as string)]);
    expect(new Set(holders).size).toBe(2);
  });

  it('once and then returns completes its task without an error', async () => {
    const task = await runs((_input, { task: { attempt } }) => {
      if (attempt === 1) throw new Error('not yet');
      return 'second';
    });
    expect(task).toMatchObject({
      status: 'completed',
      attempt: 2,
      result: 'second',
      errorCode: null,
      errorMessage: null,
    });
  });

  it('waits as long as its policy says, in the queue', async () => {
    engine.script.when(patient, () => {
      throw new Error('later');
    });
    const id = await engine.enqueue(patient);

    const task = await engine.until(id, ({ attempt, status }) => attempt === 1 && status === 'queued');

    expect(task).toMatchObject({ errorCode: 'unexpected_error', errorMessage: 'later', errorCategory: 'transient' });
    expect(task.runAt.getTime() - Date.now()).toBeGreaterThan(3_500_000);
    await engine.tasks.cancel(id, ACTOR);
  });

  it('waits at least as long as the other side asked for', async () => {
    engine.script.when(work, () => {
      throw Object.assign(new Error('slow down'), { status: 429, headers: { 'retry-after': '600' } });
    });
    const id = await engine.enqueue(work);

    const task = await engine.until(id, ({ attempt, status }) => attempt === 1 && status === 'queued');

    expect(task).toMatchObject({ errorCode: 'http_429' });
    expect(task.runAt.getTime() - Date.now()).toBeGreaterThan(590_000);
    await engine.tasks.cancel(id, ACTOR);
  });

  it.each<[string, unknown, object]>([
    [
      'a refusal that the type knows to pass',
      new AppError('conflict', 'taken', 'come back'),
      { attempt: 5, errorCode: 'busy', errorMessage: 'come back' },
    ],
    ['an error that the type finds worth two attempts', new Error('give up'), { attempt: 2, errorCode: 'tired' }],
    ['an error that it leaves to the usual rules', new PermanentError('no', 'never'), { attempt: 1, errorCode: 'no' }],
    ['an error over which its rule trips', new Error('trip'), { attempt: 5, errorCode: 'unexpected_error' }],
  ])('%s is tried again by its word', async (_what, error, ended) => {
    const task = await runs(() => {
      throw error;
    }, choosy);
    expect(task).toMatchObject({ status: 'failed', ...ended });
  });

  it.each([
    ['not a number', NaN],
    ['endless', Infinity],
    ['negative', -5],
  ])('asking for a wait that is %s is tried again all the same', async (_what, retryAfterMs) => {
    const task = await runs((_input, { task: { attempt } }) => {
      if (attempt < 2) throw new TransientError('busy', 'busy', { retryAfterMs });
      return 'done';
    });
    expect(task).toMatchObject({ status: 'completed', attempt: 2 });
    await stillWorks();
  });

  const hostile: [string, unknown][] = [
    ['text', 'just text'],
    ['nothing', undefined],
    ['null', null],
    ['a number', 42],
    ['a symbol', Symbol('s')],
    ['an object without a prototype', Object.create(null)],
    [
      'an object that cannot be shown',
      {
        toString: () => {
          throw new Error('no');
        },
      },
    ],
    ['an error whose message is not text', Object.assign(new Error('x'), { message: { deep: 1 } })],
    [
      'an error with a trap for a code',
      Object.defineProperty(new Error('x'), 'code', {
        get: () => {
          throw new Error('trap');
        },
      }),
    ],
    ['an error whose message holds NUL', new Error('a\0b')],
    ['an error whose message holds half a character', new Error('a\ud800b')],
    ['an error with a megabyte of message', new Error('😀'.repeat(500_000))],
    ['a permanent error whose code holds NUL', new PermanentError('a\0b', 'c')],
    ['a permanent error without a code', new PermanentError(undefined as unknown as string, 'c')],
    ['a permanent error with a code that is not text', new PermanentError(7 as unknown as string, 'c')],
    [
      'an error that is its own cause',
      (() => {
        const e = new Error('loop');
        e.cause = e;
        return e;
      })(),
    ],
    [
      'a proxy that refuses everything',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
          getPrototypeOf: () => {
            throw new Error('no');
          },
        },
      ),
    ],
  ];
  it.each(hostile)('%s has failed, with a code and a message', async (_what, thrown) => {
    const task = await runs(() => {
      throw thrown;
    }, once);
    expect(task).toMatchObject({ status: 'failed', errorCode: expect.stringMatching(/^\w+$/), attempt: 1 });
    expect(typeof task.errorMessage).toBe('string');
    expect(task.errorMessage?.length).toBeLessThanOrEqual(2_000);
    await stillWorks();
  });
});

describe('progress', () => {
  it.each<[string, unknown[]]>([
    ['not a number', [NaN, NaN]],
    ['endless', [Infinity, Infinity]],
    ['negative', [-5, -10]],
    ['too large for anything', [1e30, 1e300]],
    ['text', ['1', '2']],
    ['nothing', [undefined, null]],
  ])('that is %s does no harm', async (_what, [processed, total]) => {
    const task = await runs((_input, context) => {
      context.progress(processed as number, total as number);
      return 'done';
    });
    expect(task).toMatchObject({ status: 'completed', progress: 100 });
    const failed = await runs((_input, context) => {
      context.progress(processed as number, total as number);
      throw new Error('again');
    });
    expect(failed).toMatchObject({ status: 'failed', attempt: 3 });
    await stillWorks();
  });

  it('that cannot be written, because a handler holds its task, holds up nobody else', async () => {
    const held = deferred();
    const release = deferred();
    const go = deferred();
    engine.script.when(work, async (_input, context) => {
      await context.transaction(async () => {
        context.progress(1, 2);
        held.resolve();
        await release.promise;
      });
    });
    engine.script.when(once, async (_input, context) => {
      await held.promise;
      context.progress(1, 2);
      await go.promise;
      return 'not held up';
    });
    // Ids are locked in their order: the one that can be written first.
    const other = await engine.enqueue(once);
    const holder = await engine.enqueue(work);
    await engine.until(other, ({ processed }) => processed === 1);
    go.resolve();
    expect(await engine.finished(other, { timeoutMs: 3_000 })).toMatchObject({ result: 'not held up' });
    expect(await engine.tasks.get(holder)).toMatchObject({ status: 'running' });
    release.resolve();
    await engine.finished(holder);
  });

  it('is kept with a task that failed half-way', async () => {
    const task = await runs((_input, context) => {
      context.progress(3, 10);
      context.progress(2, 10);
      throw new PermanentError('enough', 'enough');
    });
    expect(task).toMatchObject({ processed: 3, total: 10, progress: 30 });
  });
});

describe('the database refuses', () => {
  const now = `now(), now(), 'someone', 'x', now()`;
  const live = (columns: string, values: string): string =>
    `INSERT INTO live_tasks (id, type, version, queue, max_attempts, timeout_ms, created_at, run_at, requested_by, name, updated_at, lane, rank, ${columns})
     VALUES (gen_random_uuid(), 't', 1, 'default', 1, 1, ${now}, 'default', 0, ${values})`;
  const finished = (columns: string, values: string): string =>
    `INSERT INTO finished_tasks (id, type, version, queue, joining, priority, attempt, max_attempts, fence, crash_count, timeout_ms,
       processed, weight, drift_score, params, task_metadata, created_at, run_at, requested_by, name, updated_at, completed_at, ${columns})
     VALUES (gen_random_uuid(), 't', 1, 'default', false, 0, 0, 1, 0, 0, 1, 0, 1, 0, '{}', '{}', ${now}, now(), ${values})`;

  it.each([
    ['a finished task among the unfinished', live('status, queued_at', `'completed', now()`), 'live_tasks_unfinished'],
    ['a running task that nobody holds', live('status, queued_at', `'running', now()`), 'live_tasks_running_is_held'],
    [
      'a queued task that somebody holds',
      live('status, queued_at, worker_id', `'queued', now(), gen_random_uuid()`),
      'live_tasks_running_is_held',
    ],
    [
      'a waiting task that somebody holds',
      live('status, queued_at, waiting, worker_id', `'running', now(), true, gen_random_uuid()`),
      'live_tasks_waiting_is_not_held',
    ],
    ['a ready task that is not queued', live('status, ready', `'created', true`), 'live_tasks_ready_is_queued'],
    ['a queued task that never was queued', live('status', `'queued'`), 'live_tasks_queued_at'],
    ['a negative attempt', live('status, attempt', `'created', -1`), 'live_tasks_counts'],
    ['an unfinished task among the finished', finished('status', `'queued'`), 'finished_tasks_finished'],
    ['a failure that does not say why', finished('status', `'failed'`), 'finished_tasks_failure_says_why'],
    [
      'a fan-out that does not add up',
      `INSERT INTO task_fan_outs (parent_id, round, total, open, weight) VALUES (gen_random_uuid(), 1, 2, 1, 2)`,
      'task_fan_outs_add_up',
    ],
  ])('%s', async (_what, statement, constraint) => {
    await expect(engine.database.query(statement)).rejects.toMatchObject({ code: '23514', constraint });
  });
});
