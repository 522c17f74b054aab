import { setTimeout as sleep } from 'node:timers/promises';
import { answer } from '../harness/child-process.mjs';
import { holdSnapshot } from '../harness/postgres.mjs';
import { treeCpuSeconds } from '../harness/processes.mjs';
import { percentile } from '../harness/statistics.mjs';
import { withResolvers } from '../harness/with-resolvers.mjs';
import { DrainCrew } from './drain-crew.mjs';

answer(async ({ module, measurement, processes, waves, count, samples, warmUp, connection, serverPids }) => {
  const { open } = await import(module);
  const contender = await open({ connection, purpose: measurement === 'latency' ? 'latency' : 'throughput' });
  const figures = await measure();
  await contender.close();
  return { about: contender.about, figures };

  function measure() {
    if (measurement === 'latency') return latency(contender, samples);
    if (measurement === 'processes') {
      return together(contender, { processes, job: { module, connection }, count, warmUp, serverPids });
    }
    const load = { count, warmUp, serverPids };
    if (measurement === 'old-snapshot') return besideOldSnapshot(contender, { waves, url: connection.url, load });
    return throughput(contender, { ...load, analyzed: measurement === 'analyzed' });
  }
});

/** Drained by several processes at once; this one only fills the queue. */
async function together(contender, { processes, job, count, warmUp, serverPids }) {
  const crew = await DrainCrew.open(processes, job);
  const drainAll = async (tasks) => {
    await crew.drain(tasks);
    while (await contender.anyLeft()) await sleep(2);
  };
  await contender.enqueue(warmUp * processes);
  await drainAll(warmUp * processes);
  await crew.stop();
  await contender.enqueue(count);
  await contender.analyze();
  const drained = await measured(serverPids, () => drainAll(count));
  crew.close();
  return { drainPerSecond: count / drained.seconds, drainCpuMicrosPerTask: (drained.cpuSeconds * 1e6) / count };
}

/**
 * The last of several waves while somebody holds a snapshot from before the first, as a dump does, or a transaction that was
 * forgotten: PostgreSQL may remove nothing of what the waves leave behind.
 */
async function besideOldSnapshot(contender, { waves, url, load }) {
  const holder = await holdSnapshot(url);
  let last;
  for (let wave = 0; wave < waves; wave++) last = await throughput(contender, { ...load, analyzed: true });
  await holder.end();
  return last;
}

async function throughput(contender, { count, warmUp, serverPids, analyzed }) {
  await contender.enqueue(warmUp);
  await drain(contender, warmUp);
  await contender.stop();
  const enqueue = await measured(serverPids, () => contender.enqueue(count));
  if (analyzed) await contender.analyze();
  const drained = await measured(serverPids, () => drain(contender, count));
  await contender.stop();
  return {
    enqueuePerSecond: count / enqueue.seconds,
    enqueueCpuMicrosPerTask: (enqueue.cpuSeconds * 1e6) / count,
    drainPerSecond: count / drained.seconds,
    drainCpuMicrosPerTask: (drained.cpuSeconds * 1e6) / count,
  };
}

/** From the start of the worker until the store knows nothing unfinished: not merely until the last handler ran. */
async function drain(contender, count) {
  let done = 0;
  const { promise, resolve } = withResolvers();
  await contender.start((tasks) => {
    done += tasks;
    if (done >= count) resolve();
  });
  await promise;
  while (await contender.anyLeft()) await sleep(2);
  if (done !== count) throw new Error(`${done} tasks ran, ${count} were enqueued`);
}

/** Single tasks on an idle queue, from before the call that enqueues until the handler's first line. */
async function latency(contender, samples) {
  const warmUp = 50;
  const latenciesMs = [];
  let started;
  await contender.start(() => started());
  await sleep(1_500); // pollers settle, listeners listen
  for (let id = 0; id < samples + warmUp; id++) {
    await sleep(3 + Math.random() * 12); // never in step with anyone's polling
    const { promise, resolve } = withResolvers();
    started = resolve;
    const from = performance.now();
    const ran = promise.then(() => performance.now() - from);
    await contender.enqueueOne(id);
    latenciesMs.push(await ran);
  }
  await contender.stop();
  const counted = latenciesMs.slice(warmUp);
  return { p50Ms: percentile(counted, 50), p99Ms: percentile(counted, 99) };
}

/** Wall-clock seconds, and CPU seconds of this process (with its children) and of the servers (with theirs). */
async function measured(serverPids, work) {
  const before = { cpu: await cpuSeconds(serverPids), at: performance.now() };
  await work();
  const seconds = (performance.now() - before.at) / 1_000;
  return { seconds, cpuSeconds: (await cpuSeconds(serverPids)) - before.cpu };
}

/** Waits first: what a server process that is just ending has used is for a moment found nowhere. */
async function cpuSeconds(serverPids) {
  await sleep(50);
  return [process.pid, ...serverPids].reduce((sum, pid) => sum + treeCpuSeconds(pid), 0);
}
