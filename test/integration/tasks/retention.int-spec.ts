import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fanOut, retention } from '../../../src/tasks/index.js';
import { RetentionPolicies } from '../../../src/tasks/retention/retention-policies.js';
import { RetentionService } from '../../../src/tasks/retention/retention.service.js';
import { TaskArchive } from '../../../src/tasks/retention/task-archive.js';
import { ACTOR, deferred, Engine, once, part, splitOnly, work } from '../../support/engine-harness.js';
import { node, Workflows } from '../../support/workflows.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const DAY_MS = 24 * 3_600_000;

let database: TestDatabase;
let engine: Engine;
let folder: string;

beforeEach(async () => {
  [database, folder] = [await createTestDatabase(), await mkdtemp(join(tmpdir(), 'photosafe-retention-'))];
  engine = await (await Engine.open(database.url, undefined, { environment: { PHOTOSAFE_DATA_DIR: folder } })).work();
});
afterEach(async () => {
  await engine.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** Makes finished tasks as old as this, in id and in time; gives their new ids in order. */
async function aged(ids: readonly string[], days: number): Promise<string[]> {
  const at = new Date(Date.now() - days * DAY_MS);
  const prefix = at.getTime().toString(16).padStart(12, '0');
  const renamed = ids.map((id) => `${prefix.slice(0, 8)}-${prefix.slice(8)}${id.slice(13)}`);
  for (const [table, column] of [
    ['finished_tasks', 'id'],
    ['finished_tasks', 'parent_id'],
    ['task_events', 'task_id'],
    ['task_fan_outs', 'parent_id'],
    ['workflow_nodes', 'task_id'],
    ['workflow_edges', 'parent_id'],
    ['workflow_edges', 'child_id'],
  ]) {
    await engine.database.query(
      `UPDATE ${table} SET ${column} = n.new FROM unnest($1::uuid[], $2::uuid[]) AS n(old, new) WHERE ${column} = n.old`,
      [ids, renamed],
    );
  }
  await engine.database.query(
    `UPDATE task_event_batches b SET at = $3, task_ids = r.ids, tasks = uuid_range(r.ids[1], r.ids[cardinality(r.ids)], '[]')
    FROM (
      SELECT o.id, array_agg(coalesce(n.new, t.id) ORDER BY coalesce(n.new, t.id)) AS ids
      FROM task_event_batches o CROSS JOIN unnest(o.task_ids) AS t(id)
      LEFT JOIN unnest($1::uuid[], $2::uuid[]) AS n(old, new) ON n.old = t.id GROUP BY o.id) r
    WHERE r.id = b.id AND b.task_ids && $1::uuid[]`,
    [ids, renamed, at],
  );
  await engine.database.query(
    `UPDATE finished_tasks SET created_at = $2, queued_at = $2, started_at = $2, updated_at = $2, completed_at = $2 WHERE id = ANY($1)`,
    [renamed, at],
  );
  return renamed.sort();
}

/** Finished tasks of the type, so old; `fail` makes them fail. */
async function old(days: number, { count = 1, fail = false } = {}): Promise<string[]> {
  engine.script.when(once, ({ key }) => {
    if (key === 'fail') throw new Error('as asked');
  });
  const added = await engine.tasks.enqueueMany(
    once,
    Array.from({ length: count }, () => (fail ? { key: 'fail' } : {})),
    { actor: ACTOR },
  );
  const ids = added.map(({ id }) => id);
  for (const id of ids) await engine.finished(id);
  return aged(ids, days);
}

/** The same with a finished workflow and all its tasks; gives its new id. */
async function agedWorkflow(id: string, days: number): Promise<string> {
  const nodes = await engine.database.query<{ task_id: string }>(
    'SELECT task_id FROM workflow_nodes WHERE workflow_id = $1',
    [id],
  );
  const [first = ''] = await aged(
    nodes.map((one) => one.task_id),
    days,
  );
  const renamed = `${first.slice(0, 13)}${id.slice(13)}`;
  const at = new Date(Date.now() - days * DAY_MS);
  for (const table of ['workflow_nodes', 'finished_tasks']) {
    await engine.database.query(`UPDATE ${table} SET workflow_id = $2 WHERE workflow_id = $1`, [id, renamed]);
  }
  await engine.database.query('UPDATE workflows SET id = $2, completed_at = $3 WHERE id = $1', [id, renamed, at]);
  return renamed;
}

async function run(input: { dry_run?: boolean; archive?: boolean } = {}) {
  const { id } = await engine.tasks.enqueue(retention, input, { actor: ACTOR });
  const task = await engine.finished(id);
  expect(task).toMatchObject({ status: 'completed', errorMessage: null });
  return task.result as Record<string, unknown>;
}

async function remaining(ids: readonly string[]): Promise<string[]> {
  const rows = await engine.database.query<{ id: string }>(`SELECT id FROM tasks WHERE id = ANY($1) ORDER BY id`, [
    ids,
  ]);
  return rows.map(({ id }) => id);
}

const eventsOf = (ids: readonly string[]): Promise<number> =>
  engine.count('task_events WHERE task_id = ANY($1)', [ids]);

interface ArchivedTask {
  readonly id: string;
  readonly type: string;
  readonly events: readonly { readonly reason: string }[];
  readonly workflow: unknown;
}

/** What is in the files that count, in their order; checks each against its row. */
async function archived(): Promise<ArchivedTask[]> {
  const tasks: ArchivedTask[] = [];
  for (const archive of await engine.app.get(TaskArchive).list('', 1_000)) {
    const bytes = await readFile(join(folder, 'archives', 'tasks', archive.name));
    const lines = gunzipSync(bytes).toString().trimEnd().split('\n');
    expect({
      checksum: createHash('sha256').update(bytes).digest('hex'),
      size: String(bytes.byteLength),
      tasks: lines.length,
    }).toEqual({ checksum: archive.checksum, size: archive.size_bytes, tasks: archive.tasks });
    tasks.push(...lines.map((line) => JSON.parse(line) as ArchivedTask));
  }
  return tasks;
}

const files = async (): Promise<string[]> => {
  const entries = await readdir(join(folder, 'archives', 'tasks'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
};

describe('retention', () => {
  it('removes what has been kept as long as its type and outcome say, with its audit trail, and nothing else', async () => {
    const [gone, young, failed, oldFailure] = [
      await old(31, { count: 3 }),
      await old(29, { count: 2 }),
      await old(31, { fail: true }),
      await old(91, { fail: true }),
    ];
    const removed = [...gone, ...oldFailure];
    const events = await eventsOf(removed);
    expect(await run()).toEqual({
      dry_run: false,
      tasks: 4,
      workflows: 0,
      events,
      by_type: [
        { type: 'test.once', outcome: 'completed', tasks: 3 },
        { type: 'test.once', outcome: 'failed', tasks: 1 },
      ],
      event_batches: 0,
      orphans: 0,
      idempotency_keys: 0,
      archive: null,
    });
    expect(events).toBeGreaterThanOrEqual(4 * 3);
    expect(await remaining([...removed, ...young, ...failed])).toEqual([...young, ...failed].sort());
    expect(await eventsOf(removed)).toBe(0);
    expect(await eventsOf([...young, ...failed])).toBeGreaterThanOrEqual(3 * 3);
  });

  it('follows what is set for a type, and the default again when that is taken back', async () => {
    const policies = engine.app.get(RetentionPolicies);
    const ids = await old(5);
    await policies.set('TEST.ONCE', { completed: 3, failed: 'forever' }, ACTOR);
    expect(await policies.list()).toEqual([
      { type: 'test.once', keep: { completed: 3, failed: 'forever' }, updatedAt: expect.any(Date), updatedBy: ACTOR },
    ]);
    const failed = await old(500, { fail: true });
    await run();
    expect(await remaining([...ids, ...failed])).toEqual(failed);
    await policies.reset('test.once');
    await run();
    expect(await remaining(failed)).toEqual([]);
    await expect(policies.set('test.onze', { completed: 3 }, ACTOR)).rejects.toMatchObject({
      code: 'unknown_task_type',
    });
  });

  it('only counts on a dry run, the same that a real run removes', async () => {
    const ids = await old(40, { count: 5 });
    engine.app.get(RetentionService).batchTasks = 2;
    const counted = await run({ dry_run: true, archive: true });
    expect(counted).toMatchObject({ dry_run: true, tasks: 5, events: 0 });
    expect(await remaining(ids)).toEqual(ids);
    expect(await run()).toMatchObject({ tasks: 5, by_type: counted.by_type });
  });

  it('takes batches with the task they belong to, and keeps them as long as that', async () => {
    engine.script.when(splitOnly, () => fanOut(part, [{ input: { n: 1 } }, { input: { n: 2 } }]));
    const families: string[][] = [];
    for (let n = 0; n < 2; n += 1) {
      const id = await engine.enqueue(splitOnly);
      await engine.finished(id);
      const children = await engine.tasks.list({ parentId: id }, { limit: 10 });
      families.push([id, ...children.map((child) => child.id)]);
    }
    const [kept = [], gone = []] = families;
    // Of the first only the batches are old; the task itself ended yesterday.
    const [keptParent, ...keptChildren] = kept;
    const oldChildren = await aged(keptChildren, 100);
    const removed = await aged(gone, 100);
    engine.app.get(RetentionService).batchTasks = 1; // a family is never torn apart, however small the batches
    expect(await run()).toMatchObject({
      tasks: 3,
      by_type: [{ type: 'test.split-only', outcome: 'completed', tasks: 3 }],
    });
    expect(await remaining([keptParent ?? '', ...oldChildren, ...removed])).toEqual(
      [...oldChildren, keptParent].sort(),
    );
    expect(await engine.count('task_fan_outs')).toBe(1);
  });

  it('removes a finished workflow as a whole, once every task of it has been kept long enough', async () => {
    const workflows = new Workflows(engine);
    const stop = deferred();
    engine.script.when(work, async ({ key }) => {
      if (key === 'fail') throw Object.assign(new Error('as asked'), { status: 400 });
      if (key === 'wait') await stop.promise;
    });
    const [done, failed, running] = [
      await workflows.start(node('a'), node('b', ['a'])),
      await workflows.start(node('a'), node('fail', ['a'])),
      await workflows.start(node('a'), node('wait', ['a'])),
    ];
    await workflows.finished(done);
    await workflows.finished(failed);
    await workflows.untilNode(running, 'wait', 'running');
    const [gone, keptFailed] = [await agedWorkflow(done, 40), await agedWorkflow(failed, 40)];
    await aged([(await workflows.node(running, 'a')).taskId], 400);
    expect(await run({ dry_run: true })).toMatchObject({ tasks: 2, workflows: 1 });
    expect(await run({ archive: true })).toMatchObject({ tasks: 2, workflows: 1, by_type: [] });
    const left = await engine.database.query<{ id: string }>('SELECT id FROM workflows ORDER BY id');
    expect(left.map(({ id }) => id)).toEqual([keptFailed, running].sort());
    expect([await engine.count('workflow_nodes'), await engine.count('workflow_edges')]).toEqual([4, 2]);
    expect(await archived()).toMatchObject([
      { workflow: { id: gone, name: 'test', node: 'a', outcome: 'completed', after: [] } },
      { workflow: { id: gone, node: 'b', after: [{ on_failure: 'fail' }] } },
    ]);
    stop.resolve();
    await workflows.finished(running);
    engine.script.when(work, () => undefined);
    await workflows.service.retry(keptFailed, { actor: ACTOR });
    expect(await workflows.finished(keptFailed)).toMatchObject({ status: 'completed' });
  });

  it('removes audit rows that tasks share when the last of these tasks has gone, and archives each its own', async () => {
    const ids = await old(40, { count: 20 });
    const batches = () => engine.count('task_event_batches WHERE task_ids && $1::uuid[]', [ids]);
    expect(await batches()).toBeGreaterThan(0);
    const young = ids.at(-1) ?? '';
    await engine.database.query('UPDATE finished_tasks SET completed_at = now() WHERE id = $1', [young]);
    const trail = (await engine.tasks.events(young, { limit: 10 })).map(({ reason }) => reason);
    expect(await run({ archive: true })).toMatchObject({ tasks: 19 });
    expect((await engine.tasks.events(young, { limit: 10 })).map(({ reason }) => reason)).toEqual(trail);
    for (const { events } of await archived()) {
      expect(events.map(({ reason }) => reason)).toEqual(['enqueued', 'claimed', 'completed']);
    }
    const shared = await batches();
    expect(shared).toBeGreaterThan(0);
    await aged([young], 40);
    await engine.database.query("UPDATE task_event_batches SET at = now() - interval '40 days'");
    expect(await run()).toMatchObject({ tasks: 1, event_batches: shared });
    expect(await batches()).toBe(0);
  });

  it('lets go of idempotency keys when their time is over, and of no task that one may lead to', async () => {
    await engine.add(once, {}, { idempotencyKey: 'old' });
    await engine.database.query(`UPDATE task_idempotency_keys SET created_at = now() - interval '49 hours'`);
    await engine.add(once, {}, { idempotencyKey: 'young' });
    await engine.app.get(RetentionPolicies).set('test.once', { completed: 1 }, ACTOR);
    const [young, over] = [await old(1.9), await old(2.1)];
    expect(await run()).toMatchObject({ tasks: 1, idempotency_keys: 1 });
    expect(await remaining([...young, ...over])).toEqual(young);
    expect(await engine.database.query('SELECT key FROM task_idempotency_keys')).toEqual([{ key: 'young' }]);
  });
});

describe('an archive', () => {
  it('holds every removed task once, a line each, with its audit trail', async () => {
    const ids = await old(40, { count: 5 });
    const events = await eventsOf(ids);
    engine.app.get(RetentionService).batchTasks = 2;
    expect(await run({ archive: true })).toMatchObject({ tasks: 5, archive: { files: 3 } });
    const lines = await archived();
    expect(lines.map(({ id }) => id)).toEqual(ids);
    expect(lines.flatMap((line) => line.events)).toHaveLength(events);
    expect(lines[0]).toMatchObject({ type: 'test.once', status: 'completed', requested_by: ACTOR, fan_outs: [] });
    expect(lines[0]?.events.at(-1)?.reason).toBe('completed');
  });

  it('is whole, and nothing is lost or there twice, when an attempt dies between the file and the removal', async () => {
    const ids = await old(40, { count: 6 });
    const service = engine.app.get(RetentionService);
    const archive = engine.app.get(TaskArchive);
    service.batchTasks = 2;
    const keep = archive.keep.bind(archive);
    let deaths = 0;
    archive.keep = async (tx, file) => {
      if (file.name.endsWith('-000002.jsonl.gz') && (deaths += 1) <= 2) throw new Error('the process died here');
      await keep(tx, file);
    };
    // An attempt that failed is tried again after a wait, which this test does not want to sit through.
    const { id } = await engine.tasks.enqueue(retention, { archive: true }, { actor: ACTOR });
    const broken = (attempt: number) =>
      engine.until(id, (task) => task.status === 'queued' && task.attempt === attempt);
    for (const attempt of [1, 2]) {
      await broken(attempt);
      expect(await remaining(ids)).toEqual(ids.slice(2));
      expect((await archived()).map((task) => task.id)).toEqual(ids.slice(0, 2));
      await engine.database.query(`UPDATE live_tasks SET run_at = now() WHERE id = $1`, [id]);
    }
    expect((await engine.finished(id)).result).toMatchObject({ tasks: 6, archive: { files: 3 } });
    expect(await remaining(ids)).toEqual([]);
    expect((await archived()).map((task) => task.id)).toEqual(ids);
    expect(await files()).toHaveLength(3);
  });

  it('leaves out a task that is run again meanwhile', async () => {
    const ids = await old(100, { count: 2, fail: true });
    const archive = engine.app.get(TaskArchive);
    const write = archive.write.bind(archive);
    engine.script.when(once, () => undefined);
    archive.write = async (...all) => {
      const file = await write(...all);
      archive.write = write;
      await engine.tasks.retry(ids[0] ?? '', ACTOR);
      return file;
    };
    expect(await run({ archive: true })).toMatchObject({ tasks: 1, archive: { files: 1 } });
    expect((await archived()).map((task) => task.id)).toEqual(ids.slice(1));
    expect(await remaining(ids)).toEqual(ids.slice(0, 1));
    expect(await files()).toHaveLength(1);
  });

  it('passes none over when the first tasks of its outcome have to be looked at anew', async () => {
    await old(40); // removed before these, and younger
    const [again = '', ...others] = [
      ...(await old(110, { fail: true })),
      ...(await old(105, { count: 2, fail: true })),
    ];
    const archive = engine.app.get(TaskArchive);
    const write = archive.write.bind(archive);
    engine.script.when(once, () => undefined);
    archive.write = async (ids, ...more) => {
      const file = await write(ids, ...more);
      if (ids.includes(again)) {
        archive.write = write;
        await engine.tasks.retry(again, ACTOR);
      }
      return file;
    };
    expect(await run({ archive: true })).toMatchObject({ tasks: 3 });
    expect(await remaining([again, ...others])).toEqual([again]);
  });

  it('is cleared of files that count for nothing, once their writer cannot be alive', async () => {
    const stray = async (name: string): Promise<void> => {
      const path = join(folder, 'archives', 'tasks', name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, 'torn');
    };
    await stray('some-task/000001-000001.jsonl.gz');
    const archive = engine.app.get(TaskArchive);
    await archive.removeStrays({ taskId: 'other', fence: 1 }, new Date());
    expect(await files()).toHaveLength(1);
    await archive.removeStrays({ taskId: 'other', fence: 1 }, new Date(Date.now() + 2 * DAY_MS));
    expect(await files()).toEqual([]);
  });
});
