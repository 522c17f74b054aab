import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from '../harness/clean-up.mjs';
import { query } from '../harness/postgres.mjs';
import { seededRandom } from '../harness/random.mjs';
import { readRows, recoveries, violations } from './check.mjs';
import { fakeTimeEnvironment } from './faults/clock-jump.mjs';
import { FAULTS } from './faults/index.mjs';
import { Load } from './load.mjs';
import { Member } from './member.mjs';
import { planFaults } from './plan.mjs';
import { Server } from './server.mjs';

const WORKERS = 3;
/** More at once, and there would be nobody left to take over. */
const MOST_BUSY = WORKERS - 1;
/** What is still at work once all is well again gets this long. */
const FINISH_MS = 180_000;

/**
 * A steady load on three workers, and faults, one after the other. Then everything is mended, the work finished, and the
 * rows judged.
 *
 * @param {{ count: number, seed: number, log: (line: string) => void }} options
 */
export async function chaos({ count, seed, log }) {
  const random = seededRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'photosafe-chaos-'));
  const server = await Server.startMigrated();
  await query(server.url(), 'CREATE TABLE chaos_effects (task_id uuid NOT NULL, fence int NOT NULL)');
  const members = [];
  for (let number = 1; number <= WORKERS; number += 1)
    members.push(await member(`worker-${number}`, { server, folder }));
  atEnd(() => Promise.all(members.map((one) => one.stop())));
  const load = await Load.start(server.url(), seededRandom(seed + 1));
  atEnd(() => load.close());

  const skipped = Object.fromEntries(
    FAULTS.flatMap(({ name, missing }) => (missing?.({ server }) ? [[name, missing({ server })]] : [])),
  );
  for (const [name, why] of Object.entries(skipped)) log(`skipped: ${name}: ${why}`);
  const faults = FAULTS.filter(({ name }) => !(name in skipped));
  await sleep(5_000); // the workers have begun
  const struck = await strikeAll(planFaults({ faults, count, members: WORKERS, random }), { members, server, log });

  log('mended; finishing');
  await load.stop();
  await untilDone(server);
  const rows = await readRows((text) => query(server.url(), text));
  const wrong = violations(rows, load.acknowledged);
  const outcome = {
    folder,
    skipped,
    tasks: rows.finished.length,
    acknowledged: load.acknowledged.tasks.length + load.acknowledged.workflows.length,
    effects: rows.effects.length,
    faults: countByKind(struck),
    violations: wrong,
    recoveriesMs: recoveries(rows, struck),
  };
  if (Object.values(wrong).every((list) => list.length === 0)) await rm(folder, { recursive: true, force: true });
  else
    await writeFile(
      join(folder, 'rows.json'),
      JSON.stringify({ rows, struck, acknowledged: load.acknowledged, wrong }),
    );
  return outcome;
}

async function member(name, { server, folder }) {
  const clock = join(folder, `${name}.clock`);
  await writeFile(clock, '+0');
  const env = (port) => ({
    ...process.env,
    NODE_OPTIONS: '',
    NODE_ENV: 'production',
    DATABASE_URL: server.url(port),
    ...fakeTimeEnvironment(clock),
  });
  const one = await Member.start(name, { port: server.port, env, logFile: join(folder, `${name}.log`) });
  return Object.assign(one, { clock });
}

/** Faults of a worker go on while others begin; those of the database are waited for. */
async function strikeAll(plan, { members, server, log }) {
  const struck = [];
  const going = new Set();
  const busy = () => members.filter((one) => one.busy).length;
  for (const [number, { fault, afterMs, member: index, seed }] of plan.entries()) {
    await sleep(afterMs);
    while (busy() >= MOST_BUSY) await sleep(50);
    const free = [...members.slice(index), ...members.slice(0, index)].find((one) => !one.busy);
    const { everybody = false } = fault;
    log(`${number + 1} of ${plan.length}: ${fault.name} ${everybody ? '' : free.name}`);
    if (!everybody) free.busy = true;
    const strike = fault
      .strike({ member: free, server, random: seededRandom(seed) })
      .then((what) => void struck.push({ kind: fault.name, ...what }))
      .finally(() => {
        if (!everybody) free.busy = false;
        going.delete(strike);
      });
    going.add(strike);
    if (everybody) await strike;
  }
  await Promise.all(going);
  return struck;
}

async function untilDone(server) {
  for (const deadline = Date.now() + FINISH_MS; Date.now() < deadline; await sleep(500)) {
    const [{ left }] = await query(server.url(), 'SELECT count(*)::int AS left FROM live_tasks').catch(() => [
      { left: 1 },
    ]);
    if (left === 0) return;
  }
}

function countByKind(struck) {
  const counts = {};
  for (const { kind } of struck) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
