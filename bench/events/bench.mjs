import { setTimeout as sleep } from 'node:timers/promises';
import { open } from '../engine/ours.mjs';
import { startPostgres } from '../harness/postgres.mjs';
import { treeCpuSeconds, treeRssBytes } from '../harness/processes.mjs';
import { result } from '../harness/report.mjs';
import { steadyLoad } from './load.mjs';
import { Remote } from './remote.mjs';
import { startServer } from './server.mjs';

export const title = 'event streams and webhooks under a steady load, and beside a client that stops reading';

/** Later than this is not "as it happens" any more. */
const LAG_LIMIT_MS = 1_000;
const PATIENCE_MS = 30_000;

export async function run({ quick, log }) {
  const load = quick
    ? { clients: 50, seconds: 4, eventsPerSecond: 300 }
    : { clients: 500, seconds: 30, eventsPerSecond: 1_000 };
  const postgres = await startPostgres();
  const url = await postgres.freshDatabase('events');
  const server = await startServer(url);
  const engine = await open({ connection: { url } });
  await engine.start(() => undefined);
  const parts = { engine, url, server, log, load };
  try {
    const alone = await streams(parts, 'streams', {});
    const beside = await streams(parts, 'streams beside one that stops reading', { withSlow: true });
    return {
      results: [
        figure('sse-delivered', { unit: 'of all', better: 'more', ours: alone.delivered, peers: { all: 1 } }),
        figure('sse-lag-p50', { ours: alone.p50Ms, peers: { limit: LAG_LIMIT_MS } }),
        figure('sse-lag-p99', { ours: alone.p99Ms, peers: { limit: LAG_LIMIT_MS } }),
        figure('slow-client', { ours: beside.p99Ms, peers: { without: alone.p99Ms } }),
        figure('slow-client-memory', { unit: 'MB', ours: beside.peakMb, peers: { without: alone.peakMb } }),
      ],
      machine: { postgres: postgres.version, ...load, alone, beside },
    };
  } finally {
    await engine.close();
  }
}

const figure = (name, figures) => result({ name, unit: 'ms', better: 'less', ...figures });

/** The load, and clients that all follow all of it, in a process of their own. */
async function streams({ server, log, load, ...parts }, what, { withSlow = false }) {
  log(`${what}: ${load.clients} clients, ${load.eventsPerSecond} events/s for ${load.seconds} s`);
  const clients = new Remote('clients.mjs');
  await clients.tell('open', { count: load.clients, withSlow, port: server.port, token: server.token });
  const memory = watchMemory(server.pid);
  const cpuBefore = treeCpuSeconds(server.pid);
  const told = await steadyLoad({ ...parts, ...load });
  const cpuSeconds = treeCpuSeconds(server.pid) - cpuBefore;
  const outcome = await untilComplete(clients, told, load.clients);
  const peakMb = memory.stop();
  await clients.tell('close');
  const serverCpuPercent = Math.round((100 * cpuSeconds) / load.seconds);
  return { ...outcome, eventsPerSecond: Math.round(told.perSecond), serverCpuPercent, peakMb };
}

async function untilComplete(clients, told, count) {
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(200)) {
    const outcome = await clients.tell('report', told);
    if (outcome.complete === count || Date.now() > deadline) return outcome;
  }
}

function watchMemory(pid) {
  let peak = 0;
  const look = () => (peak = Math.max(peak, treeRssBytes(pid)));
  const timer = setInterval(look, 500);
  return {
    stop() {
      look();
      clearInterval(timer);
      return Math.round(peak / 2 ** 20);
    },
  };
}
