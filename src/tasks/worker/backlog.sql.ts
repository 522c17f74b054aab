import { laneRange } from '../queue/lanes.sql.js';

const READY = `status = 'queued' AND ready`;
const DELAYED = `status = 'queued' AND NOT ready AND crash_count = 0`;
const PAST = laneRange('')[1];
const QUEUE_OF = (lane: string): string => `split_part(${lane}, '!', 1)`;

/**
 * What waits and what runs, each counted up to $1, and how long the longest of these has been ready. Queues with ready
 * tasks are found by leaps over their lanes, a hundred at most. Indexes live_tasks_ready, live_tasks_running, live_tasks_delayed.
 */
export const BACKLOG = `
  WITH RECURSIVE queues AS (
    (SELECT ${QUEUE_OF('lane')} AS queue FROM live_tasks WHERE ${READY} ORDER BY lane LIMIT 1)
    UNION ALL
    SELECT (SELECT ${QUEUE_OF('t.lane')} FROM live_tasks t WHERE ${READY} AND t.lane >= q.queue || '${PAST}' ORDER BY t.lane LIMIT 1)
    FROM queues q WHERE q.queue IS NOT NULL
  )
  SELECT 'ready' AS what, q.queue, b.count, b.oldest_seconds
  FROM (SELECT queue FROM queues WHERE queue IS NOT NULL LIMIT 100) q CROSS JOIN LATERAL (
    SELECT count(*)::int AS count, extract(epoch FROM now() - min(queued_at))::float8 AS oldest_seconds
    FROM (SELECT queued_at FROM live_tasks WHERE lane >= q.queue AND lane < q.queue || '${PAST}' AND ${READY}
      ORDER BY lane, rank, id LIMIT $1) first) b
  UNION ALL
  SELECT 'running', NULL, count(*)::int, NULL
  FROM (SELECT 1 FROM live_tasks WHERE status = 'running' AND worker_id IS NOT NULL LIMIT $1) running
  UNION ALL
  SELECT 'delayed', NULL, count(*)::int, NULL
  FROM (SELECT 1 FROM live_tasks WHERE ${DELAYED} LIMIT $1) delayed`;

/** What the queues $1 hold, each counted up to $2, and the workers that serve them. Same indexes, and live_tasks_delayed_lanes. */
export const QUEUES = `
  SELECT q.name,
    (SELECT count(*)::int FROM (SELECT 1 FROM live_tasks WHERE lane >= q.name AND lane < q.name || '${PAST}' AND ${READY} LIMIT $2) listed) AS ready,
    (SELECT extract(epoch FROM now() - min(queued_at))::float8
      FROM (SELECT queued_at FROM live_tasks WHERE lane >= q.name AND lane < q.name || '${PAST}' AND ${READY}
        ORDER BY lane, rank, id LIMIT $2) first) AS "oldestSeconds",
    (SELECT count(*)::int FROM (SELECT 1 FROM live_tasks WHERE lane >= q.name AND lane < q.name || '${PAST}' AND ${DELAYED} ORDER BY lane LIMIT $2) listed) AS delayed,
    (SELECT count(*)::int FROM live_tasks WHERE status = 'running' AND worker_id IS NOT NULL AND queue = q.name) AS running,
    (SELECT count(*)::int FROM task_workers w WHERE coalesce((w.queues ->> q.name)::int, 0) > 0 AND NOT w.isolated AND w.lease_expires_at > now()) AS workers,
    (SELECT coalesce(sum((w.queues ->> q.name)::int), 0)::int FROM task_workers w
      WHERE NOT w.isolated AND NOT w.external AND w.lease_expires_at > now()) AS slots
  FROM unnest($1::text[]) AS q(name)`;

/** Queues that somebody has declared, limited or serves. */
export const KNOWN_QUEUES = `
  SELECT queue AS name FROM external_task_types
  UNION SELECT name FROM task_limits WHERE scope = 'queue'
  UNION SELECT jsonb_object_keys(queues) FROM task_workers`;
