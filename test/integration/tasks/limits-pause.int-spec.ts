import { EnginePool } from '../../../src/tasks/queue/engine-pool.js';
import { BY, Fleet, limitsOf, queue, type } from '../../support/limit-harness.js';
import { deferred, elsewhere, type Engine, once, work } from '../../support/engine-harness.js';
import { waitFor } from '../../support/wait-for.js';

let fleet: Fleet;
let engine: Engine;

beforeEach(async () => {
  fleet = await Fleet.open();
  engine = await fleet.engine();
});

afterEach(() => fleet.close());

const many = (count: number): { n: number }[] => Array.from({ length: count }, (_, n) => ({ n }));

/** How many claims were committed after the pause was, by the database's own account. */
async function claimedSince(since: string): Promise<number> {
  return engine.count(`task_history WHERE reason = 'claimed' AND at > $1::timestamptz`, [since]);
}

async function now(): Promise<string> {
  const [row] = await engine.database.query<{ now: string }>('SELECT clock_timestamp()::text AS now');
  return row?.now ?? '';
}

describe('a paused queue', () => {
  it('has nothing claimed from the moment on that the pause is answered, whoever claims, until it is resumed', async () => {
    const workers = await Promise.all([1, 2, 3].map(() => fleet.engine()));
    await Promise.all(workers.map((one) => one.work({ concurrency: { default: 2, other: 2 } })));
    await engine.tasks.enqueueMany(work, many(3_000), { actor: 'test' });
    await waitFor('some to run', async () => (await engine.count(`finished_tasks`)) > 50);
    for (let round = 0; round < 5; round += 1) {
      await limitsOf(engine).pause(queue(), BY);
      const paused = await now();
      const other = await engine.enqueue(elsewhere);
      await engine.finished(other);
      const [otherClaims, all] = [1, await claimedSince(paused)];
      expect(all).toBe(otherClaims);
      const left = await engine.count(`live_tasks WHERE status = 'queued'`);
      await limitsOf(engine).resume(queue(), BY);
      if (left > 0)
        await waitFor('it to go on', async () => (await engine.count(`live_tasks WHERE status = 'queued'`)) < left);
    }
    await waitFor('all to end', async () => (await engine.count('live_tasks')) === 0, { timeoutMs: 60_000 });
    expect(await engine.count(`finished_tasks WHERE status = 'completed'`)).toBe(3_005);
  });

  it('lets what runs go on', async () => {
    const [started, goOn] = [deferred(), deferred()];
    fleet.script.when(once, async () => {
      started.resolve();
      await goOn.promise;
    });
    await engine.work();
    const id = await engine.enqueue(once);
    await started.promise;
    await limitsOf(engine).pause(queue(), BY);
    goOn.resolve();
    expect((await engine.finished(id)).status).toBe('completed');
  });

  it('says who paused it, when and why, and keeps a record of each change', async () => {
    const limits = limitsOf(engine);
    await limits.pause(queue(), { actor: 'test:a', reason: 'the disk is full' });
    await limits.pause(queue(), { actor: 'test:b', reason: 'again' });
    const found = await limits.find(queue());
    expect(found?.pause).toEqual({ at: expect.any(Date) as Date, by: 'test:a', reason: 'the disk is full' });
    await limits.resume(queue(), { actor: 'test:c' });
    await limits.resume(queue(), { actor: 'test:d' });
    expect((await limits.find(queue()))?.pause).toBeUndefined();
    const events = await limits.events(queue(), { limit: 10 });
    expect(events.map(({ action, actor, reason }) => [action, actor, reason])).toEqual([
      ['resumed', 'test:c', null],
      ['paused', 'test:a', 'the disk is full'],
    ]);
  });

  it('is heard of by a worker whose notice was lost', async () => {
    await engine.work();
    await engine.finished(await engine.enqueue(work));
    // As another process would, but without telling.
    await engine.app.get(EnginePool).transaction(async (sql) => {
      await sql.query(`SELECT nextval('task_limit_revision')`);
      await sql.query(
        `INSERT INTO task_limits (scope, name, changed_by, paused_at, paused_by) VALUES ('queue', 'default', 'x', now(), 'x')`,
      );
    });
    const id = await engine.enqueue(work);
    await engine.finished(await engine.enqueue(elsewhere));
    expect((await engine.tasks.get(id)).status).toBe('queued');
    await limitsOf(engine).resume(queue(), BY);
    await engine.finished(id);
  });
});

describe('a paused type', () => {
  it('waits, with its backlog, while others of its queue go on; then it goes on', async () => {
    await engine.work();
    const before = await engine.tasks.enqueueMany(once, many(3), {
      actor: 'test',
      priority: -1_000,
      runAt: new Date(Date.now() + 400),
    });
    await limitsOf(engine).pause(type(once), BY);
    const after = await engine.enqueue(once);
    await engine.finished(await engine.enqueue(work));
    await waitFor('the delayed ones to be due', async () => (await engine.count(`live_tasks WHERE ready`)) === 4);
    await engine.finished(await engine.enqueue(work));
    expect(await engine.count(`live_tasks WHERE status = 'queued' AND type = $1`, [once.name])).toBe(4);
    await limitsOf(engine).resume(type(once), BY);
    for (const { id } of before) await engine.finished(id);
    await engine.finished(after);
  });

  it('has its backlog moved into a lane of its own, in which later tasks begin', async () => {
    await engine.tasks.enqueueMany(once, many(12_000), { actor: 'test' });
    await engine.enqueue(work);
    await engine.work({ concurrency: { default: 0, other: 1 } });
    await limitsOf(engine).pause(type(once), BY);
    const lanes = () =>
      engine.database.query<{ lane: string; count: number }>(
        'SELECT lane, count(*)::int AS count FROM live_tasks GROUP BY lane ORDER BY lane',
      );
    await engine.enqueue(once);
    await waitFor(
      'them to be moved',
      async () => (await lanes()).find(({ lane }) => lane === `default!${once.name}`)?.count === 12_001,
      {
        timeoutMs: 60_000,
      },
    );
    expect(await lanes()).toEqual([
      { lane: 'default', count: 1 },
      { lane: `default!${once.name}`, count: 12_001 },
    ]);
    await waitFor(
      'the lane to be settled',
      async () => (await engine.count('task_lanes WHERE settled_at IS NULL')) === 0,
      {
        timeoutMs: 60_000,
      },
    );
  });
});
