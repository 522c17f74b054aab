import { fanOut } from '../../../src/tasks/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { ACTOR, Engine, part, Script, split, splitOnly, work } from '../../support/engine-harness.js';
import { wrongCounters } from '../../support/fan-outs.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import { wrongMoves } from './invariants.js';

/** How much happens at once, and how often. OPERATIONS in the environment makes it a longer search. */
const PEOPLE = 8;
const OPERATIONS = Number(process.env.OPERATIONS ?? 60);
const WORKERS = 3;

let database: TestDatabase;
let proxy: FaultProxy;
let asker: Engine;
const workers: Engine[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await FaultProxy.before(database.url);
  asker = await Engine.open(database.url);
});

afterAll(async () => {
  await Promise.all([asker, ...workers].map((engine) => engine.close()));
  await proxy.close();
  await database.drop();
});

const chance = (share: number): boolean => Math.random() < share;

/** Handlers that do a bit of everything. */
function aFickleScript(): Script {
  const fickle = (): void => {
    if (chance(0.15)) throw new Error('try again');
    if (chance(0.1)) throw Object.assign(new Error('never'), { status: 400 });
  };
  const batches = (count: number) => Array.from({ length: count }, (_, n) => ({ input: { n } }));
  return new Script()
    .when(work, async (_input, context) => {
      context.progress(1, 2);
      if (chance(0.2)) await context.saveCheckpoint('half');
      fickle();
      if (chance(0.1)) context.enqueue(part, {});
      if (chance(0.1)) context.onSettle(() => Promise.resolve());
    })
    .when(part, (_input, context) => {
      context.progress(1, 3);
      fickle();
    })
    .when(splitOnly, () => fanOut(part, batches(1 + Math.floor(Math.random() * 5))))
    .when(split, {
      run: () => fanOut(chance(0.5) ? splitOnly : part, batches(Math.floor(Math.random() * 4))),
      afterChildren: () => {
        fickle();
        return chance(0.2) ? fanOut(part, batches(2)) : 'joined';
      },
    });
}

/** What people do, at the worst moments. */
async function oneOperation(ids: string[]): Promise<void> {
  const any = ids[Math.floor(Math.random() * ids.length)];
  const dice = Math.random();
  if (any === undefined || dice < 0.35) {
    const task = [work, split, splitOnly][Math.floor(Math.random() * 3)] ?? work;
    ids.push(await asker.enqueue(task, {}, { runImmediately: !chance(0.1) }));
    return;
  }
  const [child] = await asker.tasks.list({ parentId: any }, { limit: 1 });
  const id = child && chance(0.5) ? child.id : any;
  if (dice < 0.55) await asker.tasks.cancel(id, ACTOR);
  else if (dice < 0.75) await asker.tasks.retry(id, ACTOR);
  else if (dice < 0.9) await asker.tasks.retryFailedBatches(id, ACTOR);
  else await asker.tasks.run(id, ACTOR);
}

describe('when everything happens at once', () => {
  it(
    'nothing is lost, doubled or stuck, and every counter is right',
    async () => {
      const script = aFickleScript();
      for (let n = 0; n < WORKERS; n += 1) {
        const engine = await Engine.open(n === 0 ? proxy.url : database.url, script);
        workers.push(await engine.work({ concurrency: { default: 10 }, leaseMs: 2_000, renewMs: 200, pollMs: 200 }));
      }
      const ids: string[] = [];
      const refusals: unknown[] = [];
      const chaos = setInterval(() => {
        if (chance(0.3)) proxy.cut();
        if (chance(0.2))
          void asker.database.query('DELETE FROM task_workers WHERE id IN (SELECT id FROM task_workers LIMIT 1)');
      }, 100);
      const people = Array.from({ length: PEOPLE }, async () => {
        for (let n = 0; n < OPERATIONS; n += 1) {
          await oneOperation(ids).catch((error: unknown) => refusals.push(error));
        }
      });
      await Promise.all(people).finally(() => {
        clearInterval(chaos);
      });
      for (const { id } of await asker.tasks.list({ statuses: ['created'] }, { limit: 1_000 }))
        await asker.tasks.run(id, ACTOR);

      await waitFor('all tasks to end', async () => (await asker.count('live_tasks')) === 0, {
        timeoutMs: 60_000,
      }).catch(async (error: unknown) => {
        const left = await asker.database.query(
          'SELECT id, type, status, ready, waiting, worker_id, attempt, parent_id, run_at FROM live_tasks LIMIT 10',
        );
        throw new Error(`${String(error)}; left: ${JSON.stringify(left)}`, { cause: error });
      });

      // People are only ever refused for good reasons.
      const codes = new Set(refusals.map((error) => (error as { code?: string }).code ?? String(error)));
      expect([...codes].filter((code) => !['nothing_to_retry', 'child_of_finished_parent'].includes(code))).toEqual([]);
      expect(await wrongCounters(asker)).toEqual([]);
      expect(await wrongMoves(asker)).toEqual([]);
      expect(await asker.count('live_tasks l JOIN finished_tasks f ON f.id = l.id')).toBe(0);
      expect(await asker.count('finished_tasks')).toBeGreaterThan(ids.length);
    },
    120_000 + OPERATIONS * 1_000,
  );
});
