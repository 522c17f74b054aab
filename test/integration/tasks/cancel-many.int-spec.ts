import { Logger } from '@nestjs/common';
import { fanOut } from '../../../src/tasks/index.js';
import { CancelCascade } from '../../../src/tasks/queue/cancel-cascade.js';
import { Canceller } from '../../../src/tasks/queue/canceller.js';
import { EnginePool } from '../../../src/tasks/queue/engine-pool.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { aborted, ACTOR, deferred, Engine, part, split, splitOnly } from '../../support/engine-harness.js';
import { batches, wrongCounters } from '../../support/fan-outs.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
let worker: Engine;
/** Another process, which only asks. */
let asker: Engine;

/** What one transaction takes. */
function atOnce(engine: Engine, most: number): void {
  engine.app.get(Canceller).mostBelow = most;
  engine.app.get(CancelCascade).batch = most;
}

const open = async (): Promise<Engine> => {
  const engine = await Engine.open(database.url);
  atOnce(engine, 10);
  return engine;
};

/** A task that has split into so many batches. */
async function splitInto(count: number): Promise<string> {
  worker.script.when(splitOnly, () => fanOut(part, batches(count)));
  const id = await asker.enqueue(splitOnly);
  await waitFor('it to split', async () => (await asker.count('live_tasks WHERE parent_id = $1', [id])) > 0, {
    timeoutMs: 60_000,
  });
  return id;
}

const live = (): Promise<number> => asker.count('live_tasks');
const noneLeft = (): Promise<void> =>
  waitFor('all to end', async () => (await live()) + (await asker.count('task_cancellations')) === 0, {
    timeoutMs: 60_000,
  }).then(() => undefined);

beforeEach(async () => {
  database = await createTestDatabase();
  worker = await open();
  asker = await open();
  worker.script.when(part, (_input, { signal }) => aborted(signal));
});

afterEach(async () => {
  expect(await wrongCounters(asker)).toEqual([]);
  await Promise.all([worker.close(), asker.close()]);
  await database.drop();
});

describe('cancelling a task with more batches than one transaction takes', () => {
  it('ends it at once and the batches within the time that a statement may take', async () => {
    atOnce(asker, 500);
    atOnce(worker, 1_000);
    await worker.work();
    const id = await splitInto(50_000);
    asker.app.get(EnginePool).answerWithinMs = 400;

    expect(await asker.tasks.cancel(id, 'test:another')).toMatchObject({ status: 'cancelled' });

    await noneLeft();
    expect(await asker.count(`finished_tasks WHERE status = 'cancelled' AND parent_id = $1`, [id])).toBe(50_000);
    const reasons = await asker.database.query(
      `SELECT reason, actor, count(*)::int FROM task_history WHERE to_status = 'cancelled' AND from_status <> 'running' GROUP BY 1, 2`,
    );
    expect(reasons).toEqual([
      { reason: 'parent_cancelled', actor: 'test:another', count: expect.any(Number) as number },
    ]);
  });

  it('is gone on with by other processes when the one that did it is no more', async () => {
    await worker.work();
    const id = await splitInto(100);
    await worker.close();
    await asker.tasks.cancel(id, ACTOR);
    expect(await live()).toBeGreaterThan(80);

    worker = await open();
    await worker.work({ concurrency: { default: 1 } });

    await noneLeft();
  });

  it('comes to all that is below it, however deep', async () => {
    worker.script.when(split, () => fanOut(splitOnly, batches(15)));
    worker.script.when(splitOnly, () => fanOut(part, batches(15)));
    await worker.work({ concurrency: { default: 20 } });
    const id = await asker.enqueue(split);
    await waitFor('all to be there', async () => (await live()) === 1 + 15 + 15 * 15);

    expect(await asker.tasks.cancel(id, ACTOR)).toMatchObject({ status: 'cancelled' });

    await noneLeft();
    expect(await asker.count(`finished_tasks WHERE status = 'cancelled'`)).toBe(1 + 15 + 15 * 15);
  });

  it('waits for a batch that somebody holds, and keeps no process from closing meanwhile', async () => {
    await worker.work();
    const id = await splitInto(100);
    await worker.close();
    await asker.tasks.cancel(id, ACTOR);
    const [first] = await asker.database.query<{ id: string }>('SELECT id FROM live_tasks ORDER BY id LIMIT 1');
    await asker.database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM live_tasks WHERE id = $1 FOR UPDATE', [first?.id]);
      worker = await open();
      await worker.work();
      const waiting = `pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      await waitFor('it to be waited for', () => asker.count(waiting));
      const began = performance.now();
      await worker.close();
      expect(performance.now() - began).toBeLessThan(10_000); // an answer is waited for three times as long
    });
    worker = await open();
    await worker.work();
    await noneLeft();
  });

  it('says once that it waits, however long that is', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const said = (): number =>
      warn.mock.calls.filter(([line]: { message?: string }[]) => line?.message?.startsWith('children not cancelled'))
        .length;
    await worker.work();
    const id = await splitInto(100);
    await worker.close();
    await asker.tasks.cancel(id, ACTOR);
    await asker.database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM live_tasks ORDER BY id LIMIT 1 FOR UPDATE');
      worker = await open();
      await worker.work();
      const tries = new Set<number>();
      await waitFor('it to be tried three times', async () => {
        const waiting = `SELECT xact_start AS at FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        for (const { at } of await asker.database.query<{ at: Date }>(waiting)) tries.add(at.getTime());
        return tries.size >= 3;
      });
    });
    await noneLeft();
    expect(said()).toBe(1);
  });

  it('leaves alone what it is split into when it is run again', async () => {
    await worker.work();
    const id = await splitInto(100);
    await worker.close();
    await asker.tasks.cancel(id, ACTOR);
    await asker.tasks.retry(id, ACTOR);
    const news = deferred();
    worker = await open();
    worker.script.when(splitOnly, () => fanOut(part, batches(30)));
    worker.script.when(part, (_input, { signal }) => Promise.race([news.promise, aborted(signal)]));
    // The task itself goes first.
    await asker.database.query('UPDATE live_tasks SET rank = -9e15 WHERE id = $1', [id]);
    await worker.work();
    const ofRound = (round: number) =>
      asker.count('live_tasks WHERE parent_id = $1 AND parent_round = $2', [id, round]);
    await waitFor('only the new ones to be left', async () => (await ofRound(2)) === 30 && (await ofRound(1)) === 0);
    news.resolve();
    expect(await asker.finished(id)).toMatchObject({ status: 'completed', result: { total: 30, completed: 30 } });
    await noneLeft();
  });

  it('ends when its batches are wanted again', async () => {
    await worker.work();
    const id = await splitInto(100);
    await worker.close();
    await asker.tasks.cancel(id, ACTOR);

    await asker.tasks.retryFailedBatches(id, ACTOR);

    worker = await open();
    await worker.work({ concurrency: { default: 50 } });
    expect(await asker.until(id, ({ status }) => status === 'completed')).toMatchObject({
      result: { total: 100, completed: 100 },
    });
    await noneLeft();
  });

  it('goes on below batches that are run again as a whole, with which none of their own was cancelled', async () => {
    worker.script.when(split, () => fanOut(splitOnly, batches(5)));
    worker.script.when(splitOnly, () => fanOut(part, batches(5)));
    await worker.work({ concurrency: { default: 20 } });
    const id = await asker.enqueue(split);
    await waitFor('all to be there', async () => (await live()) === 1 + 5 + 5 * 5);
    await worker.close();
    await asker.tasks.cancel(id, ACTOR); // it, its batches and of those of the first ones some

    await asker.tasks.retryFailedBatches(id, ACTOR);

    const wanted = 'SELECT id FROM live_tasks WHERE waiting UNION ALL SELECT parent_id FROM task_cancellations';
    expect(await asker.count(`live_tasks WHERE parent_id <> ALL(ARRAY(${wanted}))`)).toBe(0);
    worker = await open();
    worker.script.when(splitOnly, () => fanOut(part, batches(5)));
    await worker.work({ concurrency: { default: 50 } });
    await asker.until(id, ({ status }) => status === 'completed');
    await noneLeft();
  });

  it('does not wait with the others for one that somebody holds', async () => {
    await worker.work({ concurrency: { default: 40 } });
    const ids = [await splitInto(30), await splitInto(30)];
    await worker.close();
    for (const id of ids) await asker.tasks.cancel(id, ACTOR);
    await asker.database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM live_tasks WHERE parent_id = $1 FOR UPDATE', [ids[0]]);
      worker = await open();
      worker.script.when(part, (_input, { signal }) => aborted(signal));
      await worker.work({ concurrency: { default: 1 } });
      await waitFor(
        'those of the other',
        async () => (await asker.count('live_tasks WHERE parent_id = $1', [ids[1]])) === 0,
      );
    });
    await noneLeft();
  });
});
