import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { ACTOR, elsewhere, Engine, once, work } from '../../support/engine-harness.js';

let database: TestDatabase;
let engine: Engine;
let ids: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
  ids = [
    await engine.enqueue(work, { n: 0 }, { name: '100% of it', runImmediately: false }),
    await engine.enqueue(once, { n: 1 }, { description: 'the second_one' }),
    await engine.enqueue(elsewhere, { n: 2 }),
    await engine.enqueue(work, { n: 3 }),
  ];
  await engine.tasks.cancel(ids[3]!, ACTOR);
});

afterAll(async () => {
  await engine.close();
  await database.drop();
});

const listed = async (...args: Parameters<Engine['tasks']['list']>): Promise<number[]> =>
  (await engine.tasks.list(...args)).map(({ id }) => ids.indexOf(id));

const all = { limit: 10 };

describe('a list of tasks', () => {
  it('has the newest first, finished or not, in pages', async () => {
    expect(await listed({}, all)).toEqual([3, 2, 1, 0]);
    expect(await listed({}, { limit: 2 })).toEqual([3, 2]);
    expect(await listed({}, { limit: 2, after: ids[2] })).toEqual([1, 0]);
  });

  it.each<[string, Parameters<Engine['tasks']['list']>[0], number[]]>([
    ['status', { statuses: ['created', 'cancelled'] }, [3, 0]],
    ['no status at all', { statuses: [] }, []],
    ['type', { types: ['test.once', 'test.elsewhere'] }, [2, 1]],
    ['type in any letter case', { types: ['TEST.Once'] }, [1]],
    ['queue', { queue: 'other' }, [2]],
    ['text in the name, with signs that LIKE knows', { text: '100%' }, [0]],
    ['text in the description', { text: 'SECOND_' }, [1]],
    ['text that only a pattern would match', { text: 'secondxone' }, []],
    ['empty text', { text: '' }, [3, 2, 1, 0]],
    ['top level', { topLevel: true }, [3, 2, 1, 0]],
    ['a time to come', { createdFrom: new Date(Date.now() + 60_000) }, []],
    ['a time gone by', { createdTo: new Date(Date.now() - 60_000) }, []],
    ['the whole of time', { createdFrom: new Date(0), createdTo: new Date(8.64e15) }, [3, 2, 1, 0]],
  ])('is narrowed by %s', async (_what, filter, expected) => {
    expect(await listed(filter, all)).toEqual(expected);
  });
});

describe('one task', () => {
  it('is found by its id in any letter case, and by the beginning of it', async () => {
    const [id = ''] = ids;
    expect((await engine.tasks.get(id.toUpperCase())).id).toBe(id);
    expect((await engine.tasks.get(id.slice(0, 24))).id).toBe(id);
  });

  it('is not found by a beginning that several share', async () => {
    await expect(engine.tasks.get(ids[0]!.slice(0, 6))).rejects.toMatchObject({
      kind: 'conflict',
      code: 'ambiguous_task_id',
    });
  });

  it.each([['ffffffff'], ['ffffffff-ffff-7fff-8fff-ffffffffffff']])(
    'that does not exist (%s) is said not to',
    async (id) => {
      await expect(engine.tasks.get(id)).rejects.toMatchObject({ kind: 'not-found', code: 'task_not_found' });
    },
  );

  it.each([['x'], [''], ['012'], ["'; DROP TABLE live_tasks; --"], ['0'.repeat(40)]])(
    'is not named by %p',
    async (id) => {
      await expect(engine.tasks.get(id)).rejects.toMatchObject({ kind: 'invalid', code: 'invalid_task_id' });
    },
  );

  it('has its history in pages', async () => {
    const id = ids[3] ?? '';
    const [first] = await engine.tasks.events(id, { limit: 1 });
    const rest = await engine.tasks.events(id, { limit: 10, after: first?.id });
    expect([first, ...rest].map((event) => event?.reason)).toEqual(['enqueued', 'cancelled']);
  });
});
