import { inChildProcess } from '../harness/child-process.mjs';
import { query, startPostgres } from '../harness/postgres.mjs';
import { pairedResult, result } from '../harness/report.mjs';
import { percentile } from '../harness/statistics.mjs';
import { fill } from './fill.mjs';

export const title = 'drain, latency and list pages beside millions of finished, delayed and blocked tasks';

/** A page that takes longer is felt by whoever leafs through it. */
const pageLimitMs = 20;
/** Latency differs less from round to round than throughput does, and takes longer to measure: in one round of so many. */
const latencyEvery = 5;

/**
 * Two databases on one PostgreSQL, one of them with a history. The rounds alternate, each beginning with the other one, so
 * that a neighbour who is busy for a minute does not meet one of them only; the first round warms up and does not count.
 */
export async function run({ quick, log }) {
  const load = quick
    ? { count: 10_000, samples: 100, rounds: 1, warmUp: 5_000, pages: 20, backlog: 20_000 }
    : { count: 50_000, samples: 300, rounds: 15, warmUp: 5_000, pages: 200, backlog: 1_000_000 };
  const history = quick
    ? { finished: 100_000, delayed: 20_000, blocked: 2_000 }
    : { finished: 5_000_000, delayed: 1_000_000, blocked: 100_000 };
  const postgres = await startPostgres();
  const urls = {
    empty: await postgres.freshDatabase('bench_empty'),
    history: await postgres.freshDatabase('bench_history'),
  };
  const measure = (url, measurement, more = {}) =>
    inChildProcess(new URL('../engine/contender.mjs', import.meta.url), {
      module: './ours.mjs',
      measurement,
      ...{ ...load, ...more },
      connection: { url },
      serverPids: [postgres.pid],
    });

  // The first start migrates.
  for (const url of Object.values(urls)) await measure(url, 'latency', { samples: 1 });
  await fill(urls.history, history, log);
  log(`filled: ${JSON.stringify(history)}`);

  const runs = { empty: [], history: [] };
  const order = Object.entries(urls);
  for (let round = 0; round <= load.rounds; round++) {
    for (const [name, url] of order) {
      const { figures } = await measure(url, 'analyzed', round === 0 ? { count: load.warmUp } : {});
      if (round === 0) continue;
      const latency = round % latencyEvery === 1 ? (await measure(url, 'latency')).figures : {};
      runs[name].push({ ...figures, ...latency });
      log(`round ${round}/${load.rounds} ${name}: ${JSON.stringify(runs[name].at(-1))}`);
    }
    order.reverse();
  }
  const pages = await inChildProcess(new URL('./pages.mjs', import.meta.url), { url: urls.history, times: load.pages });
  for (const [name, times] of Object.entries(pages)) {
    log(`page ${name}: p50 ${percentile(times, 50).toFixed(1)} ms, p99 ${percentile(times, 99).toFixed(1)} ms`);
  }
  await measure(urls.empty, 'analyzed', { count: load.backlog });
  const after = await measure(urls.empty, 'latency');

  const beside = (name, figure, unit, better) => {
    const both = runs.history.map((round, n) => ({ ours: round[figure], peer: runs.empty[n][figure] }));
    const rounds = both.filter(({ ours }) => ours !== undefined);
    return pairedResult({ name, unit, better, peer: 'empty', rounds });
  };
  const latency = beside('latency-p50', 'p50Ms', 'ms', 'less');
  return {
    machine: {
      postgres: postgres.version,
      ...history,
      auditRows: await auditRows(urls.history),
      backlog: load.backlog,
    },
    results: [
      beside('drain', 'drainPerSecond', 'tasks/s', 'more'),
      beside('cpu-per-task', 'drainCpuMicrosPerTask', 'µs', 'less'),
      beside('enqueue', 'enqueuePerSecond', 'tasks/s', 'more'),
      latency,
      ...Object.entries(pages).map(([name, times]) =>
        result({
          name: `page-${name}-p99`,
          unit: 'ms',
          better: 'less',
          ours: percentile(times, 99),
          peers: { limit: pageLimitMs },
        }),
      ),
      result({
        name: 'latency-after-backlog',
        unit: 'ms',
        better: 'less',
        ours: after.figures.p50Ms,
        peers: { before: latency.peers.empty },
      }),
    ],
  };
}

async function auditRows(url) {
  const [{ rows }] = await query(url, 'SELECT (SELECT count(*) FROM task_events)::int AS rows');
  return rows;
}
