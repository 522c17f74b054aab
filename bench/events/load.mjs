import { setTimeout as sleep } from 'node:timers/promises';
import { query } from '../harness/postgres.mjs';

/** A task is queued, taken and completed. */
const EVENTS_A_TASK = 3;
const TICK_MS = 50;

/** Tasks that are worked on, at a steady rate. Gives what the audit trail says of them: how many events, and which. */
export async function steadyLoad({ engine, url, eventsPerSecond, seconds }) {
  const from = await lastRow(url);
  const startedAt = performance.now();
  let tasks = 0;
  for (let elapsedMs = 0; elapsedMs < seconds * 1_000; elapsedMs = performance.now() - startedAt) {
    const due = Math.round((eventsPerSecond / EVENTS_A_TASK) * ((elapsedMs + TICK_MS) / 1_000)) - tasks;
    if (due > 0) await engine.enqueue(due);
    tasks += Math.max(0, due);
    await sleep(Math.max(0, TICK_MS - ((performance.now() - startedAt) % TICK_MS)));
  }
  const tookSeconds = (performance.now() - startedAt) / 1_000;
  while (await engine.anyLeft()) await sleep(20);
  const [{ events, rows }] = await query(
    url,
    'SELECT count(*)::int AS events, sum(id)::float8 AS rows FROM task_history WHERE id > $1',
    [from],
  );
  return { events, rows, perSecond: events / tookSeconds };
}

export async function lastRow(url) {
  const [{ last }] = await query(
    url,
    `SELECT greatest((SELECT max(id) FROM task_events), (SELECT max(id) FROM task_event_batches), 0) AS last`,
  );
  return last;
}
