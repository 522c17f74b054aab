import { ExplainService } from '../../../src/tasks/explain/explain.service.js';
import { ExternalTypes } from '../../../src/tasks/external/external-types.service.js';
import {
  aborted,
  ACTOR,
  deferred,
  elsewhere,
  Engine,
  once,
  patient,
  split,
  part,
  work,
} from '../../support/engine-harness.js';
import { batches } from '../../support/fan-outs.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';
import { node, Workflows } from '../../support/workflows.js';
import { fanOut } from '../../../src/tasks/index.js';

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

const explain = async (id: string) => (await engine.app.get(ExplainService).explain(id)).reasons;
const codes = async (id: string): Promise<string[]> => (await explain(id)).map(({ code }) => code);

describe('without a worker', () => {
  it('says that a task waits for a person, for its time, or for a worker', async () => {
    const created = await engine.enqueue(work, {}, { runImmediately: false });
    const later = await engine.enqueue(work, {}, { runAt: new Date(Date.now() + 3_600_000) });
    const queued = await engine.enqueue(work);
    expect(await codes(created)).toEqual(['waiting_to_be_run']);
    expect(await codes(later)).toEqual(['delayed', 'no_worker']);
    expect(await codes(queued)).toEqual(['no_worker', 'next_in_queue']);
    expect((await explain(queued))[1]?.next).toBe('The next worker that has a free slot and knows its type takes it.');
  });

  it('counts those before it in its queue: higher priority, and older ones of the same', async () => {
    await engine.enqueue(work, {}, { priority: 5 });
    await engine.enqueue(work);
    await engine.enqueue(elsewhere);
    const id = await engine.enqueue(work);
    await engine.enqueue(work);
    const [, place] = await explain(id);
    expect(place).toMatchObject({
      code: 'in_queue',
      message: '2 tasks of the queue default are before it.',
      facts: { ahead: 2, ahead_is_at_least: false },
    });
  });

  it('says that a suspect waits to run alone, and how many do before it', async () => {
    const [first, second] = [await engine.enqueue(work), await engine.enqueue(work)];
    await engine.database.query(`UPDATE live_tasks SET ready = false, crash_count = 1`);
    expect(await codes(first)).toEqual(['no_worker', 'suspect']);
    expect((await explain(second))[1]).toMatchObject({ code: 'suspect', facts: { ahead: 1, cell_is_open: false } });
  });

  it('tells suspects of external workers and those of this program apart', async () => {
    const type = { name: 'survey.slope', version: 1, title: 'Slope', queue: 'survey', priority: 0, maxAttempts: 3 };
    const times = { firstDelayMs: 1_000, maxDelayMs: 60_000, timeoutMs: 60_000 };
    const schemas = { inputSchema: { type: 'object' }, resultSchema: null, concurrencyKey: null };
    const types = engine.app.get(ExternalTypes, { strict: false });
    await types.declare({ ...type, ...times, ...schemas, limits: {} }, ACTOR);
    const first = await engine.enqueue(work);
    const { id: external } = await engine.tasks.create('survey.slope', {}, { actor: ACTOR });
    const second = await engine.enqueue(work);
    await engine.database.query(`UPDATE live_tasks SET ready = false, crash_count = 1`);
    const ahead = async (id: string) => (await explain(id)).find(({ code }) => code === 'suspect')?.facts.ahead;
    expect([await ahead(first), await ahead(external), await ahead(second)]).toEqual([0, 0, 1]);
  });

  it('says of a quarantined task what it died of alone, and apart from that how often in all', async () => {
    const id = await engine.enqueue(work);
    await engine.tasks.cancel(id, ACTOR);
    const why = '2 processes died while they ran this task and nothing else; the last: killed by SIGKILL';
    await engine.database.query(
      `UPDATE finished_tasks SET status = 'failed', crash_count = 3, error_code = 'poison_pill', error_category = 'permanent',
        error_message = $2 WHERE id = $1`,
      [id, why],
    );
    const [reason] = await explain(id);
    expect(reason).toMatchObject({ code: 'quarantined', facts: { crash_count: 3 } });
    expect(reason.message).toMatch(
      /^It is quarantined since .* UTC, because 2 processes died .* SIGKILL \(poison_pill\)\. In all, 3 processes were lost while working on it, alone or beside other tasks\.$/,
    );
  });

  it('names the nodes of a workflow that a node waits for, and what those that ended demand', async () => {
    const workflows = new Workflows(engine);
    const id = await workflows.start(node('a'), node('b'), node('c', ['a', 'b']));
    const c = await workflows.node(id, 'c');
    expect(await explain(c.taskId)).toMatchObject([
      {
        code: 'waiting_for_dependencies',
        message: 'It runs after 2 nodes of the workflow test that have not ended: a (queued), b (queued).',
        facts: { node: 'c', waiting: 2, verdict: 'run' },
      },
    ]);
    await engine.tasks.cancel((await workflows.node(id, 'a')).taskId, ACTOR);
    expect((await explain(c.taskId))[0]).toMatchObject({
      message: 'It runs after 1 node of the workflow test that has not ended: b (queued).',
      next: 'It will fail when the last of them has ended, because a did not complete.',
    });
    await engine.tasks.cancel((await workflows.node(id, 'b')).taskId, ACTOR);
    expect((await explain(c.taskId))[0]).toMatchObject({
      code: 'failed',
      advice: expect.stringContaining('Retry what it depends on') as string,
    });
  });
});

describe('with a worker', () => {
  it('says who runs a task, that it was asked to stop, and who cancelled it', async () => {
    const going = deferred();
    engine.script.when(work, async (_input, { signal }) => {
      await Promise.race([going.promise, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
      await going.promise;
      return aborted(signal);
    });
    await engine.work({ concurrency: { default: 1 } });
    const [id, next] = [await engine.enqueue(work), await engine.enqueue(work)];
    await engine.until(id, ({ status }) => status === 'running');
    expect(await explain(id)).toMatchObject([
      { code: 'running', facts: { pid: process.pid, attempt: 1, isolated: false } },
    ]);
    expect(await codes(next)).toEqual(['workers_busy', 'next_in_queue']);
    await engine.tasks.cancel(id, ACTOR);
    const asked = await explain(id);
    expect(asked.map(({ code }) => code)).toEqual(['cancel_requested', 'running']);
    going.resolve();
    await engine.finished(id);
    expect((await explain(id))[0]).toMatchObject({ code: 'cancelled', facts: { by: ACTOR } });
  });

  it('says that no worker serves the queue, knows the type or its version', async () => {
    await engine.work({ concurrency: { default: 1 } });
    const other = await engine.enqueue(elsewhere);
    const [newer, unknown] = [await engine.enqueue(elsewhere), await engine.enqueue(elsewhere)];
    await engine.database.query(`UPDATE live_tasks SET version = 7 WHERE id = $1`, [newer]);
    await engine.database.query(`UPDATE live_tasks SET type = 'gone' WHERE id = $1`, [unknown]);
    expect((await codes(other))[0]).toBe('no_worker_for_queue');
    expect((await explain(newer))[0]).toMatchObject({
      code: 'no_worker_for_version',
      facts: { version: 7, newest_known_version: 1 },
    });
    expect((await codes(unknown))[0]).toBe('no_worker_for_type');
  });

  it('says when it is tried again and why, and what failed for good', async () => {
    engine.script.when(patient, () => Promise.reject(new Error('the disk is away')));
    engine.script.when(once, () => Promise.reject(new Error('the file is broken')));
    await engine.work();
    const [again, failed] = [await engine.enqueue(patient), await engine.enqueue(once)];
    await engine.finished(failed);
    await engine.until(again, ({ status, attempt }) => status === 'queued' && attempt === 1);
    await engine.database.query(`UPDATE live_tasks SET start_by = now() + interval '1 minute' WHERE id = $1`, [again]);
    expect(await codes(again)).toEqual(['retry_scheduled']); // it has started in time
    expect((await explain(again))[0]).toMatchObject({
      code: 'retry_scheduled',
      message: expect.stringMatching(/^Attempt 2 of 3 begins at .* because the disk is away/) as string,
    });
    expect((await explain(failed))[0]).toMatchObject({
      code: 'failed',
      message: expect.stringContaining('the file is broken') as string,
      advice: 'Start it again with retry.',
    });
  });

  it('says how many batches a task waits for, and how a completed one ended', async () => {
    const going = deferred();
    engine.script.when(split, () => fanOut(part, batches(3)));
    engine.script.when(part, async ({ n }) => (n === 0 ? undefined : going.promise));
    await engine.work();
    const id = await engine.enqueue(split);
    await waitFor('the first batch to end', async () =>
      (await engine.count(`finished_tasks WHERE parent_id = $1`, [id])) === 1 ? true : undefined,
    );
    expect(await explain(id)).toMatchObject([
      { code: 'waiting_for_children', facts: { total: 3, open: 2, completed: 1 } },
    ]);
    going.resolve();
    await engine.finished(id);
    expect(await codes(id)).toEqual(['completed']);
  });
});
