import {
  BY,
  flaky,
  Fleet,
  keyed,
  limitsOf,
  mostAtOnce,
  pair,
  queue,
  rated,
  type,
} from '../../support/limit-harness.js';
import { WITNESS_DEATH } from '../../../src/tasks/isolation/isolation.sql.js';
import { PermanentError, TransientError } from '../../../src/tasks/index.js';
import { aborted, type Engine, work } from '../../support/engine-harness.js';
import { waitFor } from '../../support/wait-for.js';

let fleet: Fleet;
let engine: Engine;

beforeEach(async () => {
  fleet = await Fleet.open();
  engine = await fleet.engine();
});

afterEach(() => fleet.close());

const many = (count: number, keys = 1): { n: number; key: string }[] =>
  Array.from({ length: count }, (_, n) => ({ n, key: `k${String(n % keys)}` }));

const SLOW = { timeoutMs: 60_000 };

async function workers(count: number, concurrency = 8): Promise<Engine[]> {
  const engines = await Promise.all(Array.from({ length: count }, () => fleet.engine()));
  return Promise.all(engines.map((one) => one.work({ concurrency: { default: concurrency, other: concurrency } })));
}

const allEnded = (): Promise<unknown> =>
  waitFor('all to end', async () => (await engine.count('live_tasks')) === 0, SLOW);

const breath = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3));

describe('a limit of a type', () => {
  it('is kept by three workers that race for its tasks, and used to the full', async () => {
    fleet.script.when(pair, breath);
    await workers(3);
    await engine.tasks.enqueueMany(pair, many(150), { actor: 'test' });
    await engine.tasks.enqueueMany(work, many(300), { actor: 'test' });
    await allEnded();
    expect(await mostAtOnce(engine, pair)).toBe(2);
    expect(await engine.count(`finished_tasks WHERE status = 'completed'`)).toBe(450);
  });

  it('per key lets as many run at once as there are keys, of each key one, and no key starves', async () => {
    fleet.script.when(keyed, breath);
    await engine.tasks.enqueueMany(keyed, many(100, 1), { actor: 'test' });
    await engine.tasks.enqueueMany(keyed, many(300, 150), { actor: 'test' });
    await workers(3);
    await allEnded();
    expect(await mostAtOnce(engine, keyed, 't.concurrency_key')).toBe(1);
    expect(await mostAtOnce(engine, keyed)).toBeGreaterThan(1);
    expect(await mostAtOnce(engine, keyed)).toBeLessThanOrEqual(5);
    const [last] = await engine.database.query<{ others: boolean }>(
      `SELECT max(completed_at) FILTER (WHERE concurrency_key <> 'k0') < max(completed_at) AS others FROM finished_tasks`,
    );
    expect(last?.others).toBe(true); // those of the long key are done last, not first
  });

  it('that an operator sets holds from the answer on, also for what waits in the queue already', async () => {
    fleet.script.when(work, breath);
    await engine.tasks.enqueueMany(work, many(200), { actor: 'test' });
    const some = await workers(3);
    await waitFor('some to run', async () => (await engine.count('finished_tasks')) > 20);
    await limitsOf(some[1]!).set(type(work), { concurrency: 1 }, BY);
    await waitFor(
      'what ran before to end',
      async () => (await engine.count(`live_tasks WHERE status = 'running' AND lane = 'default'`)) === 0,
    );
    const [since] = await engine.database.query<{ at: string }>('SELECT clock_timestamp()::text AS at');
    await allEnded();
    const [most] = await engine.database.query<{ most: number }>(
      `SELECT max(running)::int AS most FROM (
         SELECT at, sum(CASE WHEN to_status = 'running' THEN 1 ELSE -1 END) OVER (ORDER BY at, id) AS running
         FROM task_history WHERE to_status = 'running' OR from_status = 'running') sums WHERE at > $1::timestamptz`,
      [since?.at],
    );
    expect(most?.most).toBeLessThanOrEqual(2); // one may have been in the lane as we looked
    expect(await engine.count(`finished_tasks WHERE status = 'completed'`)).toBe(200);
  });

  it('gives the place of a worker that died to others', async () => {
    const [dying] = await workers(1);
    fleet.script.when(pair, (_input, { signal }) => aborted(signal));
    const stuck = await engine.tasks.enqueueMany(pair, many(2), { actor: 'test' });
    for (const { id } of stuck) await engine.until(id, ({ status }) => status === 'running');
    const next = await engine.enqueue(pair, { n: 7 });
    fleet.script.when(pair, ({ n }) => n);
    // As if it was killed: it is struck off, and hears of it only when it renews its lease.
    await dying!.database.query('DELETE FROM task_workers');
    await workers(1);
    for (const { id } of stuck) expect((await engine.finished(id, SLOW)).status).toBe('completed');
    expect((await engine.finished(next, SLOW)).result).toBe(7);
    expect(await mostAtOnce(engine, pair)).toBe(2);
  });

  it('makes room when one is quarantined, however seldom anybody polls', async () => {
    await limitsOf(engine).set(type(pair), { concurrency: 1 }, BY);
    const poison = await engine.enqueue(pair);
    const next = await engine.enqueue(pair, { n: 7 });
    const lost = '01900000-0000-7000-8000-000000000000';
    await engine.database.query(
      `INSERT INTO task_workers (id, hostname, pid, queues, types, lease_expires_at, external)
       VALUES ($1, '', 0, '{}', '{}', now() + interval '1 hour', true)`,
      [lost],
    );
    await engine.database.query(
      `UPDATE live_tasks SET status = 'running', ready = false, worker_id = $2, attempt = 1, fence = 1, started_at = now(),
         crash_count = 1, deaths_alone = 1 WHERE id = $1`,
      [poison, lost],
    );
    await engine.work({ pollMs: 60_000 });
    await engine.finished(await engine.enqueue(work)); // it has looked at the others as well

    await engine.database.query(WITNESS_DEATH, [lost, 'it was killed']);

    expect(await engine.finished(poison)).toMatchObject({ status: 'failed', errorCode: 'poison_pill' });
    expect(await engine.finished(next, { timeoutMs: 3_000 })).toMatchObject({ status: 'completed', result: 7 });
  });

  it('holds for suspects too', async () => {
    await engine.tasks.enqueueMany(pair, many(6), { actor: 'test' });
    await engine.database.query(`UPDATE live_tasks SET ready = false, crash_count = 1 WHERE status = 'queued'`);
    fleet.script.when(pair, breath);
    await workers(2);
    await engine.tasks.enqueueMany(pair, many(40), { actor: 'test' });
    await allEnded();
    expect(await mostAtOnce(engine, pair)).toBeLessThanOrEqual(2);
    expect(await engine.count(`finished_tasks WHERE status = 'completed'`)).toBe(46);
  });
});

describe('a limit of a queue', () => {
  it('is kept by all workers for all of its types together', async () => {
    for (const task of [work, pair, keyed]) fleet.script.when(task, breath);
    await limitsOf(engine).set(queue(), { concurrency: 3 }, BY);
    await workers(3);
    for (const task of [work, pair, keyed]) await engine.tasks.enqueueMany(task, many(40, 5), { actor: 'test' });
    await allEnded();
    const [row] = await engine.database.query<{ most: number }>(
      `SELECT max(running)::int AS most FROM (
         SELECT sum(CASE WHEN to_status = 'running' THEN 1 ELSE -1 END) OVER (ORDER BY at, id) AS running
         FROM task_history WHERE to_status = 'running' OR from_status = 'running') sums`,
    );
    expect(row?.most).toBe(3);
    expect(await engine.count(`finished_tasks WHERE status = 'completed'`)).toBe(120);
  });
});

describe('a rate', () => {
  it('is what tasks start at, by the clock of the database, beginning with a burst', async () => {
    await workers(3);
    await engine.tasks.enqueueMany(rated, many(30), { actor: 'test' });
    await allEnded();
    const starts = await engine.database.query<{ at: number }>(
      `SELECT extract(epoch FROM at)::float8 * 1000 AS at FROM task_history WHERE reason = 'claimed' ORDER BY at`,
    );
    expect(starts).toHaveLength(30);
    const worst = starts.flatMap((from, i) =>
      starts.slice(i).map((to, j) => ({ count: j + 1, allowed: 5 + ((to.at - from.at) / 1_000) * 10 })),
    );
    // Claims are noted a little after their moment: a token's worth of leeway.
    expect(worst.filter(({ count, allowed }) => count > allowed + 1)).toEqual([]);
    expect(starts.at(-1)!.at - starts[0]!.at).toBeGreaterThan(2_000);
  });

  it('lets a task start when there is a token, however long those before it take and however seldom anybody polls', async () => {
    fleet.script.when(rated, (_input, { signal }) => aborted(signal));
    await engine.tasks.enqueueMany(rated, many(20), { actor: 'test' });
    await engine.work({ concurrency: { default: 30 }, pollMs: 60_000 });

    const running = async (): Promise<boolean> => (await engine.count(`live_tasks WHERE status = 'running'`)) === 20;
    await waitFor('all of them to run', running);
  });
});

describe('a clock of the database that is set back', () => {
  it('does not keep the tasks of a rate from starting until it has caught up', async () => {
    await engine.work();
    await engine.finished(await engine.enqueue(rated));
    await engine.database.query(
      `UPDATE task_limit_states SET tokens = 0, tokens_at = now() + interval '1 hour' WHERE name = $1`,
      [rated.name],
    );
    expect(await engine.finished(await engine.enqueue(rated))).toMatchObject({ status: 'completed' });
  });

  it('does not keep a circuit open until it has caught up, and what the other side asked for is waited for', async () => {
    fleet.script.when(flaky, () => {
      throw new TransientError('dependency_down', 'come back tomorrow', { retryAfterMs: 80_000_000 });
    });
    const [before] = await workers(1);
    await engine.tasks.enqueueMany(flaky, many(5), { actor: 'test' });
    const state = `task_limit_states WHERE name = '${flaky.name}' AND circuit = 'open'`;
    await waitFor('it to open', () => engine.count(state));
    await before?.close();
    expect(await engine.count(`${state} AND probe_at > now() + interval '22 hours'`)).toBe(1);

    fleet.script.when(flaky, ({ n }) => n);
    const held = await engine.enqueue(flaky, { n: 7 });
    await engine.work();
    await engine.finished(await engine.enqueue(work)); // it has looked at the others as well
    expect(await engine.count(state)).toBe(1);

    await engine.database.query(`UPDATE task_limit_states SET probe_at = probe_at + interval '1 hour'`);
    await workers(1);

    expect(await engine.finished(held)).toMatchObject({ status: 'completed', result: 7 });
  });
});

describe('a circuit', () => {
  const down = (): never => {
    throw new TransientError('dependency_down', 'nobody answers');
  };
  const circuit = async (): Promise<string | undefined> =>
    (
      await engine.database.query<{ circuit: string }>(`SELECT circuit FROM task_limit_states WHERE name = $1`, [
        flaky.name,
      ])
    )[0]?.circuit;

  it('opens after failures in a row, parks the backlog with its attempts, tries single tasks, and closes by itself', async () => {
    let isDown = true;
    let tries = 0;
    fleet.script.when(flaky, ({ n }) => {
      tries += 1;
      return isDown ? down() : n;
    });
    await engine.tasks.enqueueMany(flaky, many(40), { actor: 'test' });
    await workers(2, 4);
    await waitFor('it to open', async () => (await circuit()) !== 'closed');
    await waitFor(
      'two tries to fail',
      async () => (await engine.count(`task_history WHERE reason = 'parked'`)) >= 2 && tries >= 5,
      SLOW,
    );
    expect(await engine.count(`finished_tasks WHERE status = 'failed'`)).toBe(0);
    const [burnt] = await engine.database.query<{ sum: number }>(
      `SELECT sum(attempt - CASE WHEN status = 'running' THEN 1 ELSE 0 END)::int AS sum FROM live_tasks`,
    );
    expect(burnt?.sum).toBeLessThanOrEqual(3 + 8); // those that opened it, and those that were under way just then
    isDown = false;
    await allEnded();
    expect(await engine.count(`finished_tasks WHERE status = 'completed'`)).toBe(40);
    expect(await circuit()).toBe('closed');
    const events = await limitsOf(engine).events(type(flaky), { limit: 10 });
    expect(events.map(({ action }) => action)).toEqual(['circuit_closed', 'circuit_opened', 'limits_declared']);
  });

  it('is not kept open for all others by one task that never goes well', async () => {
    fleet.script.when(flaky, ({ key, n }) => {
      if (key === 'never') throw new TransientError('unlucky', 'this very one always fails so');
      return n;
    });
    const bad = await engine.enqueue(flaky, { key: 'never' });
    const breaker = { failures: 2, coolDownMs: 50, longestCoolDownMs: 200 };
    await limitsOf(engine).set(type(flaky), { breaker }, BY);
    await engine.work();
    await waitFor('the circuit to be tried with it', async () => (await engine.trail(bad)).at(-1)?.endsWith('parked'));
    expect(await engine.finished(await engine.enqueue(flaky, { n: 7 }))).toMatchObject({ status: 'completed' });
  });

  it('waits longer after each failed try, and not for ever', async () => {
    fleet.script.when(flaky, down);
    await engine.tasks.enqueueMany(flaky, many(5), { actor: 'test' });
    await workers(1, 1);
    const coolDown = async (): Promise<number> =>
      Number(
        (
          await engine.database.query<{ ms: string }>(
            `SELECT cool_down_ms AS ms FROM task_limit_states WHERE name = $1`,
            [flaky.name],
          )
        )[0]?.ms,
      );
    await waitFor('the longest', async () => (await coolDown()) === 1_000, SLOW);
  });

  it('is closed by a person at once', async () => {
    fleet.script.when(flaky, down);
    await limitsOf(engine).set(type(flaky), { breaker: { failures: 2, coolDownMs: 3_600_000 } }, BY);
    await workers(1, 2);
    await limitsOf(engine).set(type(flaky), { breaker: { failures: 2, coolDownMs: 3_600_000 } }, BY);
    const tasks = await engine.tasks.enqueueMany(flaky, many(4), { actor: 'test' });
    await waitFor('it to open', async () => (await circuit()) === 'open');
    await waitFor('nothing to run', async () => (await engine.count(`live_tasks WHERE status = 'running'`)) === 0);
    fleet.script.when(flaky, () => 'back');
    await limitsOf(engine).closeCircuit(flaky.name, BY);
    for (const { id } of tasks) expect((await engine.finished(id)).status).toBe('completed');
  });

  it('is not opened by failures with successes between them, nor by permanent ones', async () => {
    const failedOnce = new Set<number>();
    fleet.script.when(flaky, ({ n = 0 }) => {
      if (n % 3 === 0) throw new PermanentError('broken', 'the input is broken');
      if (n % 3 === 2 || failedOnce.has(n)) return n; // a success after each failure
      failedOnce.add(n);
      return down();
    });
    await workers(1, 1);
    await engine.tasks.enqueueMany(flaky, many(24), { actor: 'test' });
    await allEnded();
    expect(await engine.count(`finished_tasks WHERE status = 'completed'`)).toBe(16);
    expect(await engine.count(`task_limit_events WHERE action = 'circuit_opened'`)).toBe(0);
  });
});

describe('what is limited lies in nobody’s way', () => {
  it('a claim of others reads as many rows beside 100,000 tasks of a paused type as without them', async () => {
    await limitsOf(engine).pause(type(pair), BY);
    await engine.tasks.enqueueMany(pair, many(100_000), { actor: 'test' });
    await engine.tasks.enqueueMany(work, many(100), { actor: 'test' });
    const [row] = await engine.database.query<{
      'QUERY PLAN': [{ Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number } }];
    }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
       SELECT ctid FROM live_tasks WHERE lane = 'default' AND status = 'queued' AND ready AND type = ANY('{test.work}') ORDER BY rank, id LIMIT 10`,
    );
    const plan = row!['QUERY PLAN'][0].Plan;
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(30);
    await workers(1);
    await waitFor(
      'the others to end',
      async () => (await engine.count(`finished_tasks WHERE type = $1`, [work.name])) === 100,
      SLOW,
    );
    expect(await engine.count(`finished_tasks WHERE type = $1`, [pair.name])).toBe(0);
  });
});
