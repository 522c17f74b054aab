import { BulkPlanner } from '../../../src/tasks/bulk/bulk-planner.js';
import { BulkService } from '../../../src/tasks/bulk/bulk.service.js';
import type { BulkAction } from '../../../src/tasks/bulk/bulk.js';
import type { TaskFilter } from '../../../src/tasks/listing/task-filter.js';
import { TASK_STATUSES } from '../../../src/tasks/task-state.js';
import {
  aborted,
  ACTOR,
  deferred,
  Engine,
  once,
  part,
  split,
  splitOnly,
  unique,
  work,
} from '../../support/engine-harness.js';
import { fanOut, retention } from '../../../src/tasks/index.js';
import { batches, wrongCounters } from '../../support/fan-outs.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';
import { node, Workflows } from '../../support/workflows.js';

let database: TestDatabase;
let engine: Engine;
let bulks: BulkService;

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
  bulks = engine.app.get(BulkService);
});

afterEach(async () => {
  await engine.close();
  await database.drop();
});

const plan = (action: BulkAction, filter: TaskFilter) => bulks.dryRun({ action, filter, actor: ACTOR });

const ALL: TaskFilter = { statuses: TASK_STATUSES };

async function change(action: BulkAction, filter: TaskFilter) {
  const { id } = await plan(action, filter);
  await bulks.confirm(id, { action, actor: ACTOR });
  return bulks.perform(id);
}

describe('a dry run', () => {
  it('changes nothing; confirmed, it acts on what it chose and on no other', async () => {
    const chosen = [await engine.enqueue(work), await engine.enqueue(work)];
    const bulk = await plan('cancel', { types: ['TEST.work'] });
    expect(bulk).toMatchObject({ taskCount: 2, isComplete: true, confirmedAt: null });
    expect((await bulks.sample(bulk.id)).map(({ id }) => id)).toEqual([...chosen].reverse());
    expect(await engine.count(`live_tasks WHERE status = 'queued'`)).toBe(2);
    const late = await engine.enqueue(work);

    await bulks.confirm(bulk.id, { action: 'cancel', actor: ACTOR });
    expect(await bulks.perform(bulk.id)).toMatchObject({ processed: 2, changed: 2 });
    expect((await engine.tasks.get(late)).status).toBe('queued');
    expect(await engine.trail(chosen[0]!)).toEqual(['created>queued enqueued', 'queued>cancelled cancelled']);
  });

  it('acts on nothing before it is confirmed, and is confirmed by whoever made it, for what it was made', async () => {
    const id = await engine.enqueue(work);
    const bulk = await plan('cancel', { types: ['test.work'] });
    expect(await bulks.perform(bulk.id)).toMatchObject({ processed: 0, changed: 0 });
    for (const other of [
      { action: 'cancel', actor: 'test:other' },
      { action: 'delete', actor: ACTOR },
      { action: 'cancel', actor: ACTOR, filter: { types: ['test.once'] } },
    ] as const) {
      await expect(bulks.confirm(bulk.id, other)).rejects.toMatchObject({ code: 'bulk_not_confirmable' });
    }
    expect((await engine.tasks.get(id)).status).toBe('queued');
  });

  it.each<[BulkAction, TaskFilter, string]>([
    ['cancel', {}, 'bulk_too_wide'],
    ['delete', { statuses: ['running'] }, 'bulk_wrong_status'],
    ['retry', { statuses: ['completed'] }, 'bulk_wrong_status'],
  ])('of %s for %j is refused as %s', async (action, filter, code) => {
    await expect(plan(action, filter)).rejects.toMatchObject({ kind: 'invalid', code });
  });

  it('is swept when nobody confirmed it in time, and when what was confirmed was broken off long ago', async () => {
    await engine.enqueue(work);
    const [forgotten, broken, young] = [
      await plan('cancel', ALL),
      await plan('cancel', ALL),
      await plan('cancel', ALL),
    ];
    for (const { id } of [broken, young]) await bulks.confirm(id, { action: 'cancel', actor: ACTOR });
    const age = (id: string, days: number) =>
      engine.database.query(
        `UPDATE task_bulks SET planned_at = now() - $2 * interval '1 day',
         confirmed_at = confirmed_at - $2 * interval '1 day' WHERE id = $1`,
        [id, days],
      );
    await Promise.all([age(forgotten.id, 1), age(broken.id, 91), age(young.id, 89)]);
    const { id } = await plan('cancel', ALL);
    const left = await engine.database.query<{ id: string }>('SELECT id FROM task_bulks ORDER BY id');
    expect(left.map((bulk) => bulk.id)).toEqual([young.id, id]);
  });

  it('of all there are says in its refusal how to ask for that', async () => {
    await expect(plan('cancel', {})).rejects.toMatchObject({
      message: expect.stringContaining('status "all"') as string,
      fields: [{ path: 'filter', allowed: expect.stringContaining('{"status": "all"}') as string }],
    });
    await expect(plan('cancel', { statuses: TASK_STATUSES })).resolves.toBeDefined();
  });
});

describe('done by two processes at once, in chunks', () => {
  it('changes each task once and loses no count', async () => {
    await engine.tasks.enqueueMany(
      work,
      Array.from({ length: 300 }, (_, n) => ({ n })),
      { actor: ACTOR },
    );
    const { BulkPlanner } = await import('../../../src/tasks/bulk/bulk-planner.js');
    engine.app.get(BulkPlanner).limits = { chunk: 7, tasks: 1_000 };
    const other = await Engine.open(database.url);
    const { id } = await plan('cancel', { types: ['test.work'] });
    await bulks.confirm(id, { action: 'cancel', actor: ACTOR });
    await Promise.all([bulks.perform(id), other.app.get(BulkService).perform(id)]);
    await other.close();
    expect(await bulks.get(id)).toMatchObject({ taskCount: 300, processed: 300, changed: 300 });
    expect(await engine.count(`task_events WHERE reason = 'cancelled'`)).toBe(300);
  });
});

describe('retry', () => {
  it('starts failed tasks again, but only one of those with the same dedup key, and none that has an unfinished twin', async () => {
    engine.script.when(once, () => Promise.reject(new Error('no')));
    await engine.work();
    const failed = await engine.enqueue(once);
    await engine.finished(failed);
    await engine.close();
    engine = await Engine.open(database.url);
    bulks = engine.app.get(BulkService);
    const twins: string[] = [];
    for (let n = 0; n < 2; n += 1) {
      const id = await engine.enqueue(unique, { key: 'same' });
      await engine.tasks.cancel(id, ACTOR);
      twins.push(id);
    }
    expect(await change('retry', { statuses: ['failed', 'cancelled'] })).toMatchObject({ taskCount: 3, changed: 2 });
    expect((await engine.tasks.get(failed)).status).toBe('queued');
    expect(await Promise.all(twins.map(async (id) => (await engine.tasks.get(id)).status))).toEqual([
      'cancelled',
      'queued',
    ]);
  });
});

describe('cancel', () => {
  it('takes the nodes of workflows along, and what hangs below them follows', async () => {
    const workflows = new Workflows(engine);
    const id = await workflows.start(node('a'), node('b', ['a']));
    expect(await change('cancel', { statuses: ['queued'] })).toMatchObject({ changed: 1 });
    expect(await workflows.statuses(id)).toEqual({ a: 'cancelled', b: 'failed' });
    expect(await workflows.wrong()).toEqual([]);
  });

  it('cancels all that it chose of a workflow, in however many transactions', async () => {
    engine.app.get(BulkPlanner).limits.chunk = 3;
    const workflows = new Workflows(engine);
    const names = Array.from({ length: 10 }, (_, nth) => `n${String(nth)}`);
    const chain = names.map((name, nth) => node(name, nth === 0 ? [] : [`n${String(nth - 1)}`]));
    const [first, other] = [await workflows.start(...chain), await workflows.start(...chain.slice(0, 4))];
    await engine.enqueue(work);
    const bulk = await change('cancel', { statuses: ['created', 'queued'] });
    expect(bulk).toMatchObject({ taskCount: 15, processed: 15, changed: 15 });
    const statuses = [await workflows.statuses(first), await workflows.statuses(other)];
    expect(statuses.map((of) => Object.values(of))).toEqual([Array(10).fill('cancelled'), Array(4).fill('cancelled')]);
    expect(await workflows.wrong()).toEqual([]);
  });

  it('counts each running node of a workflow once, in however many transactions', async () => {
    engine.app.get(BulkPlanner).limits.chunk = 1;
    engine.script.when(work, (_input, { signal }) => aborted(signal));
    await engine.work();
    const workflows = new Workflows(engine);
    const id = await workflows.start(node('a'), node('b'), node('c'));
    await waitFor('all to run', async () => (await engine.count(`live_tasks WHERE status = 'running'`)) === 3);
    expect(await change('cancel', { statuses: ['running'] })).toMatchObject({ processed: 3, changed: 3 });
    expect(await workflows.finished(id)).toMatchObject({ status: 'cancelled' });
  });

  it('leaves to their workflow the nodes behind that it did not choose', async () => {
    engine.app.get(BulkPlanner).limits.chunk = 1;
    const workflows = new Workflows(engine);
    const id = await workflows.start(node('a'), node('b'), node('c', ['a']), node('d', ['b']));
    expect(await change('cancel', { statuses: ['queued'] })).toMatchObject({ taskCount: 2, changed: 2 });
    expect(await workflows.statuses(id)).toEqual({ a: 'cancelled', b: 'cancelled', c: 'failed', d: 'failed' });
    expect(await workflows.wrong()).toEqual([]);
  });
});

describe('delete', () => {
  it('takes a task with its batches and history, not one whose batches still run, and no node of a workflow', async () => {
    const going = deferred();
    engine.script.when(splitOnly, () => fanOut(part, batches(3)));
    engine.script.when(part, ({ n }) => (n === 2 ? going.promise : undefined));
    await engine.work();
    const parent = await engine.enqueue(splitOnly);
    await engine.until(parent, ({ waiting }) => waiting);
    expect(await change('delete', { types: ['test.split-only'] })).toMatchObject({ taskCount: 0 });
    going.resolve();
    await engine.finished(parent);
    const workflows = new Workflows(engine);
    const workflow = await workflows.start(node('a'));
    await workflows.finished(workflow);
    expect(await change('delete', { statuses: ['completed'] })).toMatchObject({ taskCount: 1, changed: 1 });
    await expect(engine.tasks.get(parent)).rejects.toMatchObject({ code: 'task_not_found' });
    expect(await engine.count('finished_tasks')).toBe(1);
    expect(await engine.count('task_fan_outs')).toBe(0);
    expect(await engine.count(`task_events WHERE task_id = $1`, [parent])).toBe(0);
    expect(await wrongCounters(engine)).toEqual([]);
  });

  it('that dies amid a chunk, and is not gone on with, leaves nothing that retention does not find', async () => {
    engine.script.when(split, () => fanOut(splitOnly, batches(3)));
    engine.script.when(splitOnly, () => fanOut(part, batches(3)));
    await engine.work();
    const [gone, kept] = [await engine.enqueue(split), await engine.enqueue(splitOnly)];
    await engine.finished(gone);
    await engine.finished(kept);
    await engine.database.query(`
      CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'died'; END $$;
      CREATE TRIGGER die BEFORE DELETE ON finished_tasks FOR EACH ROW WHEN (OLD.parent_id IS NOT NULL) EXECUTE FUNCTION die()`);
    await expect(change('delete', { types: ['test.split'] })).rejects.toThrow('died');
    await engine.database.query('DROP TRIGGER die ON finished_tasks');
    await expect(engine.tasks.get(gone)).rejects.toMatchObject({ code: 'task_not_found' });
    expect(await engine.count('finished_tasks')).toBe(3 + 9 + 4);

    const { id } = await engine.tasks.enqueue(retention, {}, { actor: ACTOR });
    expect((await engine.finished(id)).result).toMatchObject({ tasks: 0, orphans: 12 });
    expect(await engine.count(`finished_tasks WHERE type LIKE 'test.%'`)).toBe(4);
    expect(await engine.count(`task_events WHERE task_id NOT IN (SELECT id FROM tasks)`)).toBe(0);
    expect([await engine.count('task_fan_outs'), await wrongCounters(engine)]).toEqual([1, []]);
  });
});
