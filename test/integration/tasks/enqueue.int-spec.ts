import { NEXT_DUE } from '../../../src/tasks/queue/claim.sql.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { ACTOR, brief, deferred, Engine, once, patient, renewed, unique, work } from '../../support/engine-harness.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
let engine: Engine;

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
});

afterEach(async () => {
  await engine.database.query(
    'TRUNCATE live_tasks, finished_tasks, task_events, task_event_batches, task_idempotency_keys',
  );
});

afterAll(async () => {
  await engine.close();
  await database.drop();
});

const rows = (): Promise<number> => engine.count('tasks');

describe('adding one task', () => {
  it('keeps everything that was said about it', async () => {
    const id = await engine.enqueue(
      work,
      { n: 1 },
      { name: 'Mine', description: 'does it', domain: 'photos', driftScore: 0.25, priority: 7, metadata: { a: [1] } },
    );

    expect(await engine.tasks.get(id)).toMatchObject({
      id,
      type: 'test.work',
      version: 1,
      name: 'Mine',
      description: 'does it',
      domain: 'photos',
      driftScore: 0.25,
      priority: 7,
      metadata: { a: [1] },
      params: { n: 1 },
      queue: 'default',
      status: 'queued',
      attempt: 0,
      maxAttempts: 3,
      requestedBy: ACTOR,
      progress: 0,
      result: null,
    });
    expect(await engine.tasks.events(id, { limit: 10 })).toMatchObject([
      { from: 'created', to: 'queued', reason: 'enqueued', actor: ACTOR, attempt: 0, fence: 0, workerId: null },
    ]);
  });

  it('waits for a person when it is not to run at once', async () => {
    const id = await engine.enqueue(work, {}, { runImmediately: false });
    expect(await engine.tasks.get(id)).toMatchObject({ status: 'created', queuedAt: null });

    await engine.tasks.run(id, 'test:another');

    expect(await engine.tasks.get(id)).toMatchObject({ status: 'queued', queuedAt: expect.any(Date) });
    expect(await engine.tasks.events(id, { limit: 10 })).toMatchObject([
      { from: null, to: 'created', reason: 'created', actor: ACTOR },
      { from: 'created', to: 'queued', reason: 'run', actor: 'test:another' },
    ]);
  });

  it('knows a type by its name in any letter case', async () => {
    const { id } = await engine.tasks.create('TEST.Work', { n: 2 }, { actor: ACTOR });
    expect(await engine.tasks.get(id)).toMatchObject({ type: 'test.work', params: { n: 2 } });
  });

  it('refuses an unknown type, and writes nothing', async () => {
    await expect(engine.tasks.create('test.wrok', {}, { actor: ACTOR })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'unknown_task_type',
    });
    expect(await rows()).toBe(0);
  });

  it.each([
    ['a field of the wrong type', { n: 'one' }, 'params.n'],
    ['a field that does not exist', { m: 1 }, 'params.m'],
    ['a list', [], 'params'],
    ['nothing', undefined, 'params'],
  ])('refuses %s, names the field, and writes nothing', async (_what, params, path) => {
    await expect(engine.tasks.create('test.work', params, { actor: ACTOR })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'invalid_task_input',
      fields: [{ path }],
    });
    expect(await rows()).toBe(0);
  });

  it.each([
    ['a NUL character', 'a\0b'],
    ['half a surrogate pair', 'a\ud800b'],
  ])('refuses an input with %s, which the database cannot hold', async (_what, text) => {
    const refusal = { kind: 'invalid', code: 'invalid_task_input', fields: [{ path: 'params.payload.text' }] };
    const input = { payload: { text } };
    await expect(engine.enqueue(work, input)).rejects.toMatchObject(refusal);
    const many = engine.tasks.enqueueMany(work, [{ n: 1 }, input], { actor: ACTOR });
    await expect(many).rejects.toMatchObject(refusal);
    await expect(engine.enqueue(work, {}, { metadata: { text } })).rejects.toMatchObject({ kind: 'invalid' });
    expect(await rows()).toBe(0);
  });

  it.each([['name'], ['description'], ['dedupKey']])('refuses a %s with a NUL character', async (field) => {
    await expect(engine.enqueue(work, {}, { [field]: 'a\0b' })).rejects.toMatchObject({ kind: 'invalid' });
    expect(await rows()).toBe(0);
  });

  it('stores text that only looks like an escape as it is', async () => {
    const text = String.raw`\u0000 \ud800 \\`;
    const id = await engine.enqueue(work, { payload: text });
    expect((await engine.tasks.get(id)).params).toEqual({ payload: text });
  });
});

describe('adding many tasks', () => {
  it('adds more than fit into one statement, in order', async () => {
    const inputs = Array.from({ length: 4_500 }, (_, n) => ({ n }));

    const added = await engine.tasks.enqueueMany(work, inputs, { actor: ACTOR });

    expect(added.every(({ created }) => created)).toBe(true);
    const ids = added.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    const stored = await engine.database.query<{ n: number }>(
      `SELECT (params->>'n')::int AS n FROM live_tasks ORDER BY id`,
    );
    expect(stored).toEqual(inputs);
    expect(await engine.count('task_history')).toBe(4_500);
  });

  it('adds none when one of them is not valid', async () => {
    const inputs = [{ n: 1 }, { n: 'two' as unknown as number }];
    await expect(engine.tasks.enqueueMany(work, inputs, { actor: ACTOR })).rejects.toMatchObject({ kind: 'invalid' });
    expect(await rows()).toBe(0);
  });

  it.each([0, 249, 250, 1_999, 2_250, 4_999])('adds none when the database refuses the one at %i', async (place) => {
    const inputs = Array.from({ length: 5_000 }, (_, n) => (n === place ? { n, payload: 'NUL \0' } : { n }));
    await expect(engine.tasks.enqueueMany(work, inputs, { actor: ACTOR })).rejects.toMatchObject({ kind: 'invalid' });
    await expect(
      engine.tasks.enqueueMany(work, inputs.slice(place, place + 2_000), { actor: ACTOR }),
    ).rejects.toMatchObject({ kind: 'invalid' });
    expect(await rows()).toBe(0);
    expect(await engine.count('task_history')).toBe(0);
  });

  it('adds nothing for an empty list', async () => {
    expect(await engine.tasks.enqueueMany(work, [], { actor: ACTOR })).toEqual([]);
  });
});

describe('adding tasks inside a transaction of the caller', () => {
  it('adds them if, and only if, that commits', async () => {
    const failing = engine.database.transaction(async (tx) => {
      await engine.add(work, {}, { tx });
      await engine.add(work, {}, { tx, idempotencyKey: 'in-transaction' });
      await engine.tasks.enqueueMany(work, [{ n: 1 }, { n: 2 }], { actor: ACTOR, tx });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await rows()).toBe(0);

    await engine.database.transaction((tx) => engine.add(work, {}, { tx, idempotencyKey: 'in-transaction' }));
    expect(await rows()).toBe(1);
  });

  it('wakes a worker by the commit and not before', async () => {
    const worker = await Engine.open(database.url);
    const started = deferred();
    worker.script.when(work, () => started.resolve());
    await worker.work({ pollMs: 60_000 });
    try {
      await engine.database.transaction(async (tx) => {
        const { id } = await engine.add(work, {}, { tx });
        await waitFor('the worker to have had a look', async () => {
          // A task that is added later and committed at once is run, this one is not even seen.
          const later = await engine.enqueue(work, { n: 2 });
          return (await engine.finished(later)).status === 'completed';
        });
        expect(await engine.count('finished_tasks WHERE id = $1', [id])).toBe(0);
      });
      await started.promise;
      await waitFor('both to be done', async () => (await engine.count('finished_tasks')) === 2);
    } finally {
      await worker.close();
    }
  });
});

describe('a dedup key', () => {
  it('admits one unfinished task and gives its id to the others', async () => {
    const first = await engine.add(unique, { key: 'a' });
    const second = await engine.add(unique, { key: 'a', n: 2 });

    expect(first.created).toBe(true);
    expect(second).toEqual({ id: first.id, created: false });
    expect(await rows()).toBe(1);
    expect((await engine.tasks.get(first.id)).params).toEqual({ key: 'a' });
  });

  it('counts within one call', async () => {
    const inputs = [{ key: 'a' }, { key: 'b' }, { key: 'a' }, { key: 'c' }, { key: 'b' }];

    const added = await engine.tasks.enqueueMany(unique, inputs, { actor: ACTOR });

    expect(added.map(({ created }) => created)).toEqual([true, true, false, true, false]);
    expect(added[2]?.id).toBe(added[0]?.id);
    expect(added[4]?.id).toBe(added[1]?.id);
    expect(await rows()).toBe(3);
  });

  it('counts within one call of many statements', async () => {
    const inputs = Array.from({ length: 7_000 }, (_, n) => ({ n, key: String(n % 3_000) }));

    const added = await engine.tasks.enqueueMany(unique, inputs, { actor: ACTOR });

    expect(added.map(({ created }) => created)).toEqual(inputs.map(({ n }) => n < 3_000));
    expect(added.map(({ id }) => id)).toEqual(inputs.map(({ n }) => added[n % 3_000]?.id));
    expect(await rows()).toBe(3_000);
  });

  it('adds nothing after a call of many statements has failed', async () => {
    // The second statement finds keys of the first, and asks who has them, while the third cannot be made.
    const inputs = Array.from({ length: 4_000 }, (_, n) => ({
      n: n === 3_000 ? ('bad' as unknown as number) : n,
      key: String(n % 500),
    }));
    for (let round = 0; round < 5; round += 1) {
      const adding = engine.tasks.enqueueMany(unique, inputs, { actor: ACTOR });
      await expect(adding).rejects.toMatchObject({ code: 'invalid_task_input' });
    }
    // Whatever was still on its way is through before this.
    await Promise.all(Array.from({ length: 6 }, () => engine.add(work, {})));
    expect(await engine.count(`live_tasks WHERE type = 'test.unique'`)).toBe(0);
  });

  it('is one of its type, and can be chosen by the caller', async () => {
    const one = await engine.add(work, {}, { dedupKey: 'a' });
    const two = await engine.add(once, {}, { dedupKey: 'a' });
    const three = await engine.add(work, {}, { dedupKey: 'a' });
    expect([one.created, two.created, three]).toEqual([true, true, { id: one.id, created: false }]);
  });

  it('has its holder run, if that waits for somebody to run it, by whoever wants it done now', async () => {
    const parked = await engine.enqueue(unique, { key: 'a' }, { runImmediately: false });

    expect(await engine.add(unique, { key: 'a' }, { runImmediately: false })).toEqual({ id: parked, created: false });
    const undone = engine.database.transaction(async (tx) => {
      await engine.add(unique, { key: 'a' }, { tx });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect((await engine.tasks.get(parked)).status).toBe('created');

    expect(await engine.add(unique, { key: 'a' })).toEqual({ id: parked, created: false });
    expect(await engine.trail(parked)).toEqual(['>created created', 'created>queued run']);
    await engine.add(unique, { key: 'a' });
    expect(await engine.trail(parked)).toHaveLength(2);

    const inputs = [{ key: 'b' }, { key: 'c' }];
    await engine.tasks.enqueueMany(unique, inputs, { actor: ACTOR, runImmediately: false });
    await engine.tasks.enqueueMany(unique, inputs, { actor: ACTOR });
    expect(await engine.count(`live_tasks WHERE status = 'queued'`)).toBe(3);
  });

  it('is free again when its holder has finished', async () => {
    const first = await engine.enqueue(unique, { key: 'a' });
    await engine.tasks.cancel(first, ACTOR);

    expect(await engine.add(unique, { key: 'a' })).toMatchObject({ created: true });
  });

  it('admits one of twenty concurrent requests', async () => {
    const added = await Promise.all(Array.from({ length: 20 }, () => engine.add(unique, { key: 'a' })));

    expect(added.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(added.map(({ id }) => id)).size).toBe(1);
    expect(await rows()).toBe(1);
  });

  it('admits one of two calls of many, also when these have the same keys in another order', async () => {
    const inputs = Array.from({ length: 2_000 }, (_, n) => ({ key: `k${String(n)}` }));
    for (let round = 1; round <= 5; round += 1) {
      const calls = [inputs, [...inputs].reverse()].map((some) =>
        engine.tasks.enqueueMany(unique, some, { actor: ACTOR }),
      );
      expect((await Promise.all(calls)).flat().filter(({ created }) => created)).toHaveLength(inputs.length);
      await engine.database.query('DELETE FROM live_tasks');
    }
  });

  it('goes to the waiting request when the transaction that holds it rolls back', async () => {
    const held = deferred();
    const giveUp = deferred();
    const failing = engine.database.transaction(async (tx) => {
      await engine.add(unique, { key: 'a' }, { tx });
      held.resolve();
      await giveUp.promise;
      throw new Error('no');
    });
    await held.promise;
    const waiting = engine.add(unique, { key: 'a' });
    giveUp.resolve();

    await expect(failing).rejects.toThrow('no');
    expect(await waiting).toMatchObject({ created: true });
    expect(await rows()).toBe(1);
  });

  it('never runs a task twice that has finished before the answer was put together', async () => {
    // b is committed, run and finished between the insert and the look-up of who holds a.
    await engine.enqueue(unique, { key: 'a' }, { runAt: new Date(Date.now() + 3_600_000) });
    await engine.database.query(`
      CREATE FUNCTION finish_b() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO finished_tasks (id, type, version, queue, status, joining, priority, attempt, max_attempts, fence,
          crash_count, timeout_ms, processed, run_at, created_at, updated_at, completed_at, weight, requested_by, name,
          drift_score, dedup_key, params, task_metadata)
        SELECT id, type, version, queue, 'completed', joining, priority, 1, max_attempts, 1, crash_count, timeout_ms,
          processed, run_at, created_at, now(), now(), weight, requested_by, name, drift_score, dedup_key, params,
          task_metadata FROM live_tasks WHERE dedup_key = 'b';
        DELETE FROM live_tasks WHERE dedup_key = 'b';
        RETURN NULL;
      END $$`);
    await engine.database.query(`
      CREATE TRIGGER finish_b AFTER INSERT ON live_tasks FOR EACH STATEMENT EXECUTE FUNCTION finish_b()`);
    try {
      const added = await engine.tasks.enqueueMany(unique, [{ key: 'a' }, { key: 'b' }], { actor: ACTOR });
      expect(added.map(({ created }) => created)).toEqual([false, true]);
      expect(await engine.count(`live_tasks WHERE dedup_key = 'b'`)).toBe(0);
      expect(await engine.count(`finished_tasks WHERE id = $1`, [added[1]?.id])).toBe(1);
    } finally {
      await engine.database.query('DROP TRIGGER finish_b ON live_tasks');
      await engine.database.query('DROP FUNCTION finish_b()');
    }
  });
});

describe('an idempotency key', () => {
  it('gives the task of the first request, even when that has finished', async () => {
    const first = await engine.add(work, { n: 1 }, { idempotencyKey: 'k' });
    await engine.tasks.cancel(first.id, ACTOR);

    const second = await engine.add(work, { n: 1 }, { idempotencyKey: 'k' });

    expect([first.created, second]).toEqual([true, { id: first.id, created: false }]);
    expect(await rows()).toBe(1);
  });

  it('is refused for another input, another type or other terms', async () => {
    await engine.add(work, { n: 1 }, { idempotencyKey: 'k' });
    const reused = { kind: 'conflict', code: 'idempotency_key_reused' };

    await expect(engine.add(work, { n: 2 }, { idempotencyKey: 'k' })).rejects.toMatchObject(reused);
    await expect(engine.add(once, { n: 1 }, { idempotencyKey: 'k' })).rejects.toMatchObject(reused);
    const others = [{ priority: 1 }, { dedupKey: 'a' }, { description: 'other' }, { runImmediately: false }];
    for (const other of others) {
      await expect(engine.add(work, { n: 1 }, { idempotencyKey: 'k', ...other })).rejects.toMatchObject(reused);
    }
    expect(await rows()).toBe(1);
  });

  it('belongs to the caller', async () => {
    const mine = await engine.add(work, { n: 1 }, { idempotencyKey: 'k' });
    const yours = await engine.add(work, { n: 1 }, { idempotencyKey: 'k', actor: 'test:another' });
    expect([mine.created, yours.created]).toEqual([true, true]);
  });

  it('makes one task of ten concurrent requests', async () => {
    const added = await Promise.all(
      Array.from({ length: 10 }, () => engine.add(work, { n: 1 }, { idempotencyKey: 'k' })),
    );
    expect(new Set(added.map(({ id }) => id)).size).toBe(1);
    expect(added.filter(({ created }) => created)).toHaveLength(1);
    expect(await rows()).toBe(1);
  });
});

describe('a task for later', () => {
  let worker: Engine;

  beforeAll(async () => {
    worker = await (await Engine.open(database.url)).work();
  });
  afterAll(() => worker.close());

  it('is not claimed before its time, and soon after it', async () => {
    const dueMs = Date.now() + 700;
    const id = await engine.enqueue(patient, {}, { runAt: new Date(dueMs) });
    const other = await engine.enqueue(work);
    await engine.finished(other);
    expect((await engine.tasks.get(id)).status).toBe('queued');

    const { startedAt } = await engine.finished(id);

    expect(startedAt?.getTime()).toBeGreaterThanOrEqual(dueMs);
    expect(startedAt?.getTime()).toBeLessThan(dueMs + 5_000);
  });

  it('keeps its time while it waits for a person', async () => {
    const dueMs = Date.now() + 700;
    const id = await engine.enqueue(work, {}, { runAt: new Date(dueMs), runImmediately: false });
    await engine.tasks.run(id, ACTOR);

    expect((await engine.finished(id)).startedAt?.getTime()).toBeGreaterThanOrEqual(dueMs);
  });

  it('runs at once when its time is past', async () => {
    const id = await engine.enqueue(brief, {}, { runAt: new Date(0) });
    expect((await engine.finished(id)).status).toBe('completed');
  });

  it('is what workers wait for: without one, nothing is due', async () => {
    const dueInMs = async (): Promise<number | null> =>
      (await engine.database.query<{ due_in_ms: number | null }>(NEXT_DUE))[0]?.due_in_ms ?? null;
    await engine.database.query(`DELETE FROM live_tasks WHERE status = 'queued' AND NOT ready`);
    expect(await dueInMs()).toBeNull();

    await engine.enqueue(work, {}, { runAt: new Date(Date.now() + 3_600_000) });
    expect(await dueInMs()).toBeGreaterThan(3_500_000);
  });

  it('reaches a handler of a newer version in its shape', async () => {
    const seen = deferred<unknown>();
    worker.script.when(renewed, (input) => seen.resolve(input));
    const id = await engine.enqueue(renewed, {}, { runAt: new Date(Date.now() + 200) });
    await engine.database.query(`UPDATE live_tasks SET version = 1, params = '{"number": 7}' WHERE id = $1`, [id]);

    await engine.finished(id);

    expect(await seen.promise).toEqual({ n: 7 });
  });
});
