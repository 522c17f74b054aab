import { fanOut } from '../../../../src/tasks/index.js';
import { Wakeup } from '../../../../src/tasks/queue/wakeup.js';
import {
  aborted,
  ACTOR,
  deferred,
  elsewhere,
  once,
  part,
  patient,
  renewed,
  split,
  splitOnly,
  unique,
  work,
} from '../../../support/engine-harness.js';
import { batches, wrongCounters } from '../../../support/fan-outs.js';
import { waitFor } from '../../../support/wait-for.js';
import { node, Workflows } from '../../../support/workflows.js';
import { Fleet, SLOW } from './fleet.js';

const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

/** What every dispatcher must do; `environment` are the settings that choose it. */
export function itDispatchesTasks(environment: () => Readonly<Record<string, string>>): void {
  let fleet: Fleet;

  beforeEach(async () => {
    fleet = await Fleet.open(environment());
  });

  afterEach(async () => {
    try {
      expect(await fleet.wrong()).toEqual([]);
      expect(await wrongCounters(fleet.api)).toEqual([]);
    } finally {
      await fleet.close();
    }
  });

  it('brings each task to one of three workers, and to one only', async () => {
    const runs = new Map<number, number>();
    fleet.script.when(once, ({ n = 0 }) => void runs.set(n, (runs.get(n) ?? 0) + 1));
    await Promise.all([fleet.worker(), fleet.worker(), fleet.worker()]);
    await Promise.all(numbers(60).map((input) => fleet.api.enqueue(once, input)));
    await fleet.api.tasks.enqueueMany(
      once,
      numbers(240).map(({ n }) => ({ n: n + 60 })),
      { actor: ACTOR },
    );
    await fleet.drained();
    expect(runs).toEqual(new Map(numbers(300).map(({ n }) => [n, 1])));
    expect(await fleet.api.count(`finished_tasks WHERE status = 'completed' AND attempt = 1`)).toBe(300);
  });

  it('wakes a sleeping worker within a second, without anybody polling', async () => {
    await fleet.worker();
    await fleet.api.finished(await fleet.api.enqueue(once));
    for (const input of numbers(5)) {
      const from = performance.now();
      await fleet.api.finished(await fleet.api.enqueue(once, input), { everyMs: 5 });
      expect(performance.now() - from).toBeLessThan(1_000);
    }
  });

  it('brings the more urgent first, and of these the older', async () => {
    const order: number[] = [];
    fleet.script.when(once, ({ n = 0 }) => void order.push(n));
    for (const { n } of numbers(30)) await fleet.api.enqueue(once, { n }, { priority: n % 3 });
    await fleet.worker({ concurrency: { default: 1 } });
    await fleet.drained();
    expect(order.map((n) => n % 3)).toEqual(
      [2, 1, 0].flatMap((priority) => Array.from({ length: 10 }, () => priority)),
    );
    expect(order.slice(0, 10)).toEqual(order.slice(0, 10).toSorted((a, b) => a - b));
  });

  it('puts something urgent before what waits already', async () => {
    const order: string[] = [];
    const go = deferred();
    fleet.script.when(work, () => go.promise);
    fleet.script.when(once, ({ key = '' }) => void order.push(key));
    await fleet.worker({ concurrency: { default: 1, other: 1 } });
    const first = await fleet.api.enqueue(work);
    await fleet.api.until(first, ({ status }) => status === 'running');
    for (const key of ['a', 'b', 'c']) await fleet.api.enqueue(once, { key });
    await fleet.api.enqueue(once, { key: 'urgent' }, { priority: 10 });
    await fleet.api.finished(await fleet.api.enqueue(elsewhere)); // by now the dispatcher knows of all of these
    go.resolve();
    await fleet.drained();
    expect(order).toEqual(['urgent', 'a', 'b', 'c']);
  });

  it('keeps a delayed task until its time, and no longer', async () => {
    await fleet.worker();
    const runAt = new Date(Date.now() + 1_500);
    const task = await fleet.api.finished(await fleet.api.enqueue(once, {}, { runAt }), SLOW);
    const lateMs = (task.startedAt?.getTime() ?? 0) - runAt.getTime();
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(1_500);
  });

  it('brings a failed attempt back after its wait', async () => {
    fleet.script.when(work, ({ n }, { task }) => {
      if (task.attempt < 3) throw new Error('not yet');
      return n;
    });
    await fleet.worker();
    const ids = await Promise.all(numbers(10).map((input) => fleet.api.enqueue(work, input)));
    for (const id of ids) {
      expect(await fleet.api.finished(id, SLOW)).toMatchObject({ status: 'completed', attempt: 3 });
    }
    expect(await fleet.api.trail(ids[0] ?? '')).toEqual([
      'created>queued enqueued',
      'queued>running claimed',
      'running>queued backoff',
      'queued>running claimed',
      'running>queued backoff',
      'queued>running claimed',
      'running>completed completed',
    ]);
  });

  it('does not bring what was cancelled, and lets what runs be cancelled', async () => {
    const ran: number[] = [];
    fleet.script.when(work, (_input, { signal }) => aborted(signal));
    fleet.script.when(once, ({ n = 0 }) => void ran.push(n));
    await fleet.worker({ concurrency: { default: 1 } });
    const running = await fleet.api.enqueue(work);
    await fleet.api.until(running, ({ status }) => status === 'running');
    const [first = '', second = ''] = await Promise.all(numbers(2).map((input) => fleet.api.enqueue(once, input)));
    await fleet.api.tasks.cancel(first, ACTOR);
    await fleet.api.tasks.cancel(running, ACTOR);
    expect(await fleet.api.finished(running)).toMatchObject({ status: 'cancelled' });
    expect(await fleet.api.finished(second, SLOW)).toMatchObject({ status: 'completed' });
    expect(await fleet.api.tasks.get(first)).toMatchObject({ status: 'cancelled' });
    expect(ran).toEqual([1]);
  });

  it('brings a waiting task at once when a person runs it, and again when a person wants it again', async () => {
    fleet.script.when(patient, (_input, { task }) => {
      if (task.fence === 1) throw new Error('in an hour again');
    });
    await fleet.worker();
    const id = await fleet.api.enqueue(patient, {}, { runImmediately: false });
    await fleet.api.tasks.run(id, ACTOR);
    await fleet.api.until(id, ({ status, attempt }) => status === 'queued' && attempt === 1, SLOW);
    await fleet.api.tasks.cancel(id, ACTOR);
    await fleet.api.tasks.retry(id, ACTOR);
    expect(await fleet.api.finished(id, SLOW)).toMatchObject({ status: 'completed', attempt: 1 });
    // It has ended twice because it was asked to: for the audit of this suite, the first end is none.
    await fleet.api.database.query(`DELETE FROM task_events WHERE task_id = $1`, [id]);
  });

  it('carries batches, and the final step when the last has ended', async () => {
    fleet.script.when(split, {
      run: () => fanOut(part, batches(40)),
      afterChildren: (_input, _context, { completed }) => completed,
    });
    fleet.script.when(splitOnly, () => fanOut(part, batches(3)));
    await Promise.all([fleet.worker(), fleet.worker()]);
    const [id, small] = await Promise.all([fleet.api.enqueue(split), fleet.api.enqueue(splitOnly)]);
    expect(await fleet.api.finished(id, SLOW)).toMatchObject({ result: 40, processed: 40, total: 40 });
    expect(await fleet.api.finished(small, SLOW)).toMatchObject({ result: { total: 3, completed: 3 } });
  });

  it('carries the nodes of a workflow, each after those that it runs after', async () => {
    const order: string[] = [];
    fleet.script.when(work, ({ key = '' }) => void order.push(key));
    await Promise.all([fleet.worker(), fleet.worker()]);
    const workflows = new Workflows(fleet.api);
    const nodes = [node('end', ['left', 'right']), node('left', ['begin']), node('right', ['begin']), node('begin')];
    const id = await workflows.start(...nodes);
    expect(await workflows.finished(id, SLOW)).toMatchObject({ status: 'completed' });
    expect([order[0], order.slice(1, 3).toSorted(), order[3]]).toEqual(['begin', ['left', 'right'], 'end']);
    expect(await workflows.wrong()).toEqual([]);
  });

  it('lets a dedup key admit one task at a time', async () => {
    const go = deferred();
    fleet.script.when(unique, () => go.promise);
    await fleet.worker();
    const added = await Promise.all(numbers(8).map((input) => fleet.api.add(unique, { ...input, key: 'same' })));
    expect(new Set(added.map(({ id }) => id)).size).toBe(1);
    go.resolve();
    await fleet.drained();
    expect(await fleet.api.add(unique, { key: 'same' })).toMatchObject({ created: true });
    await fleet.drained();
  });

  it('serves each queue by itself', async () => {
    const go = deferred();
    fleet.script.when(work, () => go.promise);
    await fleet.worker({ concurrency: { default: 1, other: 1 } });
    const waiting = await Promise.all(numbers(3).map((input) => fleet.api.enqueue(work, input)));
    expect(await fleet.api.finished(await fleet.api.enqueue(elsewhere))).toMatchObject({ status: 'completed' });
    go.resolve();
    await Promise.all(waiting.map((id) => fleet.api.finished(id, SLOW)));
  });

  it('gives no worker more than it has slots', async () => {
    let [now, most] = [0, 0];
    fleet.script.when(once, async () => {
      most = Math.max(most, (now += 1));
      await new Promise(setImmediate);
      now -= 1;
    });
    await fleet.worker({ concurrency: { default: 3 } });
    await fleet.api.tasks.enqueueMany(once, numbers(200), { actor: ACTOR });
    await fleet.drained();
    expect(most).toBe(3);
  });

  it('brings what a killed process held to others, as suspects that run alone', async () => {
    const dying = await fleet.workerProcess();
    const ids = await Promise.all(numbers(4).map((input) => fleet.api.enqueue(work, input)));
    const running = `live_tasks WHERE status = 'running'`;
    await waitFor('all to run', async () => (await fleet.api.count(running)) === 4, SLOW);
    let [now, most] = [0, 0];
    fleet.script.when(work, async ({ n }) => {
      most = Math.max(most, (now += 1));
      await new Promise(setImmediate);
      now -= 1;
      return n;
    });
    await fleet.worker();
    await dying.kill('SIGKILL');
    for (const [n, id] of ids.entries()) {
      const ended = { status: 'completed', result: n, attempt: 1, crashCount: 1 };
      expect(await fleet.api.finished(id, SLOW)).toMatchObject(ended);
    }
    expect(most).toBe(1);
  });

  it('brings what a hung process held to others, and takes nothing from it when it goes on', async () => {
    const hung = await fleet.workerProcess();
    const id = await fleet.api.enqueue(work, { n: 1 });
    await hung.line(new RegExp(`^started ${id} 1 1`), SLOW);
    fleet.script.when(work, () => 'by another');
    await fleet.worker();
    hung.process.kill('SIGSTOP');
    const others = await Promise.all(numbers(10).map((input) => fleet.api.enqueue(once, input)));
    expect(await fleet.api.finished(id, SLOW)).toMatchObject({ status: 'completed', result: 'by another' });
    hung.say('go');
    hung.process.kill('SIGCONT');
    expect(await hung.line(new RegExp(`^went on ${id}`), SLOW)).toMatch(/LeaseLostError$/);
    await Promise.all(others.map((other) => fleet.api.finished(other, SLOW)));
  });

  it('brings what a leaving worker hands back to others, at once and at no cost', async () => {
    const leaving = await fleet.worker({ concurrency: { default: 2 }, shutdownGraceMs: 50 });
    fleet.script.when(work, (_input, { signal }) => aborted(signal));
    const ids = await Promise.all(numbers(5).map((input) => fleet.api.enqueue(work, input)));
    await waitFor('two to run', async () => (await fleet.api.count(`live_tasks WHERE status = 'running'`)) === 2);
    fleet.script.when(work, ({ n }) => n);
    await fleet.worker();
    await leaving.close();
    for (const [n, id] of ids.entries()) {
      const ended = { status: 'completed', result: n, attempt: 1, crashCount: 0 };
      expect(await fleet.api.finished(id, SLOW)).toMatchObject(ended);
    }
  });

  it('lets newer tasks wait for newer workers, and the others pass', async () => {
    await fleet.worker();
    const newer = await fleet.api.enqueue(renewed, { n: 1 }, { runImmediately: false });
    await fleet.api.database.query(`UPDATE live_tasks SET version = 3 WHERE id = $1`, [newer]);
    await fleet.api.tasks.run(newer, ACTOR);
    for (const input of numbers(3)) await fleet.api.finished(await fleet.api.enqueue(renewed, input));
    expect(await fleet.api.tasks.get(newer)).toMatchObject({ status: 'queued', attempt: 0 });
    // For its worker, which there is none of here, what waited is as good as new.
    await fleet.api.database.query(`UPDATE live_tasks SET version = 2 WHERE id = $1`, [newer]);
    fleet.api.app.get(Wakeup).queued('default');
    expect(await fleet.api.finished(newer)).toMatchObject({ status: 'completed', result: 1 });
  });

  it('carries five thousand tasks that come at once', async () => {
    const options = { concurrency: { default: 100 } };
    await Promise.all([fleet.worker(options), fleet.worker(options)]);
    await fleet.api.tasks.enqueueMany(once, numbers(5_000), { actor: ACTOR });
    await fleet.drained();
    expect(await fleet.api.count(`finished_tasks WHERE status = 'completed' AND attempt = 1`)).toBe(5_000);
  });
}
