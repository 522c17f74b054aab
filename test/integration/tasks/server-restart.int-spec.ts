import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../../src/platform/database/embedded/embedded-postgres.js';
import { migrate } from '../../../src/platform/database/migrate.js';
import { ACTOR, deferred, Engine, once, Script, work } from '../../support/engine-harness.js';
import { waitFor } from '../../support/wait-for.js';

const SLOW = { timeoutMs: 60_000 };

let dataDir: string;
let server: EmbeddedPostgres;
let url: string;
const engines: Engine[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'photosafe-restart-'));
  server = new EmbeddedPostgres({
    dataDir,
    database: 'photosafe',
    settings: { fsync: 'off', shared_buffers: '16MB' },
  });
  url = await server.ensure();
  await migrate(url);
}, 120_000);

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

afterAll(async () => {
  await server.stop('immediate');
  await server.release();
  await rm(dataDir, { recursive: true, force: true });
});

async function anEngine(script?: Script): Promise<Engine> {
  const engine = await Engine.open(url, script);
  engines.push(engine);
  return engine;
}

/** Two workers with four running tasks each, which end when the gate opens. */
async function twoBusyWorkers(leaseMs: number) {
  const gate = deferred();
  const script = new Script().when(work, async ({ n }) => {
    await gate.promise;
    return n;
  });
  const asker = await anEngine();
  for (let n = 0; n < 2; n += 1) await (await anEngine(script)).work({ leaseMs, renewMs: 300, pollMs: 300 });
  const added = await asker.tasks.enqueueMany(
    work,
    Array.from({ length: 8 }, (_, n) => ({ n })),
    { actor: ACTOR },
  );
  await waitFor('all to run', async () => (await asker.count(`live_tasks WHERE status = 'running'`)) === 8, SLOW);
  return { asker, gate, ids: added.map(({ id }) => id) };
}

const workerIds = async (engine: Engine): Promise<string[]> =>
  (await engine.database.query<{ id: string }>('SELECT id FROM task_workers ORDER BY id')).map(({ id }) => id);

describe('a database server that is killed', () => {
  it('and comes back soon loses nothing, and nobody is taken for dead', async () => {
    const { asker, gate, ids } = await twoBusyWorkers(30_000);
    const before = await workerIds(asker);

    await server.stop('immediate');
    await server.ensure();
    await waitFor(
      'both to have renewed their leases',
      async () =>
        (await asker.count('task_workers WHERE seen_at > pg_postmaster_start_time() + $1::interval', ['3 seconds'])) ===
        2,
      SLOW,
    );

    expect(await workerIds(asker)).toEqual(before);
    gate.resolve();
    for (const [n, id] of ids.entries()) {
      expect(await asker.finished(id, SLOW)).toMatchObject({
        status: 'completed',
        result: n,
        attempt: 1,
        crashCount: 0,
      });
    }
    const next = await asker.enqueue(once, { n: 1 });
    expect(await asker.finished(next, SLOW)).toMatchObject({ status: 'completed' });
  });

  it('for longer than the leases loses nothing either', async () => {
    const { asker, gate, ids } = await twoBusyWorkers(1_500);
    const before = await workerIds(asker);
    await server.stop('immediate');
    gate.resolve(); // what ends now cannot be settled
    const gone = Date.now();
    await waitFor('the leases to have run out', () => Date.now() - gone > 2_500, SLOW);
    await server.ensure();

    for (const [n, id] of ids.entries()) {
      expect(await asker.finished(id, SLOW)).toMatchObject({ status: 'completed', result: n, attempt: 1 });
    }
    await waitFor(
      'two new workers',
      async () => {
        const after = await workerIds(asker);
        return after.length === 2 && after.every((id) => !before.includes(id));
      },
      SLOW,
    );
  });
});
