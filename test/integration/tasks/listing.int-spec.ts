import type { Task } from '../../../src/tasks/index.js';
import type { TaskFilter } from '../../../src/tasks/listing/task-filter.js';
import { TaskLister, type TaskPage } from '../../../src/tasks/listing/task-lister.js';
import { AppError } from '../../../src/platform/errors/app-error.js';
import { ACTOR, elsewhere, Engine, once, Script, splitOnly, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { fanOut, PermanentError } from '../../../src/tasks/index.js';

let database: TestDatabase;
let engine: Engine;
let lister: TaskLister;
/** Everything there is, newest first. */
let all: readonly Task[];

/** Two types that the index of kinds has in one place. */
const SAME_HASH = ['type_23217', 'type_73423'];

/** Tasks in every state, of several types and queues, mixed as they come. */
beforeAll(async () => {
  database = await createTestDatabase();
  const script = new Script()
    .when(once, ({ n = 0 }) => {
      if (n % 3 === 0) throw new PermanentError('three', 'divided by three');
    })
    .when(splitOnly, () => fanOut(work, [{ input: { n: 1 } }, { input: { n: 2 } }]));
  const worker = await (await Engine.open(database.url, script)).work();
  const ended = [await worker.enqueue(splitOnly)];
  for (let n = 0; n < 12; n += 1) ended.push(await worker.enqueue(n % 2 ? once : elsewhere, { n }));
  for (const id of ended) await worker.finished(id);
  for (const [place, type] of SAME_HASH.entries()) {
    await worker.database.query('UPDATE finished_tasks SET type = $2 WHERE id = $1', [ended.at(-1 - place), type]);
  }
  await worker.close();

  engine = await Engine.open(database.url);
  for (let n = 0; n < 12; n += 1) {
    const task = [work, once, elsewhere][n % 3] ?? work;
    const id = await engine.enqueue(task, { n }, { runImmediately: n % 4 > 0, description: `Number ${String(n)}` });
    if (n % 5 === 0) await engine.tasks.cancel(id, ACTOR);
  }
  lister = engine.app.get(TaskLister);
  all = await engine.tasks.list({}, { limit: 1_000 });
}, 60_000);

afterAll(async () => {
  await engine.close();
  await database.drop();
});

const filters: TaskFilter[] = [
  {},
  { statuses: ['completed'] },
  { statuses: ['failed', 'cancelled'] },
  { statuses: ['created', 'queued', 'running'] },
  { statuses: ['created', 'failed'] },
  { statuses: ['running'] },
  { types: ['TEST.once'] },
  { types: ['test.once', 'test.elsewhere'], statuses: ['cancelled', 'queued', 'failed'] },
  { types: ['no.such'] },
  ...SAME_HASH.map((type) => ({ types: [type] })),
  { types: SAME_HASH },
  { types: ['test.once', 'no.such', 'TEST.once', 'no.such'] },
  { queue: 'other' },
  { queue: 'other', statuses: ['completed'] },
  { topLevel: true },
  { text: 'number 1' },
  { text: 'number 1', types: ['test.work', 'test.once'] },
];

const admits = ({ statuses, types, queue, topLevel, text }: TaskFilter, task: Task): boolean =>
  (statuses?.includes(task.status) ?? true) &&
  (types?.some((type) => type.toLowerCase() === task.type) ?? true) &&
  (queue === undefined || queue === task.queue) &&
  (!topLevel || task.parentId === null) &&
  (text === undefined || `${task.name}\n${task.description ?? ''}`.toLowerCase().includes(text));

const expected = (filter: TaskFilter): string[] => all.filter((task) => admits(filter, task)).map(({ id }) => id);

/** Every page to the last, however many of them are short. */
async function walk(filter: TaskFilter, limit: number, { by = lister, from }: { by?: TaskLister; from?: string } = {}) {
  const ids: string[] = [];
  for (let pages = 1, after = from; ; pages += 1) {
    const page = await by.page(filter, { limit, after });
    expect(page.tasks.length).toBeLessThanOrEqual(limit);
    ids.push(...page.tasks.map(({ id }) => id));
    if (page.after === null) return { ids, pages };
    after = page.after;
  }
}

describe.each([1, 2, 5, 1_000])('a page that looks at %i rows of an index', (rows) => {
  beforeAll(() => {
    lister.look = { rows, rowsWithText: Math.ceil(rows / 2) };
  });

  it.each(filters)('comes to everything once, newest first: %j', async (filter) => {
    for (const limit of [1, 3, 100]) expect((await walk(filter, limit)).ids).toEqual(expected(filter));
    const [first, ...rest] = expected(filter);
    const listed = await lister.list(filter, { limit: 3 });
    expect(listed.map(({ id }) => id)).toEqual([first, ...rest].slice(0, 3).filter((id) => id !== undefined));
  });

  it.each(filters)('begins at an offset with what stands there, or refuses it: %j', async (filter) => {
    const ids = expected(filter);
    for (const offset of [1, 2, 7]) {
      const page = await lister.page(filter, { limit: 3, offset }).catch((error: unknown) => error);
      if (page instanceof AppError) {
        expect(page).toMatchObject({ kind: 'invalid', fields: [{ path: 'offset', value: offset }] });
        expect(rows).toBeLessThan(1_000);
        continue;
      }
      const { tasks, after } = page as TaskPage;
      const rest = after === null ? [] : (await walk(filter, 3, { from: after })).ids;
      expect([...tasks.map(({ id }) => id), ...rest]).toEqual(ids.slice(offset));
      expect(tasks.length > 0 || ids.length <= offset).toBe(true); // who goes by offsets takes it for the end
    }
  });

  it.each(filters)('tells how many there are, or at least says that it does not know: %j', async (filter) => {
    const { total, totalIsEstimate } = await lister.page(filter, { limit: 2 });
    const count = expected(filter).length;
    if (rows === 1_000) expect({ total, totalIsEstimate }).toEqual({ total: count, totalIsEstimate: false });
    else expect(totalIsEstimate === true || total === count).toBe(true);
  });
});

it('an offset stands beside no cursor', async () => {
  const refused = lister.page({}, { limit: 3, offset: 1, after: all[0]?.id });
  await expect(refused).rejects.toMatchObject({ kind: 'invalid', fields: [{ path: 'offset' }] });
  expect(await lister.page({}, { limit: 1, offset: 0, after: all[0]?.id })).toMatchObject({
    tasks: [{ id: all[1]?.id }],
  });
});

describe('the batches of a task', () => {
  it('are listed in pages as well', async () => {
    lister.look = { rows: 1, rowsWithText: 1 };
    const parent = all.find(({ type }) => type === splitOnly.name);
    const batches = all.filter(({ parentId }) => parentId !== null).map(({ id }) => id);
    expect(batches).toHaveLength(2);
    expect((await walk({ parentId: parent?.id }, 1)).ids).toEqual(batches);
  });
});

describe('pages that are leafed through while tasks start and end', () => {
  it('have each task once, whichever state it is met in', async () => {
    const mine = await createTestDatabase();
    const busy = await Engine.open(mine.url);
    const leafing = busy.app.get(TaskLister);
    leafing.look = { rows: 7, rowsWithText: 7 };
    const ids: string[] = [];
    for (let n = 0; n < 200; n += 1) ids.push(await busy.enqueue(n % 2 ? work : elsewhere, { n }));
    await busy.work();
    const isBusy = async (): Promise<boolean> => (await busy.count('live_tasks')) > 0;
    for (let round = 0; round === 0 || (await isBusy()); round += 1) {
      for (const filter of [{}, { types: [work.name, elsewhere.name] }, { topLevel: true }]) {
        expect((await walk(filter, 9, { by: leafing })).ids).toEqual(ids.toReversed());
      }
    }
    await busy.close();
    await mine.drop();
  });
});
