import { type FailurePolicy, type NodeSpec } from '../../../src/tasks/index.js';
import { EnginePool } from '../../../src/tasks/queue/engine-pool.js';
import { type Child, runTypeScript } from '../../support/child.js';
import { ACTOR, Engine, once, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';
import { node, Workflows } from '../../support/workflows.js';
import { wrongMoves } from './invariants.js';

const SLOW = { timeoutMs: 120_000 };
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

/** Further processes' worth of workers, with the same handlers. */
async function moreWorkers(count: number): Promise<void> {
  for (let added = 0; added < count; added += 1) {
    others.push(await (await Engine.open(database.url, engine.script)).work(OPTIONS));
  }
}

/** How many statements ran `work`: what a cost that grows with its square would show in. */
const times = new Map<string, [number, number]>();
async function statementsOf(run: () => Promise<unknown>): Promise<number> {
  const query = jest.spyOn(EnginePool.prototype, 'transaction');
  let count = 0;
  const original = EnginePool.prototype.transaction;
  query.mockRestore();
  const counting = jest.spyOn(EnginePool.prototype, 'transaction').mockImplementation(function (
    this: EnginePool,
    inner,
  ) {
    return original.call(this, (sql) =>
      inner({ query: (text, values) => ((count += 1), sql.query(text, values)) }),
    ) as never;
  });
  await run();
  counting.mockRestore();
  return count;
}

const numbered = (count: number, make: (n: number) => NodeSpec): NodeSpec[] =>
  Array.from({ length: count }, (_, n) => make(n));
const name = (n: number): string => `n${String(n)}`;
const claims = () => engine.count(`task_events WHERE reason = 'claimed'`);

async function allRight(): Promise<void> {
  expect(await workflows.wrong()).toEqual([]);
  expect(await wrongMoves(engine)).toEqual([]);
}

describe('ten thousand nodes', () => {
  it('one above and one below the others are added, released and joined in seconds', async () => {
    await moreWorkers(1);
    const middle = numbered(MANY - 2, (n) => node(name(n), ['top'], { type: once }));
    const spec = [
      node('top'),
      ...middle,
      node(
        'end',
        middle.map((one) => one.name),
      ),
    ];
    const started = performance.now();
    expect(await statementsOf(async () => workflows.start(...spec))).toBeLessThan(20);
    const addedMs = performance.now() - started;
    const [{ id = '' } = {}] = await workflows.service.list(undefined, { limit: 1 });

    expect(await workflows.finished(id, SLOW)).toMatchObject({ status: 'completed', counts: { completed: MANY } });
    console.log({ addedMs, ranMs: performance.now() - started - addedMs });
    expect(await claims()).toBe(MANY);
    await allRight();
  }, 150_000);

  it.each(['chain', 'fan'])(
    'below one that fails fall in one transaction of few statements: a %s',
    async (shape) => {
      const spec = [
        node('root', [], { type: once }),
        ...numbered(MANY - 1, (n) => node(name(n), [shape === 'chain' && n > 0 ? name(n - 1) : 'root'])),
      ];
      engine.script.when(once, () => Promise.reject(new Error('broken')));
      await workflows.start(...spec);
      const [{ id = '' } = {}] = await workflows.service.list(undefined, { limit: 1 });
      const started = performance.now();
      expect(await workflows.finished(id, SLOW)).toMatchObject({ status: 'failed', counts: { failed: MANY } });
      console.log({ shape, fellMs: performance.now() - started });
      expect(await workflows.node(id, name(MANY - 2))).toMatchObject({ errorCode: 'dependency_failed' });
      await allRight();

      engine.script.clear();
      const again = performance.now();
      await workflows.service.retry(id, { node: 'root', actor: ACTOR });
      console.log({ retryMs: performance.now() - again });
      const cancel = performance.now();
      await workflows.service.cancel(id, ACTOR);
      expect(await workflows.finished(id, SLOW)).toMatchObject({ counts: { open: 0 } });
      console.log({ cancelMs: performance.now() - cancel });
      await allRight();
    },
    150_000,
  );

  it('in a chain of a thousand follow each other', async () => {
    const id = await workflows.start(node(name(0)), ...numbered(1_000, (n) => node(name(n + 1), [name(n)])));
    const started = performance.now();
    await statementsOf(() => workflows.finished(id, SLOW));
    console.log([...times].map(([t, [ms, n]]) => t.slice(0, 160) + ' ' + ms + ' ' + n).join('\n'));
    console.log({ chainMs: performance.now() - started });
  }, 150_000);
});
