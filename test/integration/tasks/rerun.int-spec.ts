import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { aborted, ACTOR, deferred, Engine, once, unique, work } from '../../support/engine-harness.js';

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

const completed = (id: string) => engine.until(id, ({ status }) => status === 'completed');

describe.each(['run', 'retry'] as const)('to %s', (verb) => {
  it('a failed task opens a new series of attempts, and the fences go on', async () => {
    const fences: number[] = [];
    engine.script.when(work, (_input, { task }) => {
      fences.push(task.fence);
      throw new Error('broken');
    });
    const id = await engine.enqueue(work, { n: 1 });
    expect(await engine.finished(id)).toMatchObject({ status: 'failed', attempt: 3 });
    engine.script.when(work, (_input, { task }) => {
      fences.push(task.fence);
      return `attempt ${task.attempt} of ${task.maxAttempts}`;
    });

    await engine.tasks[verb](id, 'test:another');

    expect(await completed(id)).toMatchObject({
      result: 'attempt 1 of 3',
      attempt: 1,
      errorCode: null,
      errorMessage: null,
      params: { n: 1 },
      requestedBy: ACTOR,
    });
    expect(fences).toEqual([1, 2, 3, 4]);
    expect((await engine.trail(id)).slice(-3)).toEqual([
      `failed>queued ${verb}`,
      'queued>running claimed',
      'running>completed completed',
    ]);
    expect((await engine.tasks.events(id, { limit: 99 })).find(({ reason }) => reason === verb)).toMatchObject({
      actor: 'test:another',
      fence: 3,
      attempt: 0,
    });
  });

  it('a cancelled task queues it, and the request to cancel is forgotten', async () => {
    const stopped = deferred();
    engine.script.when(once, (_input, { signal }) => {
      stopped.resolve();
      return aborted(signal);
    });
    const id = await engine.enqueue(once);
    await stopped.promise;
    await engine.tasks.cancel(id, ACTOR);
    expect(await engine.finished(id)).toMatchObject({ status: 'cancelled' });
    engine.script.when(once, () => 'after all');

    await engine.tasks[verb](id, ACTOR);

    expect(await completed(id)).toMatchObject({ result: 'after all', cancelRequestedAt: null, attempt: 1 });
  });

  it('a completed, a queued or a running task changes nothing', async () => {
    const done = await engine.enqueue(work, { n: 1 });
    await completed(done);
    const later = await engine.enqueue(work, {}, { runAt: new Date(Date.now() + 3_600_000) });
    const go = deferred();
    engine.script.when(once, () => go.promise);
    const running = await engine.enqueue(once);
    await engine.until(running, ({ status }) => status === 'running');

    for (const [id, status] of [
      [done, 'completed'],
      [later, 'queued'],
      [running, 'running'],
    ] as const) {
      const before = await engine.trail(id);
      expect(await engine.tasks[verb](id, ACTOR)).toMatchObject({ status });
      expect(await engine.trail(id)).toEqual(before);
    }
    go.resolve();
    await completed(running);
    await engine.tasks.cancel(later, ACTOR);
  });

  it('a failed task whose dedup key another one holds is refused, and leaves it failed', async () => {
    engine.script.when(unique, () => Promise.reject(Object.assign(new Error('no'), { status: 400 })));
    const first = await engine.enqueue(unique, { key: verb });
    await engine.finished(first);
    const second = await engine.enqueue(unique, { key: verb }, { runImmediately: false });

    await expect(engine.tasks[verb](first, ACTOR)).rejects.toMatchObject({ kind: 'conflict', code: 'dedup_key_taken' });

    expect(await engine.tasks.get(first)).toMatchObject({ status: 'failed' });
    await engine.tasks.cancel(second, ACTOR);
    engine.script.clear();
    await engine.tasks[verb](first, ACTOR);
    await completed(first);
  });

  it('a failed task five times at once is to do so once', async () => {
    engine.script.when(once, () => Promise.reject(new Error('no')));
    const id = await engine.enqueue(once);
    await engine.finished(id);
    engine.script.clear();

    await Promise.all([1, 2, 3, 4, 5].map(() => engine.tasks[verb](id, ACTOR)));

    await completed(id);
    expect((await engine.trail(id)).filter((line) => line === `failed>queued ${verb}`)).toHaveLength(1);
  });
});

describe('a task that waits for a person', () => {
  it('is started once by many', async () => {
    const id = await engine.enqueue(work, {}, { runImmediately: false });
    await Promise.all([1, 2, 3, 4, 5].map(() => engine.tasks.run(id, ACTOR)));
    await completed(id);
    expect((await engine.trail(id)).filter((line) => line.startsWith('created>'))).toEqual(['created>queued run']);
  });

  it('is not what retry is for', async () => {
    const id = await engine.enqueue(work, {}, { runImmediately: false });
    expect(await engine.tasks.retry(id, ACTOR)).toMatchObject({ status: 'created' });
    await engine.tasks.cancel(id, ACTOR);
  });
});
