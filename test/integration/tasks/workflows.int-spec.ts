import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { aborted, ACTOR, deferred, Engine, once, part, Script, splitOnly, work } from '../../support/engine-harness.js';
import {
  defineTask,
  fanOut,
  type FailurePolicy,
  Handles,
  type NodeSpec,
  taskHandlers,
  type TaskHandler,
} from '../../../src/tasks/index.js';
import { node, Workflows } from '../../support/workflows.js';
import { wrongMoves } from './invariants.js';

/** Its own code has a bug: there are no such digits. */
const touchy = defineTask({ ...part, name: 'test.touchy', concurrencyKey: ({ n }) => String(n?.toFixed(-1)) });

@Handles(touchy)
class TouchyHandler implements TaskHandler<typeof touchy> {
  run(): Promise<number> {
    return Promise.resolve(1);
  }
}

let database: TestDatabase;
let engine: Engine;
let workflows: Workflows;

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await (await Engine.open(database.url, new Script(), { providers: taskHandlers(TouchyHandler) })).work();
  workflows = new Workflows(engine);
});

afterEach(async () => {
  engine.script.clear();
  expect(await workflows.wrong()).toEqual([]);
  expect(await wrongMoves(engine)).toEqual([]);
});

afterAll(async () => {
  await engine.close();
  await database.drop();
});

const broken = (): never => {
  throw Object.assign(new Error('broken'), { status: 400 });
};

/** Nodes named in `names` fail, until the script says otherwise. */
const failing = (...names: string[]) =>
  engine.script.when(work, ({ key, n }) => (names.includes(key ?? '') ? broken() : (n ?? key)));

describe('a workflow', () => {
  it('runs each node when those that it runs after have ended, and no sooner', async () => {
    const order: string[] = [];
    engine.script.when(work, ({ key = '' }) => void order.push(key));
    const id = await workflows.start(node('d', ['b', 'c']), node('b', ['a']), node('c', ['a']), node('a'));

    expect(await workflows.finished(id)).toMatchObject({
      name: 'test',
      status: 'completed',
      progress: 100,
      counts: { total: 4, open: 0, completed: 4, failed: 0, cancelled: 0, skipped: 0 },
      requestedBy: ACTOR,
    });
    expect([order[0], order.slice(1, 3).sort(), order[3]]).toEqual(['a', ['b', 'c'], 'd']);
    expect(await workflows.trail(id, 'd')).toEqual([
      `>created created ${ACTOR}`,
      'created>queued dependencies_met dependency',
      'queued>running claimed worker',
      'running>completed completed worker',
    ]);
    expect(await engine.tasks.get((await workflows.node(id, 'd')).taskId)).toMatchObject({ workflowId: id });
  });

  it('is added whole in the transaction of its caller, or not at all', async () => {
    const attempt = engine.database.transaction(async (tx) => {
      await workflows.service.start({ nodes: [node('a'), node('b', ['a'])] }, { actor: ACTOR, tx });
      throw new Error('no');
    });
    await expect(attempt).rejects.toThrow('no');
    expect(await engine.count('workflow_nodes n WHERE NOT EXISTS (SELECT 1 FROM tasks WHERE id = n.task_id)')).toBe(0);
  });

  it('is added once for an idempotency key', async () => {
    const spec = { nodes: [node('a')] };
    const options = { actor: ACTOR, idempotencyKey: 'once' };
    const [one, two] = await Promise.all([
      workflows.service.start(spec, options),
      workflows.service.start(spec, options),
    ]);
    expect(one.id).toBe(two.id);
    expect([one.created, two.created].sort()).toEqual([false, true]);
    await expect(workflows.service.start({ nodes: [node('b')] }, options)).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
    await workflows.finished(one.id);
  });

  it('takes retries and splits of its nodes as part of them', async () => {
    let tries = 0;
    engine.script.when(work, () => ((tries += 1) < 3 ? Promise.reject(new Error('again')) : 'third time'));
    engine.script.when(splitOnly, () => fanOut(part, [{ input: { n: 1 } }, { input: { n: 2 } }]));
    const id = await workflows.start(node('a'), node('b', ['a'], { type: splitOnly }), node('c', ['b']));
    expect(await workflows.finished(id)).toMatchObject({ status: 'completed' });
    expect(await workflows.node(id, 'a')).toMatchObject({ attempt: 3 });
  });

  it('shows progress by weight, with what running nodes have done, that never goes back', async () => {
    const [half, grown, finish] = [deferred(), deferred(), deferred()];
    engine.script.when(once, async (_input, context) => {
      context.progress(50, 100);
      await half.promise;
      context.progress(50, 1_000_000);
      grown.resolve();
      await finish.promise;
    });
    const id = await workflows.start(
      node('a', [], { weight: 1 }),
      node('b', ['a'], { type: once, weight: 9, params: {} }),
    );
    const seen = await workflows.until(id, ({ progress }) => progress === 55);
    expect(seen.eta?.getTime()).toBeGreaterThan(seen.createdAt.getTime());
    half.resolve();
    await grown.promise;
    const { taskId } = await workflows.node(id, 'b');
    await engine.until(taskId, ({ total }) => total === 1_000_000);
    expect(await workflows.service.get(id)).toMatchObject({ progress: 55, status: 'running' });
    expect((await workflows.service.list(['running'], { limit: 5 })).map((one) => [one.id, one.progress])).toEqual([
      [id, 55],
    ]);
    finish.resolve();
    expect(await workflows.finished(id)).toMatchObject({ progress: 100, eta: null });
  });
});

describe('a workflow that makes no sense', () => {
  it.each<[string, NodeSpec[], object]>([
    ['has no nodes', [], { code: 'invalid_workflow' }],
    ['waits for nobody', [node('a', ['x'])], { fields: [{ path: 'nodes.0.after.0', value: 'x' }] }],
    ['has a name twice', [node('a'), node('a')], { fields: [{ path: 'nodes.1.name', value: 'a' }] }],
    ['waits for itself', [node('a', ['a'])], { fields: [{ path: 'nodes.0.after.0', value: 'a' }] }],
    [
      'goes in a circle',
      [node('x'), node('a', ['c', 'x']), node('b', ['a']), node('c', ['b']), node('d', ['c'])],
      { code: 'workflow_cycle', message: expect.stringMatching(/a → b → c → a|b → c → a → b|c → a → b → c/) },
    ],
    ['has a type nobody knows', [node('a', [], { type: 'nope' })], { fields: [{ path: 'nodes.0.type' }] }],
    [
      'has a wrong input',
      [node('a'), node('b', [], { params: { n: 'x' } })],
      { fields: [{ path: 'nodes.1.params.n' }] },
    ],
    [
      'has a wrong field beside a reference',
      [node('a'), node('b', ['a'], { params: { n: { $from: 'a' }, key: 7, nope: { $from: 'a' } } })],
      { fields: expect.arrayContaining([expect.objectContaining({ path: 'nodes.1.params.key' })]) },
    ],
    [
      'takes from where it does not wait',
      [node('a'), node('b', [], { params: { n: { $from: 'a' } } })],
      { fields: [{ path: 'nodes.1.params.n', value: 'a' }] },
    ],
    [
      'has a crooked reference',
      [node('a'), node('b', ['a'], { params: { n: { $from: 'a', path: 'x' } } })],
      { fields: [{ path: 'nodes.1.params.n' }] },
    ],
    [
      'has a crooked condition',
      [node('a'), node('b', ['a'], { skipIf: { node: 'a', gt: 1, lt: 2 } })],
      { fields: [{ path: 'nodes.1.skip_if' }] },
    ],
    [
      'is nested without end',
      [node('a', [], { params: { payload: JSON.parse('['.repeat(9_999) + ']'.repeat(9_999)) as object } })],
      { fields: [{ path: 'nodes.0.params' }] },
    ],
  ])('because it %s is refused before anything is written', async (_what, nodes, expected) => {
    const before = await engine.count('workflows');
    await expect(workflows.start(...nodes)).rejects.toMatchObject({ kind: 'invalid', ...expected });
    expect(await engine.count('workflows')).toBe(before);
  });
});

describe('when a parent does not complete', () => {
  const POLICIES: FailurePolicy[] = ['fail', 'skip', 'run_anyway'];
  const parents: Record<string, Record<FailurePolicy, string>> = {
    completed: { fail: 'completed', skip: 'completed', run_anyway: 'completed' },
    failed: { fail: 'failed', skip: 'skipped', run_anyway: 'completed' },
    cancelled: { fail: 'failed', skip: 'skipped', run_anyway: 'completed' },
    skipped: { fail: 'skipped', skip: 'skipped', run_anyway: 'completed' },
  };

  it.each(Object.entries(parents))(
    'but is %s, its children end by the policy of the edge',
    async (outcome, children) => {
      const go = deferred();
      engine.script.when(work, async ({ key }, { signal }) => {
        if (key !== 'parent') return key;
        if (outcome === 'cancelled') await Promise.race([go.promise, aborted(signal)]);
        return outcome === 'failed' ? broken() : 1;
      });
      const id = await workflows.start(
        node('start'),
        node('parent', ['start'], outcome === 'skipped' ? { skipIf: { node: 'start', equals: 'start' } } : {}),
        ...POLICIES.map((onFailure) => node(onFailure, [{ node: 'parent', onFailure }])),
        node('below', POLICIES),
      );
      if (outcome === 'cancelled') {
        await engine.tasks.cancel((await workflows.untilNode(id, 'parent', 'running')).taskId, ACTOR);
      }
      await workflows.finished(id);
      const below = Object.values(children).includes('failed')
        ? 'failed'
        : outcome === 'skipped'
          ? 'skipped'
          : 'completed';
      expect(await workflows.statuses(id)).toEqual({ start: 'completed', parent: outcome, ...children, below });
    },
  );

  it('the gravest demand wins and the first parent by name is blamed, in whatever order they end', async () => {
    for (const slow of ['b', 'c', 'd']) {
      const go = deferred();
      engine.script.when(work, async ({ key = '' }) => {
        if (key === slow) await go.promise;
        return ['b', 'c', 'd'].includes(key) ? broken() : key;
      });
      const after = [
        { node: 'b', onFailure: 'skip' as const },
        'c',
        'd',
        { node: 'a', onFailure: 'run_anyway' as const },
      ];
      const id = await workflows.start(node('a'), node('b'), node('c'), node('d'), node('e', after));
      for (const name of ['b', 'c', 'd'].filter((one) => one !== slow)) await workflows.untilNode(id, name, 'failed');
      expect(await workflows.node(id, 'e')).toMatchObject({ status: 'created' });
      go.resolve();
      await workflows.finished(id);
      expect(await workflows.node(id, 'e')).toMatchObject({
        status: 'failed',
        errorCode: 'dependency_failed',
        errorMessage: 'node "c", which it runs after, did not complete',
      });
      expect(await workflows.trail(id, 'e')).toEqual([
        `>created created ${ACTOR}`,
        'created>failed dependency_failed dependency',
      ]);
    }
  });

  it('a blocked node that is cancelled counts at once, and its parents end without it', async () => {
    const go = deferred();
    engine.script.when(work, ({ key }) => (key === 'a' ? go.promise : undefined));
    const id = await workflows.start(node('a'), node('b', ['a']), node('c', [{ node: 'b', onFailure: 'skip' }]));
    const { taskId } = await workflows.node(id, 'b');
    await expect(engine.tasks.run(taskId, ACTOR)).rejects.toMatchObject({ code: 'dependencies_unmet' });
    await engine.tasks.cancel(taskId, ACTOR);
    expect(await workflows.statuses(id)).toEqual({ a: 'running', b: 'cancelled', c: 'skipped' });
    go.resolve();
    expect(await workflows.finished(id)).toMatchObject({ status: 'cancelled' });
  });
});

describe('the params of a node', () => {
  it('take what references point to, anywhere in a result', async () => {
    const got: unknown[] = [];
    engine.script.when(work, ({ key, payload, n }) => {
      if (key === 'a') return { list: [{ 'odd/key~': 7 }], text: 'x', none: null };
      got.push([n, payload]);
      return n;
    });
    const id = await workflows.start(
      node('a'),
      node('b', ['a'], {
        params: {
          n: { $from: 'a', path: '/list/0/odd~1key~0' },
          payload: {
            deep: [
              { $from: 'a', path: '/text' },
              { $from: 'a', path: '/none' },
            ],
            all: { $from: 'a', path: '/list' },
          },
        },
      }),
    );
    expect(await workflows.finished(id)).toMatchObject({ status: 'completed' });
    expect(got).toEqual([[7, { deep: ['x', null], all: [{ 'odd/key~': 7 }] }]]);
    expect(await engine.tasks.get((await workflows.node(id, 'b')).taskId)).toMatchObject({ params: { n: 7 } });
  });

  it.each([
    [
      'point to nothing',
      '/missing',
      'unresolved_reference',
      'params.n takes "/missing" of the result of node "a", where there is nothing',
    ],
    ['break the rules of the type', '/text', 'invalid_task_input', expect.stringContaining('params.n')],
    ['are too large', '/large', 'params_too_large', expect.stringContaining('pointer')],
  ])('that %s fail it, and what is below', async (...[, path, code, message]) => {
    engine.script.when(work, () => ({ text: 'x', large: 'x'.repeat(200_000) }));
    const field = code === 'params_too_large' ? 'payload' : 'n';
    const id = await workflows.start(
      node('a'),
      node('b', ['a'], { params: { [field]: { $from: 'a', path } } }),
      node('c', ['b']),
    );
    expect(await workflows.finished(id)).toMatchObject({ status: 'failed' });
    expect(await workflows.node(id, 'b')).toMatchObject({
      status: 'failed',
      errorCode: code,
      errorMessage: message,
      attempt: 0,
    });
    expect(await workflows.node(id, 'c')).toMatchObject({ status: 'failed', errorCode: 'dependency_failed' });
  });

  it('cannot come from a parent that did not complete', async () => {
    failing('a');
    const after = [{ node: 'a', onFailure: 'run_anyway' as const }];
    const id = await workflows.start(node('a'), node('b', after, { params: { n: { $from: 'a' } } }));
    await workflows.finished(id);
    expect(await workflows.node(id, 'b')).toMatchObject({ errorCode: 'unresolved_reference' });
  });
});

describe('a node whose type throws at what its parent gave', () => {
  it('fails by itself: its parent ends, and so do the other tasks of that worker', async () => {
    const id = await workflows.start(
      node('a', [], { params: { n: 5 } }),
      node('b', ['a'], { type: touchy, params: { n: { $from: 'a' } } }),
    );
    expect(await engine.finished(await engine.enqueue(work, { n: 1 }))).toMatchObject({ status: 'completed' });
    await workflows.finished(id);
    expect(await workflows.statuses(id)).toEqual({ a: 'completed', b: 'failed' });
    expect(await workflows.node(id, 'b')).toMatchObject({
      errorCode: 'unexpected_error',
      errorMessage: expect.stringContaining('toFixed()') as string,
    });
  });
});

describe('to retry a node', () => {
  it('runs it and all below again, with fences that go on; those above keep their results', async () => {
    failing('b');
    const id = await workflows.start(
      node('a', [], { params: { n: 5 } }),
      node('b', ['a'], { params: { key: 'b', n: { $from: 'a' } } }),
      node('c', ['b']),
      node('d', [{ node: 'b', onFailure: 'run_anyway' }]),
      node('e', ['a']),
    );
    expect(await workflows.finished(id)).toMatchObject({ status: 'failed', counts: { completed: 3, failed: 2 } });
    expect(await workflows.statuses(id)).toMatchObject({ b: 'failed', c: 'failed', d: 'completed' });
    engine.script.clear();

    const again = await workflows.service.retry(id, { node: 'b', actor: 'test:another' });

    expect(again.counts).toMatchObject({ open: 3, completed: 2 });
    expect(await workflows.finished(id)).toMatchObject({ status: 'completed', counts: { completed: 5 } });
    expect(await workflows.trail(id, 'a')).toHaveLength(3);
    expect((await workflows.trail(id, 'b')).slice(3)).toEqual([
      'running>failed failed worker',
      'failed>created retry test:another',
      'created>queued dependencies_met dependency',
      'queued>running claimed worker',
      'running>completed completed worker',
    ]);
    expect((await workflows.trail(id, 'd')).slice(4, 5)).toEqual(['completed>created retry_above test:another']);
    const { taskId } = await workflows.node(id, 'b');
    expect(await engine.tasks.get(taskId)).toMatchObject({ params: { key: 'b', n: 5 }, attempt: 1, result: 5 });
  });

  it('is the same through its task, and once for many who ask', async () => {
    failing('a');
    const id = await workflows.start(node('a'), node('b', ['a']), node('c', ['b']));
    await workflows.finished(id);
    engine.script.clear();
    // Until all have asked: who comes after it has completed is told that there is nothing to retry.
    const go = deferred();
    engine.script.when(work, ({ key }) => (key === 'a' ? go.promise : undefined));
    const { taskId } = await workflows.node(id, 'a');
    await Promise.all([1, 2, 3, 4].map(() => engine.tasks.retry(taskId, ACTOR)));
    go.resolve();
    expect(await workflows.finished(id)).toMatchObject({ status: 'completed' });
    expect((await workflows.trail(id, 'c')).filter((line) => line.includes('retry_above'))).toHaveLength(1);
  });

  it('without a name runs all that failed or was cancelled', async () => {
    failing('a', 'd');
    const id = await workflows.start(node('a'), node('b', ['a']), node('c'), node('d'), node('e', ['d', 'b']));
    await workflows.finished(id);
    engine.script.clear();
    await workflows.service.retry(id, { actor: ACTOR });
    expect(await workflows.finished(id)).toMatchObject({ status: 'completed' });
    expect(await workflows.trail(id, 'c')).toHaveLength(3);
    await expect(workflows.service.retry(id, { actor: ACTOR })).rejects.toMatchObject({ code: 'nothing_to_retry' });
  });

  it('without a name leaves out what was cancelled and would be skipped now', async () => {
    const go = deferred<number>();
    engine.script.when(work, ({ key }) => (key === 'f' ? broken() : key === 'a' ? go.promise : undefined));
    const skipped = node('b', ['a'], { skipIf: { node: 'a', equals: 5 } });
    const id = await workflows.start(node('a'), skipped, node('c', ['b']), node('f'));
    await workflows.untilNode(id, 'a', 'running');
    await engine.tasks.cancel((await workflows.node(id, 'c')).taskId, ACTOR);
    go.resolve(5);
    await workflows.finished(id);
    expect(await workflows.statuses(id)).toEqual({ a: 'completed', b: 'skipped', c: 'cancelled', f: 'failed' });
    engine.script.clear();
    const retry = (name?: string) => workflows.service.retry(id, { node: name, actor: ACTOR });
    await expect(retry('c')).rejects.toMatchObject({ code: 'dependencies_unmet' });
    await retry();
    await workflows.finished(id);
    expect(await workflows.statuses(id)).toEqual({ a: 'completed', b: 'skipped', c: 'skipped', f: 'completed' });
  });

  it('is refused where it could not run, and while those below are at work', async () => {
    const go = deferred();
    engine.script.when(work, ({ key }) => (key === 'a' ? broken() : key === 'c' ? go.promise : undefined));
    const id = await workflows.start(node('a'), node('b', ['a']), node('c', [{ node: 'a', onFailure: 'run_anyway' }]));
    await workflows.untilNode(id, 'c', 'running');
    const retry = (name: string) => workflows.service.retry(id, { node: name, actor: ACTOR });
    await expect(retry('b')).rejects.toMatchObject({ code: 'dependencies_unmet' });
    await expect(retry('a')).rejects.toMatchObject({ code: 'nodes_at_work' });
    await expect(retry('x')).rejects.toMatchObject({ code: 'workflow_node_not_found' });
    expect(await workflows.statuses(id)).toEqual({ a: 'failed', b: 'failed', c: 'running' });
    go.resolve();
    await workflows.finished(id);
    await expect(retry('c')).rejects.toMatchObject({ code: 'nothing_to_retry' });
  });

  it('by its failed batches alone brings back what is below, too', async () => {
    let ok = false;
    engine.script.when(splitOnly, () => fanOut(part, [{ input: { n: 1 } }, { input: { n: 2 } }]));
    engine.script.when(part, ({ n }) => (n === 2 && !ok ? broken() : n));
    const id = await workflows.start(
      node('a', [], { type: splitOnly, params: {} }),
      node('b', ['a']),
      node('c', ['b']),
    );
    await workflows.finished(id);
    expect(await workflows.statuses(id)).toEqual({ a: 'failed', b: 'failed', c: 'failed' });
    ok = true;
    await engine.tasks.retryFailedBatches((await workflows.node(id, 'a')).taskId, ACTOR);
    expect(await workflows.finished(id)).toMatchObject({ status: 'completed' });
    expect(
      await engine.count(
        `task_history WHERE reason = 'claimed' AND task_id IN (SELECT id FROM tasks WHERE parent_id = $1)`,
        [(await workflows.node(id, 'a')).taskId],
      ),
    ).toBe(3);
  });
});

describe('to cancel a workflow', () => {
  it('ends all that has not ended, asks the running to stop, and can be taken back by a retry', async () => {
    const started = deferred();
    engine.script.when(work, async ({ key }, { signal }) => {
      if (key !== 'b') return;
      started.resolve();
      await aborted(signal);
    });
    const id = await workflows.start(
      node('a'),
      node('b', ['a']),
      node('c', [{ node: 'b', onFailure: 'run_anyway' }]),
      node('d', ['c']),
    );
    await started.promise;
    await workflows.service.cancel(id, 'test:another');
    expect(await workflows.finished(id)).toMatchObject({ status: 'cancelled', cancelRequestedAt: expect.any(Date) });
    expect(await workflows.statuses(id)).toEqual({ a: 'completed', b: 'cancelled', c: 'cancelled', d: 'cancelled' });
    expect((await workflows.trail(id, 'd')).at(-1)).toBe('created>cancelled cancelled test:another');
    expect(await workflows.service.cancel(id, ACTOR)).toMatchObject({ status: 'cancelled' });
    engine.script.clear();
    expect(await workflows.service.retry(id, { actor: ACTOR })).toMatchObject({ cancelRequestedAt: null });
    expect(await workflows.finished(id)).toMatchObject({ status: 'completed' });
  });

  it('reaches the batches of its nodes', async () => {
    const parts = deferred();
    engine.script.when(splitOnly, () => fanOut(part, [{ input: { n: 1 } }, { input: { n: 2 } }]));
    engine.script.when(part, async (_input, { signal }) => {
      parts.resolve();
      await aborted(signal);
    });
    const id = await workflows.start(node('a', [], { type: splitOnly, params: {} }), node('b', ['a']));
    await parts.promise;
    await workflows.service.cancel(id, ACTOR);
    expect(await workflows.finished(id)).toMatchObject({ status: 'cancelled', counts: { cancelled: 2 } });
    await engine.until((await workflows.node(id, 'a')).taskId, ({ status }) => status === 'cancelled');
  });
});
