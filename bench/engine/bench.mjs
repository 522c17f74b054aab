import { startPostgres } from '../harness/postgres.mjs';
import { startRedis } from '../harness/redis.mjs';
import { result } from '../harness/report.mjs';
import { median } from '../harness/statistics.mjs';
import { inChildProcess } from '../harness/child-process.mjs';
import { contenders } from './contenders.mjs';

export const title = 'drain, bulk enqueue, latency and CPU per task beside graphile-worker, pg-boss and BullMQ';

/** What becomes of a run's figures: the median over the rounds of each. */
const figures = [
  { name: 'drain', unit: 'tasks/s', better: 'more', of: (run) => run.analyzed?.drainPerSecond },
  { name: 'drain-fresh', unit: 'tasks/s', better: 'more', of: (run) => run.fresh?.drainPerSecond },
  { name: 'drain-2-processes', unit: 'tasks/s', better: 'more', of: (run) => run['2 processes']?.drainPerSecond },
  { name: 'drain-4-processes', unit: 'tasks/s', better: 'more', of: (run) => run['4 processes']?.drainPerSecond },
  { name: 'drain-old-snapshot', unit: 'tasks/s', better: 'more', of: (run) => run['old snapshot']?.drainPerSecond },
  { name: 'enqueue', unit: 'tasks/s', better: 'more', of: (run) => run.analyzed?.enqueuePerSecond },
  { name: 'latency-p50', unit: 'ms', better: 'less', of: (run) => run.latency?.p50Ms },
  { name: 'latency-p99', unit: 'ms', better: 'less', of: (run) => run.latency?.p99Ms },
  { name: 'cpu-per-task', unit: 'µs', better: 'less', of: (run) => run.analyzed?.drainCpuMicrosPerTask },
];

const quickMeasurements = [{ name: 'analyzed' }, { name: 'latency' }];
const furtherMeasurements = [
  { name: 'fresh' },
  { name: '2 processes', measurement: 'processes', processes: 2 },
  { name: '4 processes', measurement: 'processes', processes: 4 },
  { name: 'old snapshot', measurement: 'old-snapshot', waves: 4, onlyOnPostgres: true },
];

/**
 * Every contender works on the same PostgreSQL (BullMQ on a Redis), in a process and a database of its own for each
 * measurement. The rounds interleave, each beginning with another contender, so that a neighbour who is busy for a
 * minute does not meet one of them only.
 *
 * `drain` and `cpu-per-task` are measured after an ANALYZE of the filled queue, for all alike: without statistics the
 * planner costs some contenders half their speed, which `drain-fresh` shows.
 */
export async function run({ quick, only, log }) {
  const load = quick
    ? { count: 20_000, samples: 100, rounds: 1, warmUp: 5_000 }
    : { count: 50_000, samples: 500, rounds: 5, warmUp: 5_000 };
  const measurements = quick ? quickMeasurements : [...quickMeasurements, ...furtherMeasurements];
  const chosen = contenders().filter(({ name }) => !only || only.includes(name));
  const postgres = await startPostgres();
  const about = Object.fromEntries(chosen.map(({ name, missing }) => [name, missing ? `skipped: ${missing}` : '']));
  const runs = Object.fromEntries(chosen.map(({ name }) => [name, []]));

  // A new server allocates its log and its memory as they are first used: whoever came first would pay for all.
  const [first] = chosen.filter(({ missing, needsRedis }) => !missing && !needsRedis);
  if (first) await measure(first, 'fresh', load, postgres).catch((error) => log(`warm-up: ${error.message}`));

  for (let round = 0; round < load.rounds; round++) {
    const order = chosen.map((_, place) => chosen[(place + round) % chosen.length]).filter(({ missing }) => !missing);
    for (const contender of order) {
      const figuresOfRound = {};
      for (const measurement of measurements) {
        if (measurement.onlyOnPostgres && !contender.onPostgres) continue;
        const outcome = await measure(contender, measurement, load, postgres).catch((error) => {
          if (contender.name === 'ours') throw error;
          about[contender.name] = `failed: ${error.message.split('\n', 1)[0]}`;
          log(`${contender.name} ${measurement.name}: ${error.message}`);
        });
        if (!outcome) continue;
        figuresOfRound[measurement.name] = outcome.figures;
        about[contender.name] = outcome.about;
        log(
          `round ${round + 1}/${load.rounds} ${contender.name} ${measurement.name}: ${JSON.stringify(outcome.figures)}`,
        );
      }
      runs[contender.name].push(figuresOfRound);
    }
  }
  const machine = { postgres: postgres.version, tasks: load.count, rounds: load.rounds, contenders: about };
  return { machine, results: figures.flatMap((figure) => summarise(figure, runs)) };
}

async function measure(contender, { name, measurement = name, processes, waves }, load, postgres) {
  const database = `bench_${contender.name.replaceAll('-', '_')}`;
  const url = await postgres.freshDatabase(database);
  const redis = contender.needsRedis ? await startRedis() : undefined;
  try {
    return await inChildProcess(new URL('./contender.mjs', import.meta.url), {
      module: contender.module,
      ...{ measurement, processes, waves },
      ...load,
      connection: { url, redis: redis?.connection },
      serverPids: [...(contender.onPostgres ? [postgres.pid] : []), ...(redis ? [redis.pid] : [])],
    });
  } finally {
    await redis?.stop();
    await postgres.dropDatabase(database);
  }
}

function summarise({ of, ...figure }, runs) {
  const measured = Object.entries(runs)
    .map(([name, rounds]) => [name, rounds.map(of).filter((value) => value !== undefined)])
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => [name, median(values)]);
  if (measured.length === 0) return [];
  const { ours, 'ours-redis': overRedis, ...peers } = Object.fromEntries(measured);
  return [
    result({ ...figure, ours, peers }),
    ...(overRedis === undefined
      ? []
      : [result({ ...figure, name: `${figure.name}-over-redis`, ours: overRedis, peers: {} })]),
  ];
}
