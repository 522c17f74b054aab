import { defineEvent, DomainEvents, eventListeners, on } from '../../../src/tasks/index.js';
import { elsewhere, Engine, Script, unique, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const orderPlaced = defineEvent<{ readonly ids: readonly number[]; readonly fail?: boolean }>('order.placed');
const nobodyCares = defineEvent<{ readonly id: number }>('order.seen');

const packEach = on(orderPlaced, 'pack each', async ({ ids }, { enqueueMany }) => {
  await enqueueMany(
    work,
    ids.map((n) => ({ n })),
  );
});
const callCourier = on(orderPlaced, 'call a courier', async ({ ids, fail }, { enqueue, tx }) => {
  await enqueue(unique, { key: 'courier' });
  await enqueue(elsewhere, { n: ids.length }, { runAt: new Date(Date.now() + 3_600_000) });
  await tx.query(`INSERT INTO task_archives (name, removed_by, tasks, size_bytes, checksum)
    VALUES ($1, gen_random_uuid(), 0, 0, sha256(''))`, [`courier ${String(ids[0])}`]); // prettier-ignore
  if (fail) throw new Error('no courier today');
});

let database: TestDatabase;
let engine: Engine;
let events: DomainEvents;

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url, new Script(), { providers: eventListeners(packEach, callCourier) });
  events = engine.app.get(DomainEvents, { strict: false });
});
afterEach(() => engine.database.query('TRUNCATE live_tasks, task_events, task_archives'));
afterAll(async () => {
  await engine.close();
  await database.drop();
});

const tasks = async (): Promise<string[]> => {
  const rows = await engine.database.query<{ type: string; requested_by: string }>(
    'SELECT type, requested_by FROM tasks ORDER BY id',
  );
  return rows.map(({ type, requested_by: by }) => `${type} by ${by}`);
};

const place = (payload: { ids: number[]; fail?: boolean }, afterwards?: () => void): Promise<void> =>
  engine.database.transaction(async (tx) => {
    await events.emit(orderPlaced, payload, { tx, actor: 'token:shop' });
    afterwards?.();
  });

describe('a domain event', () => {
  it('adds the tasks of its listeners, in the transaction in which it happens', async () => {
    await engine.database.transaction(async (tx) => {
      await events.emit(orderPlaced, { ids: [1, 2, 3] }, { tx, actor: 'token:shop' });
      expect(await tasks()).toEqual([]); // nobody sees them yet
    });
    expect(await tasks()).toEqual([
      ...Array.from({ length: 3 }, () => 'test.work by token:shop'),
      'test.unique by token:shop',
      'test.elsewhere by token:shop',
    ]);
    expect(await engine.count('task_archives')).toBe(1);
  });

  it('adds nothing when that is rolled back', async () => {
    const fail = (): never => {
      throw new Error('changed my mind');
    };
    await expect(place({ ids: [1] }, fail)).rejects.toThrow('changed my mind');
    expect([await tasks(), await engine.count('task_archives')]).toEqual([[], 0]);
  });

  it('does not happen when a listener fails, nor half of it', async () => {
    await expect(place({ ids: [1, 2], fail: true })).rejects.toThrow('no courier today');
    expect([await tasks(), await engine.count('task_archives')]).toEqual([[], 0]);
  });

  it('joins the unfinished task of a dedup key instead of adding another', async () => {
    await place({ ids: [1] });
    await place({ ids: [2] });
    expect((await tasks()).filter((task) => task.startsWith('test.unique'))).toHaveLength(1);
  });

  it('may happen without anybody listening', async () => {
    await engine.database.transaction((tx) => events.emit(nobodyCares, { id: 1 }, { tx, actor: 'test' }));
    expect(await tasks()).toEqual([]);
  });

  it('has a name of two words, and listeners of different names', async () => {
    expect(() => defineEvent('Order placed')).toThrow(/two lower-case words/);
    const again = on(orderPlaced, 'pack each', () => Promise.resolve());
    const providers = [...eventListeners(packEach), { provide: 'another', useValue: again }];
    await expect(Engine.open(database.url, new Script(), { providers })).rejects.toThrow(/two listeners "pack each"/);
  });
});
