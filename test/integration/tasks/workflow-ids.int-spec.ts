import { createHash } from 'node:crypto';
import { ACTOR, Engine, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { node, Workflows } from '../../support/workflows.js';

let database: TestDatabase;
let engine: Engine;
let ids: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
  const workflows = new Workflows(engine);
  ids = [await workflows.start(node('a')), await workflows.start(node('a'))];
});
afterAll(async () => {
  await engine.close();
  await database.drop();
});

describe('a workflow', () => {
  it('is found by its id in any letter case and by the beginning of it, for all that is done with it', async () => {
    const { service } = new Workflows(engine);
    const [id = ''] = ids;
    const beginning = id.slice(0, 26);
    expect((await service.get(id.toUpperCase())).id).toBe(id);
    expect((await service.get(beginning)).id).toBe(id);
    expect(await service.nodes(beginning)).toMatchObject([{ name: 'a' }]);
    expect(await service.cancel(beginning, ACTOR)).toMatchObject({ id, status: 'cancelled' });
    expect(await service.retry(beginning, { actor: ACTOR })).toMatchObject({ id, status: 'running' });
  });

  it('is not found by a beginning that several share', async () => {
    const { service } = new Workflows(engine);
    await expect(service.cancel(ids[0]!.slice(0, 6), ACTOR)).rejects.toMatchObject({
      ...{ kind: 'conflict', code: 'ambiguous_workflow_id' },
      message: expect.stringContaining(ids[1]!) as string,
    });
  });

  it.each([
    ['ffffffff', 'not-found', 'workflow_not_found'],
    ['ffffffff-ffff-7fff-8fff-ffffffffffff', 'not-found', 'workflow_not_found'],
    ['nope', 'invalid', 'invalid_workflow_id'],
  ])('is not named by %s', async (id, kind, code) => {
    await expect(new Workflows(engine).service.get(id)).rejects.toMatchObject({ kind, code });
  });

  it('is known by its idempotency key to processes of other versions, whatever its times', async () => {
    const nodes = [node('a', [], { priority: 1, runAt: new Date(), startBy: undefined, description: 'first' })];
    const options = { actor: ACTOR, idempotencyKey: 'versions' };
    const { id } = await new Workflows(engine).service.start({ name: 'keyed', nodes }, options);
    const [kept] = await engine.database.query<{ request_hash: Buffer }>(
      `SELECT request_hash FROM task_idempotency_keys WHERE task_id = $1`,
      [id],
    );
    const hashed =
      `{"name":"keyed","nodes":[{"name":"a","type":"${work.name}","after":[],"params":{"key":"a"},` +
      `"priority":1,"description":"first"}]}`;
    expect(kept?.request_hash).toEqual(createHash('sha256').update(hashed).digest());
  });
});
