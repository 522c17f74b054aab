import { Deadlines } from '../../../src/tasks/queue/deadlines.js';
import { fanOut, TransientError } from '../../../src/tasks/index.js';
import { Engine, once, part, patient, splitOnly, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { node, Workflows } from '../../support/workflows.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
let engine: Engine;

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
});

afterEach(async () => {
  await engine.close();
  await database.drop();
});

const past = (): Date => new Date(Date.now() - 1_000);
const soon = (): Date => new Date(Date.now() + 3_600_000);
const overdue = { status: 'failed', errorCode: 'deadline_passed', errorCategory: 'permanent', attempt: 0 };
const expire = (where: string): Promise<unknown> =>
  engine.database.query(`UPDATE live_tasks SET start_by = now() - interval '1 second' WHERE ${where}`);

describe('a task that was to start by a time that has passed', () => {
  it('is failed and never begun, whether it was ready, delayed or a suspect; those in time are not', async () => {
    const late = await engine.enqueue(work, {}, { startBy: past() });
    const delayed = await engine.enqueue(work, {}, { startBy: past(), runAt: soon() });
    const suspect = await engine.enqueue(work, {}, { startBy: past() });
    await engine.database.query(`UPDATE live_tasks SET ready = false, crash_count = 1 WHERE id = $1`, [suspect]);
    const inTime = await engine.enqueue(work, { n: 1 }, { startBy: soon() });
    await engine.work();
    for (const id of [late, delayed, suspect]) {
      expect(await engine.finished(id)).toMatchObject({
        ...overdue,
        errorMessage: expect.stringContaining('it was to start by') as string,
      });
      expect(await engine.trail(id)).toEqual(['created>queued enqueued', 'queued>failed deadline_passed']);
    }
    expect(await engine.finished(inTime)).toMatchObject({ status: 'completed', result: 1 });
  });

  it('is left alone while it waits for a person, and fails once it is run', async () => {
    const id = await engine.enqueue(work, {}, { startBy: past(), runImmediately: false });
    expect(await engine.app.get(Deadlines).endOverdue()).toBe(false);
    expect((await engine.tasks.get(id)).status).toBe('created');
    await engine.tasks.run(id, 'test');
    await engine.work();
    expect(await engine.finished(id)).toMatchObject(overdue);
  });

  it('has met its deadline once it has begun: a retry after it is one', async () => {
    let tries = 0;
    engine.script.when(patient, () => {
      tries += 1;
      if (tries === 1) throw new TransientError('down', 'down');
      return 'late, but begun';
    });
    const id = await engine.enqueue(patient, {}, { startBy: soon() });
    await engine.work();
    await engine.until(id, ({ errorCode }) => errorCode === 'down');
    await expire('true');
    expect(await engine.app.get(Deadlines).endOverdue()).toBe(false);
    await engine.database.query('UPDATE live_tasks SET run_at = now()');
    expect(await engine.finished(id)).toMatchObject({ status: 'completed', attempt: 2 });
  });

  it('runs when a person retries it: the deadline that has passed is lifted', async () => {
    const id = await engine.enqueue(once, { n: 5 }, { startBy: past() });
    await engine.work();
    await engine.finished(id);
    await engine.tasks.retry(id, 'test');
    expect(await engine.until(id, ({ status }) => status === 'completed')).toMatchObject({ result: 5, startBy: null });
  });

  it('as a batch counts as failed for its parent, which goes on', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    engine.script.when(splitOnly, () => fanOut(part, [{ input: { n: 1 } }, { input: { n: 2 } }]));
    engine.script.when(part, () => held);
    const id = await engine.enqueue(splitOnly);
    await engine.work({ concurrency: { default: 1, other: 1 } });
    await engine.until(id, ({ waiting, processed }) => waiting && processed === 0);
    await waitFor(
      'a batch to begin',
      async () => (await engine.count(`live_tasks WHERE parent_id IS NOT NULL AND status = 'running'`)) === 1,
    );
    await expire(`parent_id IS NOT NULL AND status = 'queued'`);
    release();
    expect(await engine.finished(id)).toMatchObject({ status: 'failed', errorCode: 'batches_failed' });
    expect(await engine.count(`finished_tasks WHERE error_code = 'deadline_passed'`)).toBe(1);
  });

  it('as a batch or a follow-up has it from the handler', async () => {
    const [runAt, startBy] = [soon(), new Date(Date.now() + 7_200_000)];
    engine.script.when(splitOnly, (_input, context) => {
      context.enqueue(once, { key: 'follow-up' }, { priority: 7, runAt, startBy });
      return fanOut(part, [{ input: {} }], { startBy: past() });
    });
    const id = await engine.enqueue(splitOnly);
    await engine.work();
    expect(await engine.finished(id)).toMatchObject({ status: 'failed', errorCode: 'batches_failed' });
    expect(await engine.tasks.list({ parentId: id }, { limit: 10 })).toMatchObject([overdue]);
    const followUps = await engine.tasks.list({ types: ['test.once'] }, { limit: 10 });
    expect(followUps).toMatchObject([{ status: 'queued', priority: 7, runAt, startBy }]);
  });

  it('as a node of a workflow takes what hangs below it along', async () => {
    const workflows = new Workflows(engine);
    const id = await workflows.start(node('a'), node('b', ['a']));
    await expire(`workflow_id IS NOT NULL AND status = 'queued'`);
    await engine.work();
    await waitFor('both to end', async () => (await engine.count('live_tasks')) === 0);
    const codes = await engine.database.query(
      `SELECT error_code FROM finished_tasks WHERE workflow_id = $1 ORDER BY id`,
      [id],
    );
    expect(codes).toEqual([{ error_code: 'deadline_passed' }, { error_code: 'dependency_failed' }]);
    expect(await engine.count('workflows WHERE open = 0 AND failed = 2')).toBe(1);
  });

  it('as a node of a workflow has it from the request, and fails also when those above end too late', async () => {
    const workflows = new Workflows(engine);
    const id = await workflows.start(
      node('slow', [], { startBy: soon() }),
      node('late', ['slow'], { startBy: past() }),
      node('after', [{ node: 'late', onFailure: 'run_anyway' }]),
    );
    const { taskId } = await workflows.node(id, 'slow');
    expect((await engine.tasks.get(taskId)).startBy).not.toBeNull();
    await engine.work();
    await workflows.finished(id);
    expect(await workflows.statuses(id)).toEqual({ slow: 'completed', late: 'failed', after: 'completed' });
    expect(await workflows.node(id, 'late')).toMatchObject({ errorCode: 'deadline_passed', attempt: 0 });
    await workflows.service.retry(id, { node: 'late', actor: 'test' });
    expect(await workflows.finished(id)).toMatchObject({ status: 'completed' });
  });

  it('as a node of a workflow that somebody holds keeps nothing else waiting', async () => {
    await new Workflows(engine).start(node('a'));
    await expire('workflow_id IS NOT NULL');
    const holder = await engine.database.connect('holder');
    await holder.query('BEGIN');
    await holder.query('SELECT FROM workflows FOR UPDATE');
    await engine.work();

    const delayed = await engine.enqueue(work, { n: 1 }, { runAt: new Date(Date.now() + 2_000) });

    expect(await engine.finished(delayed)).toMatchObject({ status: 'completed', result: 1 });
    await holder.query('COMMIT');
    await holder.end();
    await waitFor('it to end', async () => (await engine.count('live_tasks')) === 0);
  });

  it('is one of many: they end in batches', async () => {
    await engine.tasks.enqueueMany(
      work,
      Array.from({ length: 1_200 }, () => ({})),
      { actor: 'test', startBy: past() },
    );
    const deadlines = engine.app.get(Deadlines);
    expect(await deadlines.endOverdue()).toBe(true);
    expect(await deadlines.endOverdue()).toBe(true);
    expect(await deadlines.endOverdue()).toBe(false);
    expect(await engine.count('finished_tasks')).toBe(1_200);
  });
});

describe('a node that is not to start before a time', () => {
  it('waits for it when those above have ended, and when it is to run again before it', async () => {
    const workflows = new Workflows(engine);
    engine.script.when(work, ({ key }) => (key === 'broken' ? Promise.reject(new Error('broken')) : 1));
    const after = [{ node: 'broken', onFailure: 'run_anyway' as const }];
    const id = await workflows.start(
      node('broken'),
      node('a', [], { runAt: soon() }),
      node('b', after, { runAt: soon() }),
    );
    await engine.work();
    const ready = () =>
      engine.database.query(`SELECT status::text, ready FROM live_tasks WHERE run_at > now() ORDER BY id`);
    const waiting = { status: 'queued', ready: false };
    await workflows.untilNode(id, 'b', 'queued');
    expect(await ready()).toEqual([waiting, waiting]);
    await workflows.service.retry(id, { node: 'broken', actor: 'test' });
    await workflows.untilNode(id, 'b', 'queued');
    expect(await ready()).toEqual([waiting, waiting]);
    await engine.database.query('UPDATE live_tasks SET run_at = now()');
    expect(await workflows.finished(id)).toMatchObject({ counts: { completed: 2, failed: 1 } });
  });
});

describe('priorities', () => {
  it('are worth a time of waiting each: what waits long enough goes before whatever comes later', async () => {
    const [old] = await engine.tasks.enqueueMany(once, [{ n: 0 }], { actor: 'test', priority: 0 });
    const high = await engine.enqueue(once, { n: 1 }, { priority: 2 });
    const low = await engine.enqueue(once, { n: 2 }, { priority: -1 });
    // 0 against 2: 600 s make up for it.
    const order: number[] = [];
    engine.script.when(once, ({ n }) => void order.push(n!));
    const shift = (seconds: number): Promise<unknown> =>
      engine.database.query(`UPDATE live_tasks SET rank = rank - $2::bigint * 1000000 WHERE id = $1`, [
        old?.id,
        seconds,
      ]);
    await shift(601);
    await engine.work({ concurrency: { default: 1, other: 1 } });
    await engine.finished(low);
    await engine.finished(high);
    expect(order).toEqual([0, 1, 2]);
  });

  it('never let a task starve: its place is before all but those that were there, whatever comes', async () => {
    const id = await engine.enqueue(work, {}, { priority: -1_000 });
    const [row] = await engine.database.query<{ seconds: number }>(
      `SELECT ((rank / 1000000) - extract(epoch FROM created_at))::float8 AS seconds FROM live_tasks WHERE id = $1`,
      [id],
    );
    expect(Math.round(row!.seconds / 1_000)).toBe(300); // whatever comes 300,000 s later with priority 0 is behind it
    const other = await engine.enqueue(work, {}, { priority: 0, runAt: new Date(Date.now() + 300_100_000) });
    const order = await engine.database.query<{ id: string }>('SELECT id FROM live_tasks ORDER BY rank');
    expect(order.map((task) => task.id)).toEqual([id, other]);
  });
});
