import type { FailurePolicy, NodeSpec } from '../../../src/tasks/index.js';
import { runTypeScript } from '../../support/child.js';
import { ACTOR, deferred, Engine, once, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';
import { node, Workflows } from '../../support/workflows.js';
import { wrongMoves } from './invariants.js';

/** Ten times what an idle machine takes, and far below what a cost that grows with the square would take. */
const BOUNDED = { timeoutMs: 60_000 };
const MANY = 10_000;
const OPTIONS = { concurrency: { default: 100 }, leaseMs: 10_000, renewMs: 1_000, pollMs: 200, shutdownGraceMs: 500 };

let database: TestDatabase;
let engine: Engine;
let workflows: Workflows;
const others: Engine[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await (await Engine.open(database.url)).work(OPTIONS);
  workflows = new Workflows(engine);
});

afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other.close()));
  await engine.close();
  await database.drop();
});

/** Further workers with the same handlers, each with connections of its own as another process has them. */
async function moreWorkers(count: number): Promise<void> {
  for (let added = 0; added < count; added += 1) {
    others.push(await (await Engine.open(database.url, engine.script)).work(OPTIONS));
  }
}

const numbered = (count: number, make: (n: number) => NodeSpec): NodeSpec[] =>
  Array.from({ length: count }, (_, n) => make(n));
const name = (n: number): string => `n${String(n)}`;

/** Nothing contradicts itself, and no node that was not run again was released twice. */
async function allRight(): Promise<void> {
  expect(await workflows.wrong()).toEqual([]);
  expect(await wrongMoves(engine)).toEqual([]);
  const twice = `(SELECT task_id FROM task_history WHERE reason = 'dependencies_met' AND task_id NOT IN
    (SELECT task_id FROM task_history WHERE to_status = 'created' AND from_status IS NOT NULL) GROUP BY task_id HAVING count(*) > 1) twice`;
  expect(await engine.count(twice)).toBe(0);
}

describe('ten thousand nodes', () => {
  it('between one above and one below are released and joined in seconds, by several workers', async () => {
    await moreWorkers(1);
    const middle = numbered(MANY - 2, (n) => node(name(n), ['top'], { type: once }));
    const end = node(
      'end',
      middle.map((one) => one.name),
    );
    const id = await workflows.start(node('top'), ...middle, end);
    expect(await workflows.finished(id, BOUNDED)).toMatchObject({ status: 'completed', counts: { completed: MANY } });
    expect(await engine.count(`task_history WHERE reason = 'claimed'`)).toBe(MANY);
    await allRight();
  });

  it.each(['chain', 'fan'])('fall with the one above them, are retried and cancelled at once: a %s', async (shape) => {
    engine.script.when(once, () => Promise.reject(new Error('broken')));
    const id = await workflows.start(
      node('root', [], { type: once }),
      ...numbered(MANY - 1, (n) => node(name(n), [shape === 'chain' && n > 0 ? name(n - 1) : 'root'])),
    );
    expect(await workflows.finished(id, BOUNDED)).toMatchObject({ status: 'failed', counts: { failed: MANY } });
    expect(await workflows.node(id, name(MANY - 2))).toMatchObject({ errorCode: 'dependency_failed' });
    const moments = await engine.database.query(
      `SELECT count(DISTINCT completed_at)::int AS n FROM finished_tasks WHERE workflow_id = $1`,
      [id],
    );
    expect(moments).toEqual([{ n: 1 }]); // one transaction
    await allRight();

    engine.script.when(once, () => new Promise(() => undefined));
    await workflows.service.retry(id, { node: 'root', actor: ACTOR });
    await workflows.untilNode(id, 'root', 'running');
    await workflows.service.cancel(id, ACTOR);
    expect(await workflows.service.get(id)).toMatchObject({ counts: { open: 1, cancelled: MANY - 1 } });
    expect(await workflows.finished(id, BOUNDED)).toMatchObject({ status: 'cancelled' });
    await allRight();
  });
});

describe('nodes whose parents end on several workers at once', () => {
  it('are released once, whatever the graph and whatever fails', async () => {
    await moreWorkers(2);
    engine.script.when(work, ({ key = '' }) => {
      if (/[37]$/.test(key)) throw Object.assign(new Error('broken'), { status: 400 });
      return key;
    });
    const policies: FailurePolicy[] = ['fail', 'skip', 'run_anyway'];
    const graph = (seed: number): NodeSpec[] =>
      numbered(60, (n) => {
        const parents = [1, 2, 5, 7].map((step) => n - step * (1 + ((seed + n) % 3))).filter((parent) => parent >= 0);
        return node(
          name(n),
          [...new Set(parents)].map((parent) => ({
            node: name(parent),
            onFailure: policies[(parent + seed) % 3 === 0 ? 0 : (n + parent) % 3]!,
          })),
        );
      });
    const ids = await Promise.all(
      numbered(30, (n) => node(name(n))).map((_, seed) => workflows.start(...graph(seed % 5))),
    );
    for (const id of ids) await workflows.finished(id, BOUNDED);
    const ends = await Promise.all(ids.map((id) => workflows.statuses(id)));
    for (const [seed, end] of ends.entries()) expect(end).toEqual(ends[seed % 5]); // deterministic
    expect(new Set(ends.flatMap((end) => Object.values(end)))).toEqual(new Set(['completed', 'failed', 'skipped']));
    await allRight();
  });

  it('can be cancelled and retried meanwhile', async () => {
    await moreWorkers(1);
    engine.script.when(work, ({ key = '' }) => {
      if (key.endsWith('5')) throw Object.assign(new Error('broken'), { status: 400 });
    });
    const id = await workflows.start(
      ...numbered(400, (n) =>
        node(name(n), n < 20 ? [] : [{ node: name(n - 20), onFailure: 'run_anyway' }, name(n - 1 - (n % 19))]),
      ),
    );
    const nodes = await workflows.service.nodes(id);
    const noise = nodes.filter((_, n) => n % 7 === 3).map(({ taskId }) => engine.tasks.cancel(taskId, ACTOR));
    const again = nodes.filter((_, n) => n % 11 === 5).map(({ taskId }) => engine.tasks.retry(taskId, ACTOR));
    const refused = (await Promise.allSettled([...noise, ...again])).flatMap((one) =>
      one.status === 'rejected' ? [(one.reason as { code?: string }).code] : [],
    );
    expect(
      refused.filter((code) => !['nodes_at_work', 'dependencies_unmet', 'nothing_to_retry'].includes(code ?? '')),
    ).toEqual([]);
    await workflows.finished(id, BOUNDED);
    expect(await workflows.wrong()).toEqual([]);
    expect(await wrongMoves(engine)).toEqual([]);
  });
});

it('nodes that take one large result very often, or that are very many and take it once, fail for their size', async () => {
  engine.script.when(work, ({ key }) => (key === 'a' ? 'x'.repeat(900_000) : 1));
  const all = { $from: 'a' };
  const often = node('often', ['a'], { params: { payload: Array(700).fill(all) } }); // longer than any text can be
  const many = numbered(2_000, (n) => node(name(n), ['a'], { params: { payload: all } }));
  const id = await workflows.start(node('a'), often, ...many);
  expect(await workflows.finished(id, BOUNDED)).toMatchObject({ counts: { completed: 1, failed: 2_001 } });
  expect((await workflows.node(id, 'often')).errorCode).toBe('params_too_large');
});

it('a workflow survives the death of a worker amid its nodes', async () => {
  const child = runTypeScript('test/integration/tasks/programs/worker.ts', [database.url, JSON.stringify(OPTIONS)]);
  try {
    await child.line(/^working/, BOUNDED);
    const killed = deferred();
    engine.script.when(work, () => killed.promise);
    // More than this worker takes at once; the other holds the rest until it is killed.
    const id = await workflows.start(...numbered(300, (n) => node(name(n), n < 150 ? [] : [name(n - 150)])));
    const heldBy = `live_tasks WHERE status = 'running' AND worker_id IN (SELECT id FROM task_workers WHERE pid = ${String(child.pid)})`;
    await waitFor('the other worker to hold some', async () => (await engine.count(heldBy)) > 0, BOUNDED);
    await child.kill('SIGKILL');
    killed.resolve();
    expect(await workflows.finished(id, BOUNDED)).toMatchObject({ status: 'completed', counts: { completed: 300 } });
    await allRight();
  } finally {
    await child.kill();
  }
});
