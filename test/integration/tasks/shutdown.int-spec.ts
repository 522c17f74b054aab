import { WorkerService } from '../../../src/tasks/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { aborted, ACTOR, deferred, Engine, once, work } from '../../support/engine-harness.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
let engine: Engine;
let leaving: Engine;

beforeEach(async () => {
  database = await createTestDatabase();
  [engine, leaving] = await Promise.all([Engine.open(database.url), Engine.open(database.url)]);
});

afterEach(async () => {
  await Promise.all([engine.close(), leaving.close()]);
  await database.drop();
});

const running = (id: string) => engine.until(id, ({ status }) => status === 'running');

describe('a worker that is asked to stop', () => {
  it('lets what ends within the grace complete', async () => {
    const go = deferred();
    leaving.script.when(once, () => go.promise.then(() => 'in time'));
    await leaving.work({ shutdownGraceMs: 10_000 });
    const id = await engine.enqueue(once);
    await running(id);

    const closing = leaving.close();
    go.resolve();
    await closing;

    expect(await engine.tasks.get(id)).toMatchObject({ status: 'completed', result: 'in time' });
    expect(await engine.count('task_workers')).toBe(0);
  });

  it('hands back what does not, with its attempt, to run at once elsewhere', async () => {
    const reasons: unknown[] = [];
    leaving.script.when(once, (_input, { signal }) =>
      aborted(signal).catch((reason: unknown) => {
        reasons.push(reason);
        throw new Error('stopped');
      }),
    );
    await leaving.work({ shutdownGraceMs: 50 });
    const id = await engine.enqueue(once);
    await running(id);
    engine.script.when(once, (_input, { task }) => task.attempt);
    await engine.work({ pollMs: 60_000, concurrency: { default: 1 } });

    await leaving.close();

    expect(reasons).toMatchObject([{ why: 'shutdown' }]);
    expect(await engine.finished(id)).toMatchObject({
      status: 'completed',
      result: 1,
      attempt: 1,
      crashCount: 0,
      errorCode: null,
    });
    expect(await engine.trail(id)).toEqual([
      'created>queued enqueued',
      'queued>running claimed',
      'running>queued released',
      'queued>running claimed',
      'running>completed completed',
    ]);
  });

  it('hands back what does not listen, too', async () => {
    const never = deferred();
    leaving.script.when(once, () => never.promise);
    await leaving.work({ shutdownGraceMs: 50 });
    const id = await engine.enqueue(once);
    await running(id);

    await leaving.close();

    expect(await engine.tasks.get(id)).toMatchObject({ status: 'queued', attempt: 0, crashCount: 0 });
    never.resolve();
  });

  it('claims nothing more', async () => {
    const go = deferred();
    leaving.script.when(work, () => go.promise);
    await leaving.work({ concurrency: { default: 1 }, shutdownGraceMs: 10_000, pollMs: 50 });
    const id = await engine.enqueue(work);
    await running(id);
    const next = await engine.enqueue(work);

    const stopping = leaving.app.get(WorkerService).stop();
    go.resolve();
    await stopping;

    expect(await engine.tasks.get(id)).toMatchObject({ status: 'completed' });
    expect(await engine.tasks.get(next)).toMatchObject({ status: 'queued', attempt: 0 });
  });

  it('settles everything that has ended before it goes', async () => {
    await leaving.work({ concurrency: { default: 50 }, shutdownGraceMs: 10_000 });
    await engine.tasks.enqueueMany(
      work,
      Array.from({ length: 1_000 }, (_, n) => ({ n })),
      { actor: ACTOR },
    );
    await waitFor('some to end', async () => (await engine.count('finished_tasks')) > 50);

    await leaving.close();

    expect(await engine.count(`live_tasks WHERE status = 'running'`)).toBe(0);
    expect(await engine.count(`task_history WHERE reason IN ('worker_lost', 'released')`)).toBe(0);
    expect((await engine.count('live_tasks')) + (await engine.count('finished_tasks'))).toBe(1_000);
  });

  it('tells the other workers at once what it handed back', async () => {
    leaving.script.when(once, (_input, { signal }) => aborted(signal));
    await leaving.work({ shutdownGraceMs: 0, concurrency: { default: 5 } });
    const ids = await Promise.all([1, 2, 3, 4, 5].map((n) => engine.enqueue(once, { n })));
    for (const id of ids) await running(id);
    await engine.work({ pollMs: 60_000 });
    await leaving.close();
    for (const id of ids)
      expect(await engine.finished(id, { timeoutMs: 5_000 })).toMatchObject({ status: 'completed' });
  });

  it('is stopped once, however often it is asked', async () => {
    await leaving.work();
    await engine.finished(await engine.enqueue(work));
    await Promise.all([leaving.close(), leaving.close()]);
    expect(await engine.count('task_workers')).toBe(0);
  });
});

describe('a process that does not work', () => {
  it('adds and cancels tasks, and works on none', async () => {
    const id = await engine.enqueue(work);
    await engine.tasks.cancel(id, ACTOR);
    expect(await engine.count('task_workers')).toBe(0);
    expect(await engine.count('task_history')).toBe(2);
  });
});
