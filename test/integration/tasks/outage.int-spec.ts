import { EnginePool } from '../../../src/tasks/queue/engine-pool.js';
import { LEASE_LOCK_CLASS } from '../../../src/tasks/queue/lease.sql.js';
import { fanOut } from '../../../src/tasks/index.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { aborted, ACTOR, deferred, Engine, once, part, split, splitOnly, work } from '../../support/engine-harness.js';
import { BY, limitsOf, type } from '../../support/limit-harness.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
let proxy: FaultProxy;
/** Works behind the proxy. */
let worker: Engine;
/** Has a good connection. */
let asker: Engine;

beforeEach(async () => {
  database = await createTestDatabase();
  proxy = await FaultProxy.before(database.url);
  asker = await Engine.open(database.url);
  worker = await Engine.open(proxy.url);
});

afterEach(async () => {
  proxy.restore();
  proxy.onReply = () => 'pass';
  await Promise.all([worker.close(), asker.close()]);
  await proxy.close();
  await database.drop();
});

const PATIENT = { timeoutMs: 20_000 };

async function leaseIsSilentFor(interval: string): Promise<void> {
  await waitFor(
    'the lease not to be renewed',
    async () => (await asker.count(`task_workers WHERE seen_at < clock_timestamp() - $1::interval`, [interval])) > 0,
  );
}

/** Cuts the connection on which the server first gives a reply with this text, after it has done what it was asked. */
function loseReply(text: string): Promise<void> {
  const lost = deferred();
  let done = false;
  proxy.onReply = (reply) => {
    if (done || !reply.includes(text)) return 'pass';
    done = true;
    lost.resolve();
    return 'cut';
  };
  return lost.promise;
}

describe('a reply that is lost', () => {
  it('to a claim: the worker finds the task that it holds without knowing, and it runs', async () => {
    await worker.work({ leaseMs: 2_000, renewMs: 300 });
    const id = await asker.enqueue(work, { n: 1 }, { runImmediately: false });
    const lost = loseReply(id);
    await asker.tasks.run(id, ACTOR);
    await lost;

    expect(await asker.finished(id, PATIENT)).toMatchObject({
      status: 'completed',
      result: 1,
      attempt: 1,
      crashCount: 0,
    });
    expect(await asker.trail(id)).toEqual([
      '>created created',
      'created>queued run',
      'queued>running claimed',
      'running>queued released',
      'queued>running claimed',
      'running>completed completed',
    ]);
  });

  it('to a claim within limits: what was claimed without limits before it runs at once', async () => {
    await limitsOf(asker).set(type(work), { concurrency: 1 }, BY);
    await asker.enqueue(work);
    proxy.onReply = (reply) => (reply.includes('tokensAgeMs') ? 'cut' : 'pass'); // of every look at limits
    await worker.work({ leaseMs: 10_000, renewMs: 1_000 });

    for (let n = 0; n < 3; n += 1) {
      const id = await asker.enqueue(once, { n });
      expect(await asker.finished(id)).toMatchObject({ status: 'completed' });
      expect(await asker.trail(id)).not.toContain('running>queued released');
    }
  });

  it('to a settlement: it has happened, once', async () => {
    await worker.work();
    const id = await asker.enqueue(work, { n: 1 }, { runImmediately: false });
    const lost = loseReply('settled');
    await asker.tasks.run(id, ACTOR);
    await lost;

    await asker.finished(id);
    const next = await asker.enqueue(work);
    expect(await asker.finished(next)).toMatchObject({ status: 'completed' });
    expect((await asker.trail(id)).filter((line) => line.startsWith('running>'))).toEqual([
      'running>completed completed',
    ]);
  });
});

describe('connections that break', () => {
  it.each([
    ['are cut by the network', () => Promise.resolve(proxy.cut())],
    [
      'are terminated by the server',
      () =>
        asker.database.query(`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`),
    ],
  ])('because they %s lose nothing and cost no task its attempt', async (_what, breakAll) => {
    const go = deferred();
    worker.script.when(work, () => go.promise);
    await worker.work({ leaseMs: 4_000, renewMs: 400 });
    const rival = await (await Engine.open(database.url, worker.script)).work({ leaseMs: 4_000, renewMs: 400 });
    try {
      const ids = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => asker.enqueue(work, { n })));
      await waitFor('all to run', async () => (await asker.count(`live_tasks WHERE status = 'running'`)) === 6);
      const holders = await asker.database.query('SELECT id, worker_id FROM live_tasks ORDER BY id');

      await breakAll();
      const before = await asker.database.query<{ seen_at: Date }>('SELECT id, seen_at FROM task_workers ORDER BY id');
      await waitFor('both leases to be renewed', async () => {
        const now = await asker.database.query<{ seen_at: Date }>('SELECT id, seen_at FROM task_workers ORDER BY id');
        return now.length === 2 && now.every((row, index) => row.seen_at > before[index]!.seen_at);
      });
      await waitFor(
        'a missing connection not to be tolerated any longer',
        async () =>
          (await asker.count(`task_workers WHERE seen_at > $1::timestamptz + interval '2.5 seconds'`, [
            before[0]?.seen_at,
          ])) === 2,
      );

      expect(await asker.database.query('SELECT id, worker_id FROM live_tasks ORDER BY id')).toEqual(holders);
      go.resolve();
      for (const id of ids)
        expect(await asker.finished(id)).toMatchObject({ status: 'completed', attempt: 1, crashCount: 0 });
      expect(await asker.finished(await asker.enqueue(once))).toMatchObject({ status: 'completed' });
    } finally {
      await rival.close();
    }
  });

  it('leave their worker its lease, also when the server finds out late', async () => {
    await asker.work({ leaseMs: 15_000, renewMs: 3_000 });
    const workers = () =>
      asker.database.query<{ id: string; lock_key: number; seen_at: Date }>(
        'SELECT id, lock_key, seen_at FROM task_workers',
      );
    const [before] = await workers();
    // In place of the session that the server believes in: it has the lock until it ends.
    const old = await asker.database.connect('old-session');
    const locked = old.query('SELECT pg_advisory_lock($1, $2)', [LEASE_LOCK_CLASS, before?.lock_key]);
    await waitFor('it to wait', async () => (await asker.count(`pg_locks WHERE NOT granted`)) === 1);
    await asker.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'photosafe-lease'`,
    );
    await locked;
    const renewed = (since?: Date) =>
      waitFor('a renewal', async () => (await workers()).find(({ seen_at: at }) => since === undefined || at > since));
    const { seen_at: once } = await renewed(before?.seen_at);
    const { seen_at: twice } = await renewed(once);

    await old.end();

    expect(await renewed(new Date(twice.getTime() + 2_500))).toMatchObject({ id: before?.id });
  });

  it('all the time lose nothing and double nothing', async () => {
    await asker.database.query('CREATE TABLE effects (task uuid)');
    worker.script
      .when(work, (_input, context) => {
        context.progress(1, 2);
        context.onSettle(async (tx) => {
          await tx.query('INSERT INTO effects VALUES ($1)', [context.task.id]);
        });
      })
      .when(splitOnly, () =>
        fanOut(
          part,
          Array.from({ length: 10 }, (_, n) => ({ input: { n } })),
        ),
      );
    await worker.work({ leaseMs: 2_000, renewMs: 200, pollMs: 100, concurrency: { default: 20 } });
    await asker.tasks.enqueueMany(
      once,
      Array.from({ length: 300 }, (_, n) => ({ n })),
      { actor: ACTOR },
    );
    await asker.tasks.enqueueMany(
      work,
      Array.from({ length: 100 }, (_, n) => ({ n })),
      { actor: ACTOR },
    );
    await asker.tasks.enqueueMany(
      splitOnly,
      Array.from({ length: 20 }, (_, n) => ({ n })),
      { actor: ACTOR },
    );
    let cuts = 0;
    const chaos = setInterval(() => {
      cuts += 1;
      if (cuts <= 25) proxy.cut();
    }, 60);
    try {
      await waitFor('all to end', async () => (await asker.count('live_tasks')) === 0, { timeoutMs: 40_000 });
    } finally {
      clearInterval(chaos);
    }
    expect(
      await asker.database.query('SELECT status, count(*)::int AS count FROM finished_tasks GROUP BY status'),
    ).toEqual([{ status: 'completed', count: 620 }]);
    expect(await asker.count(`task_history WHERE to_status = 'completed'`)).toBe(620);
    expect(await asker.count('effects')).toBe(100);
    expect(await asker.count('(SELECT DISTINCT task FROM effects) AS each')).toBe(100);
    expect(cuts).toBeGreaterThan(3);
  }, 60_000);

  it('while a transaction is open do not end the process', async () => {
    const lockedBy = deferred();
    const release = deferred();
    // Somebody holds the row, so that the cancellation waits inside its transaction.
    const id = await asker.enqueue(work, {}, { runImmediately: false });
    const holding = asker.database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM live_tasks WHERE id = $1 FOR UPDATE', [id]);
      lockedBy.resolve();
      await release.promise;
    });
    await lockedBy.promise;
    const cancelling = worker.tasks.cancel(id, ACTOR);
    cancelling.catch(() => undefined);
    await waitFor(
      'the cancellation to wait',
      async () => (await asker.count(`pg_stat_activity WHERE wait_event_type = 'Lock'`)) > 0,
    );

    proxy.cut();

    await expect(cancelling).rejects.toThrow();
    release.resolve();
    await holding;
    expect(await worker.tasks.cancel(id, ACTOR)).toMatchObject({ status: 'cancelled' });
  });
});

describe('a database that is away', () => {
  it('for less than the lease stops nobody', async () => {
    const stopped = jest.fn();
    const go = deferred();
    worker.script.when(once, async (_input, { signal }) => {
      signal.addEventListener('abort', stopped);
      await go.promise;
      return 'held out';
    });
    await worker.work({ leaseMs: 6_000, renewMs: 500 });
    const id = await asker.enqueue(once);
    await asker.until(id, ({ status }) => status === 'running');
    proxy.takeAway();
    go.resolve(); // and the result is to be written meanwhile
    await leaseIsSilentFor('1.5 seconds');
    proxy.restore();

    expect(await asker.finished(id, PATIENT)).toMatchObject({
      status: 'completed',
      result: 'held out',
      attempt: 1,
      crashCount: 0,
    });
    expect(stopped).not.toHaveBeenCalled();
  });

  it.each<[string, (gate: Promise<void>) => void]>([
    [
      'while a handler runs',
      (gate) =>
        void worker.script.when(once, (_input, { signal }) => Promise.race([gate, aborted(signal)]).then(() => 'ran')),
    ],
    ['while a result is to be written', (gate) => void worker.script.when(once, () => gate.then(() => 'ran'))],
    [
      'while effects are to be written',
      (gate) =>
        void worker.script.when(once, async (_input, context) => {
          context.onSettle(async (tx) => {
            await tx.query('SELECT 1');
          });
          await gate;
          return 'ran';
        }),
    ],
    [
      'while a task is to be split',
      (gate) =>
        void worker.script
          .when(once, async (_input, { task }) => {
            await gate;
            return task.fence > 1 ? 'ran' : fanOut(part, [{ input: {} }]);
          })
          .when(part, () => 1),
    ],
  ])(
    'for longer than the lease %s: the worker gives up, comes back, and the task runs again',
    async (_what, script) => {
      const gate = deferred();
      script(gate.promise);
      await worker.work({ leaseMs: 1_500, renewMs: 200, pollMs: 200 });
      const id = await asker.enqueue(once);
      await asker.until(id, ({ status }) => status === 'running');
      const [first] = await asker.database.query<{ id: string }>('SELECT id FROM task_workers');

      proxy.takeAway();
      gate.resolve();
      await leaseIsSilentFor('2.5 seconds');
      proxy.restore();

      const task = await asker.finished(id, PATIENT);
      expect(task.attempt).toBeLessThanOrEqual(1);
      expect(task.status === 'completed' || task.errorCode === 'batches_failed').toBe(true);
      await waitFor(
        'a new worker',
        async () => {
          const rows = await asker.database.query<{ id: string }>('SELECT id FROM task_workers');
          return rows.length === 1 && rows[0]?.id !== first?.id;
        },
        PATIENT,
      );
      expect(await asker.finished(await asker.enqueue(work), PATIENT)).toMatchObject({ status: 'completed' });
    },
  );

  it('does not keep the process from closing', async () => {
    worker.script.when(work, (_input, { signal }) => aborted(signal));
    await worker.work({ leaseMs: 1_500, renewMs: 200, shutdownGraceMs: 100 });
    const id = await asker.enqueue(work);
    await asker.until(id, ({ status }) => status === 'running');
    proxy.takeAway();
    const asked = performance.now();
    await worker.close();
    expect(performance.now() - asked).toBeLessThan(8_000);
  });

  it('when work begins is waited for, and the process can be closed meanwhile', async () => {
    const second = await Engine.open(proxy.url);
    proxy.takeAway();
    const starting = second.work();
    await waitFor('an attempt to connect', () => proxy.refused > 0);
    await second.close();
    proxy.restore();
    await starting;
    expect(await asker.count('task_workers')).toBe(0);
  });
});

describe('connections on which nothing passes any more', () => {
  it('are given up, and the work goes on over new ones', async () => {
    worker.app.get(EnginePool).answerWithinMs = 1_000;
    const go = deferred();
    worker.script.when(work, (_input, { signal }) => Promise.race([go.promise, aborted(signal)]));
    await worker.work({ leaseMs: 1_500, renewMs: 200, pollMs: 200 });
    const id = await asker.enqueue(work);
    await asker.until(id, ({ status }) => status === 'running');
    await asker.finished(await asker.enqueue(once));

    proxy.blackhole();
    go.resolve();

    expect(await asker.finished(id, PATIENT)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await asker.finished(await asker.enqueue(once), PATIENT)).toMatchObject({ status: 'completed' });
  });

  it('hold up neither outcomes nor effects for longer than it takes to see that new ones work', async () => {
    const go = deferred();
    worker.script.when(work, async (_input, context) => {
      context.onSettle((tx) => tx.query('SELECT 1').then(() => undefined));
      if (context.task.attempt === 1) await go.promise;
    });
    worker.script.when(once, () => go.promise);
    await worker.work({ leaseMs: 2_000, renewMs: 200, pollMs: 200 });
    const ids = await Promise.all([asker.enqueue(work), asker.enqueue(once)]);
    for (const id of ids) await asker.until(id, ({ status }) => status === 'running');
    await worker.database.query('SELECT 1'); // there is an old connection to take the effect

    proxy.blackhole();
    go.resolve();

    const began = performance.now();
    for (const id of ids) {
      expect(await asker.finished(id, PATIENT)).toMatchObject({ status: 'completed', attempt: 1, crashCount: 0 });
    }
    expect(performance.now() - began).toBeLessThan(15_000); // an answer is waited for twice as long
  });
});

describe('a lease that is not renewed in time, once', () => {
  it('takes no connection along on which answers come', async () => {
    const end = deferred();
    let isOver = false;
    void end.promise.then(() => (isOver = true));
    worker.script.when(work, (_input, context) =>
      context.transaction(async (tx) => {
        while (!isOver) await tx.query('SELECT pg_sleep(0.05)');
      }),
    );
    await worker.work({ leaseMs: 6_000, renewMs: 300 });
    const id = await asker.enqueue(work);
    await asker.until(id, ({ status }) => status === 'running');
    const renewals = `pg_stat_activity WHERE application_name = 'photosafe-lease' AND datname = current_database() AND wait_event_type = 'Lock'`;
    await asker.database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM task_workers FOR UPDATE');
      await waitFor('another connection for it', async () => (await asker.count(renewals)) === 2, PATIENT);
    });
    const since = new Date();
    const renewed = async (): Promise<boolean> => (await asker.count('task_workers WHERE seen_at > $1', [since])) === 1;
    await waitFor('it to be renewed', renewed);
    end.resolve();

    expect(await asker.finished(id)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await asker.trail(id)).toHaveLength(3);
  });
});

describe('a notice', () => {
  it('reaches the worker again after its listening connection broke', async () => {
    await worker.work({ pollMs: 60_000 });
    await asker.finished(await asker.enqueue(work));
    proxy.cut();
    await waitFor(
      'the listener to be back',
      async () =>
        (await asker.count(
          `pg_stat_activity WHERE application_name = 'photosafe-listener' AND datname = current_database()`,
        )) === 1,
    );
    // What was added between is found by looking, what is added now by a notice.
    expect(await asker.finished(await asker.enqueue(split))).toMatchObject({ status: 'completed' });
  });

  it('that breaks a connection leaves none behind', async () => {
    await worker.work();
    for (let round = 0; round < 5; round += 1) {
      proxy.cut();
      await waitFor(
        'the listener to be back',
        async () =>
          (await asker.count(
            `pg_stat_activity WHERE application_name = 'photosafe-listener' AND datname = current_database()`,
          )) >= 1,
      );
    }
    await waitFor(
      'one listener',
      async () =>
        (await asker.count(
          `pg_stat_activity WHERE application_name = 'photosafe-listener' AND datname = current_database()`,
        )) === 1,
    );
    await waitFor(
      'one lease',
      async () =>
        (await asker.count(
          `pg_stat_activity WHERE application_name = 'photosafe-lease' AND datname = current_database()`,
        )) === 1,
    );
  });
});
