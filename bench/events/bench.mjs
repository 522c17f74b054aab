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
/** A process looks every second for new webhooks, and takes fifty at once. */
const TAKEN_WITHIN_MS = 4_000;

export async function run({ quick, log }) {
  const load = quick
    ? { clients: 50, webhooks: 10, seconds: 4, eventsPerSecond: 300 }
    : { clients: 500, webhooks: 100, seconds: 30, eventsPerSecond: 1_000 };
  const postgres = await startPostgres();
  const alone = await withServer(postgres, 'alone', (parts) => streams({ ...parts, log, load }, 'streams', {}));
  const sent = await withServer(postgres, 'sent', (parts) => webhooks({ ...parts, log, load }));
  const slow = await withServer(postgres, 'slow', (parts) =>
    streams({ ...parts, log, load }, 'streams beside one that stops reading', { withSlow: true }),
  );
  return {
    results: [
      figure('sse-delivered', { unit: 'of all', better: 'more', ours: alone.delivered, peers: { all: 1 } }),
      figure('sse-lag-p50', { ours: alone.p50Ms, peers: { limit: LAG_LIMIT_MS } }),
      figure('sse-lag-p99', { ours: alone.p99Ms, peers: { limit: LAG_LIMIT_MS } }),
      figure('webhook-delivered', { unit: 'of all', better: 'more', ours: sent.delivered, peers: { all: 1 } }),
      figure('webhook-lag-p50', { ours: sent.p50Ms, peers: { limit: LAG_LIMIT_MS } }),
      figure('webhook-lag-p99', { ours: sent.p99Ms, peers: { limit: LAG_LIMIT_MS } }),
      figure('slow-client', { ours: slow.p99Ms, peers: { without: alone.p99Ms } }),
      figure('slow-client-memory', { unit: 'MB', ours: slow.peakMb, peers: { without: alone.peakMb } }),
    ],
    machine: { postgres: postgres.version, ...load, alone, sent, slow },
  };
}

/** A part of the benchmark has a database and a server of its own: what another left in its memory is not counted. */
async function withServer(postgres, name, part) {
  const url = await postgres.freshDatabase(name);
  const server = await startServer(url);
  const engine = await open({ connection: { url } });
  try {
    await engine.start(() => undefined);
    return await part({ engine, url, server });
  } finally {
    await engine.close();
    await server.stop();
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

/** The same load, and receivers that take all of it at once, in a process of their own. */
async function webhooks({ server, log, load, ...parts }) {
  log(`webhooks: ${load.webhooks}, ${load.eventsPerSecond} events/s for ${load.seconds} s`);
  const receivers = new Remote('receivers.mjs');
  const port = await receivers.tell('open', { count: load.webhooks });
  const made = [];
  for (let i = 0; i < load.webhooks; i += 1) {
    const url = `http://127.0.0.1:${port}/${i}`;
    made.push(await server.request('POST', '/webhooks', { name: `bench ${i}`, url }));
  }
  await sleep(TAKEN_WITHIN_MS);
  const cpuBefore = treeCpuSeconds(server.pid);
  const told = await steadyLoad({ ...parts, ...load });
  const cpuSeconds = treeCpuSeconds(server.pid) - cpuBefore;
  const outcome = await untilComplete(receivers, told, load.webhooks);
  for (const { id } of made) await server.request('DELETE', `/webhooks/${id}`);
  await receivers.tell('close');
  const serverCpuPercent = Math.round((100 * cpuSeconds) / load.seconds);
  return { ...outcome, eventsPerSecond: Math.round(told.perSecond), serverCpuPercent };
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
