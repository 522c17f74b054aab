import { ExternalTypes } from '../../../src/tasks/external/external-types.service.js';
import { ACTOR, Engine, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { node, Workflows } from '../../support/workflows.js';

let database: TestDatabase;
let engine: Engine;
let workflows: Workflows;

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await (await Engine.open(database.url)).work();
  workflows = new Workflows(engine);
});

afterEach(async () => {
  await engine.close();
  await database.drop();
});

describe('a node that runs again with other results', () => {
  it('gets the concurrency key of its new params, or none where these have none', async () => {
    const declared = { name: 'elsewhere.scan', version: 1, title: 'Scan', queue: 'elsewhere.scan', priority: 0 };
    const terms = { maxAttempts: 1, firstDelayMs: 1, maxDelayMs: 1, timeoutMs: 60_000, concurrencyKey: 'folder' };
    const schemas = { inputSchema: { type: 'object' }, resultSchema: null };
    await engine.app
      .get(ExternalTypes)
      .declare({ ...declared, ...terms, ...schemas, limits: { concurrency: 1 } }, ACTOR);
    const found: (string | null)[] = ['photos', 'places', null];
    engine.script.when(work, ({ key }) =>
      key === 'broken' ? Promise.reject(new Error('broken')) : { folder: found.shift() ?? null },
    );
    const id = await workflows.start(
      node('broken'),
      node('look', [{ node: 'broken', onFailure: 'run_anyway' }]),
      node('scan', ['look'], { type: declared.name, params: { folder: { $from: 'look', path: '/folder' } } }),
    );
    const queued: unknown[] = [];
    for (const again of [true, true, false]) {
      const { taskId } = await workflows.untilNode(id, 'scan', 'queued');
      queued.push(
        ...(await engine.database.query('SELECT concurrency_key, lane FROM live_tasks WHERE id = $1', [taskId])),
      );
      if (again) await workflows.service.retry(id, { node: 'broken', actor: ACTOR });
    }
    await workflows.service.cancel(id, ACTOR);
    const lane = `${declared.queue}!${declared.name}`;
    expect(queued).toEqual([
      { concurrency_key: 'photos', lane: `${lane}!photos` },
      { concurrency_key: 'places', lane: `${lane}!places` },
      { concurrency_key: null, lane },
    ]);
  });
});
