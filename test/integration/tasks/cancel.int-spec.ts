import type { TaskContext } from '../../../src/tasks/index.js';
import { LeaseLostError } from '../../../src/tasks/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { aborted, ACTOR, brief, deferred, elsewhere, Engine, patient, work } from '../../support/engine-harness.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
/** Works on tasks. */
let worker: Engine;
/** Another process, which only asks. */
let asker: Engine;

beforeAll(async () => {
  database = await createTestDatabase();
  [worker, asker] = await Promise.all([Engine.open(database.url), Engine.open(database.url)]);
  await worker.work({ renewMs: 1_000, leaseMs: 8_000 });
});

const WAITING = `pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;

afterEach(() => {
  worker.script.clear();
});

afterAll(async () => {
  await Promise.all([worker.close(), asker.close()]);
  await database.drop();
});

describe('cancelling', () => {
  it.each([
    ['created', { runImmediately: false }],
    ['queued for later', { runAt: new Date(Date.now() + 3_600_000) }],
  ])('a task that is %s ends it at once', async (_what, options) => {
    const id = await asker.enqueue(work, {}, options);
    expect(await asker.tasks.cancel(id, 'test:another')).toMatchObject({
      status: 'cancelled',
      attempt: 0,
      completedAt: expect.any(Date),
      errorCode: null,
    });
    expect(await asker.tasks.events(id, { limit: 9 })).toMatchObject([
      {},
      { to: 'cancelled', reason: 'cancelled', actor: 'test:another', workerId: null },
    ]);
  });

  it('a task between two attempts ends it at once', async () => {
    worker.script.when(patient, () => Promise.reject(new Error('later')));
    const id = await asker.enqueue(patient);
    await asker.until(id, ({ status, attempt }) => status === 'queued' && attempt === 1);
    expect(await asker.tasks.cancel(id, ACTOR)).toMatchObject({ status: 'cancelled', attempt: 1 });
  });

  it('a running task in another process stops it within a second', async () => {
    const stopped = deferred<number>();
    worker.script.when(work, async (_input, { signal }) => {
      await aborted(signal).catch(() => stopped.resolve(performance.now()));
      throw signal.reason;
    });
    const id = await asker.enqueue(work);
    await asker.until(id, ({ status }) => status === 'running');
    const asked = performance.now();

    await asker.tasks.cancel(id, 'test:another');

    expect((await stopped.promise) - asked).toBeLessThan(1_000);
    expect(await asker.finished(id)).toMatchObject({
      status: 'cancelled',
      attempt: 1,
      errorCode: null,
      cancelRequestedAt: null,
    });
    expect((await asker.tasks.events(id, { limit: 9 })).at(-1)).toMatchObject({
      from: 'running',
      to: 'cancelled',
      actor: 'test:another',
      workerId: expect.any(String),
    });
  });

  it('says why, in the reason of the signal', async () => {
    const reason = deferred<unknown>();
    worker.script.when(work, (_input, { signal }) => aborted(signal).catch((why: unknown) => reason.resolve(why)));
    const id = await asker.enqueue(work);
    await asker.until(id, ({ status }) => status === 'running');
    await asker.tasks.cancel(id, ACTOR);
    expect(await reason.promise).toMatchObject({ name: 'AbortError', why: 'cancelled' });
    await asker.finished(id);
  });

  it('reaches a running task by the lease too, when the notice is lost', async () => {
    const started = deferred();
    worker.script.when(work, async (_input, { signal }) => {
      started.resolve();
      await aborted(signal);
    });
    const id = await asker.enqueue(work);
    await started.promise;
    await asker.database.query(
      `UPDATE live_tasks SET cancel_requested_at = now(), cancel_requested_by = 'test:db' WHERE id = $1`,
      [id],
    );
    expect(await asker.finished(id)).toMatchObject({ status: 'cancelled' });
  });

  it('a task that completes all the same leaves it completed', async () => {
    const started = deferred();
    const finish = deferred();
    worker.script.when(work, async () => {
      started.resolve();
      await finish.promise;
      return 'done anyway';
    });
    const id = await asker.enqueue(work);
    await started.promise;
    await asker.tasks.cancel(id, ACTOR);
    finish.resolve();
    expect(await asker.finished(id)).toMatchObject({ status: 'completed', result: 'done anyway' });
  });

  it('a finished task changes nothing', async () => {
    const id = await asker.enqueue(work, { n: 5 });
    await asker.finished(id);
    expect(await asker.tasks.cancel(id, ACTOR)).toMatchObject({ status: 'completed', result: 5 });
    expect((await asker.trail(id)).at(-1)).toBe('running>completed completed');
  });

  it('tasks whose handlers are amid transactions does not keep others from being added', async () => {
    const end = deferred();
    for (const task of [work, elsewhere])
      worker.script.when(task, (_input, context) => context.transaction(() => end.promise));
    const held = await Promise.all(
      [work, elsewhere, work, elsewhere, work, elsewhere].map((task) => asker.enqueue(task)),
    );
    for (const id of held) await asker.until(id, ({ status }) => status === 'running');

    const cancelling = Promise.allSettled(held.map((id) => asker.tasks.cancel(id, ACTOR)));
    await waitFor('some of them to wait', async () => (await asker.count(WAITING)) > 1);

    const added = asker.add(work, {}, { runImmediately: false });
    const all = async (): Promise<boolean> => (await asker.count('live_tasks')) === held.length + 1;
    await waitFor('it to be there', all, { timeoutMs: 3_000 });
    end.resolve();
    await Promise.all([added, cancelling]);
    for (const id of held) await asker.finished(id);
  });

  it('twice is the same as once', async () => {
    const id = await asker.enqueue(work, {}, { runImmediately: false });
    await Promise.all([asker.tasks.cancel(id, ACTOR), worker.tasks.cancel(id, ACTOR), asker.tasks.cancel(id, ACTOR)]);
    expect(await asker.trail(id)).toEqual(['>created created', 'created>cancelled cancelled']);
  });

  it('an unknown task is refused', async () => {
    await expect(asker.tasks.cancel('01900000-0000-7000-8000-000000000000', ACTOR)).rejects.toMatchObject({
      code: 'task_not_found',
    });
  });

  it('at the moment at which it moves is never lost', async () => {
    // Attempts fail and are tried again at once, so that each cancellation meets another state.
    worker.script.when(work, () => Promise.reject(new Error('again')));
    const ids = (
      await asker.tasks.enqueueMany(
        work,
        Array.from({ length: 150 }, (_, n) => ({ n })),
        { actor: ACTOR },
      )
    ).map(({ id }) => id);
    await asker.database.query('UPDATE live_tasks SET max_attempts = 1000000 WHERE id = ANY($1::uuid[])', [ids]);

    await Promise.all(ids.map((id) => asker.tasks.cancel(id, ACTOR)));

    await waitFor('all to end', async () => (await asker.count('live_tasks WHERE id = ANY($1::uuid[])', [ids])) === 0);
    expect(await asker.count(`finished_tasks WHERE id = ANY($1::uuid[]) AND status = 'cancelled'`, [ids])).toBe(150);
  });
});

describe('a task that is requeued while somebody cancels it', () => {
  it('is cancelled, even when the request sees it running and the flag comes too late', async () => {
    // The row is locked by what requeues it while the cancellation waits for it.
    const id = await asker.enqueue(patient, {}, { runAt: new Date(Date.now() + 3_600_000) });
    await asker.database.query(
      `UPDATE live_tasks SET status = 'running', worker_id = $2, attempt = 1, fence = 1, started_at = now() WHERE id = $1`,
      [id, (await asker.database.query<{ id: string }>('SELECT id FROM task_workers'))[0]?.id],
    );
    const requeued = deferred();
    const commit = deferred();
    const requeueing = asker.database.transaction(async (tx) => {
      await tx.query(`UPDATE live_tasks SET status = 'queued', worker_id = NULL WHERE id = $1`, [id]);
      requeued.resolve();
      await commit.promise;
    });
    await requeued.promise;
    const cancelling = asker.tasks.cancel(id, ACTOR);
    await waitFor(
      'the cancellation to wait',
      async () =>
        (await asker.count(`pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)) > 0,
    );
    commit.resolve();
    await requeueing;
    expect(await cancelling).toMatchObject({ status: 'cancelled' });
  });
});

describe('a task that takes too long', () => {
  it('is stopped, tried again, and fails in the end', async () => {
    const reasons: unknown[] = [];
    worker.script.when(brief, async (_input, { signal }) => {
      await aborted(signal).catch((reason: unknown) => reasons.push(reason));
      throw new Error('stopped');
    });
    const id = await asker.enqueue(brief);
    expect(await asker.finished(id)).toMatchObject({
      status: 'failed',
      attempt: 2,
      errorCode: 'timeout',
      errorCategory: 'transient',
      errorMessage: expect.stringContaining('300 ms'),
    });
    expect(reasons).toMatchObject([{ why: 'timeout' }, { why: 'timeout' }]);
  });

  it('but completes in the end all the same is completed', async () => {
    worker.script.when(brief, (_input, { signal }) => aborted(signal).catch(() => 'late but whole'));
    expect(await asker.finished(await asker.enqueue(brief))).toMatchObject({
      status: 'completed',
      result: 'late but whole',
      attempt: 1,
    });
  });

  it('and does not listen is ended without it, its slot is free, and what it writes later is refused', async () => {
    const stuck: TaskContext[] = [];
    const ends: (() => void)[] = [];
    worker.script.when(brief, async (_input, context) => {
      stuck.push(context);
      await new Promise<void>((resolve) => ends.push(resolve));
      return 'too late';
    });
    const id = await asker.enqueue(brief);

    const task = await asker.finished(id, { timeoutMs: 20_000 });

    expect(task).toMatchObject({ status: 'failed', errorCode: 'timeout', attempt: 2 });
    for (const context of stuck) {
      await expect(context.transaction(() => Promise.resolve())).rejects.toThrow(LeaseLostError);
      await expect(context.saveCheckpoint('late')).rejects.toThrow(LeaseLostError);
      context.progress(99, 100);
    }
    for (const end of ends) end();
    worker.script.when(work, () => 'fine');
    const others = await Promise.all([1, 2, 3, 4].map(() => asker.enqueue(work)));
    await Promise.all(others.map((other) => asker.finished(other)));
    expect(await asker.tasks.get(id)).toMatchObject({ status: 'failed', result: null, processed: 0 });
  });

  it('and does not listen, amid a transaction that holds it, keeps the outcomes of no others waiting', async () => {
    const end = deferred();
    worker.script.when(brief, (_input, context) => context.transaction(() => end.promise));
    const stuck = await asker.enqueue(brief);
    await waitFor('its own outcome to wait for it', () => asker.count(WAITING), { timeoutMs: 20_000 });

    const other = await asker.finished(await asker.enqueue(work), { timeoutMs: 3_000 });

    expect(other).toMatchObject({ status: 'completed' });
    end.resolve();
    expect(await asker.finished(stuck)).toMatchObject({ status: 'completed', attempt: 2 });
  });

  it('keeps to its policy between attempts even when it does not listen', async () => {
    const end = deferred();
    worker.script.when(patient, () => end.promise);
    const id = await asker.enqueue(patient);
    await asker.database.query('UPDATE live_tasks SET timeout_ms = 100 WHERE id = $1', [id]);
    // The timeout was read by the claim; run it again with the short one.
    await asker.tasks.cancel(id, ACTOR);
    end.resolve();
    await asker.finished(id);
    worker.script.when(patient, () => new Promise<void>(() => undefined));
    await asker.database
      .query(
        'UPDATE finished_tasks SET timeout_ms = 100, status = $2, error_code = $2, error_message = $2 WHERE id = $1',
        [id, 'failed'],
      )
      .catch(() => undefined);
    const again = await asker.enqueue(patient, {}, { runImmediately: false });
    await asker.database.query('UPDATE live_tasks SET timeout_ms = 100 WHERE id = $1', [again]);
    await asker.tasks.run(again, ACTOR);

    const task = await asker.until(again, ({ status, attempt }) => status === 'queued' && attempt === 1, {
      timeoutMs: 20_000,
    });

    expect(task.errorCode).toBe('timeout');
    expect(task.runAt.getTime() - Date.now()).toBeGreaterThan(3_500_000);
    await asker.tasks.cancel(again, ACTOR);
  });
});
