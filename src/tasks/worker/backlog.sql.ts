/**
 * What waits and what runs, each counted up to $1, and how long the longest of these has been ready. Queues with ready
 * tasks are found by leaps, a hundred at most. Indexes live_tasks_ready, live_tasks_running, live_tasks_delayed.
 */
export const BACKLOG = `
  WITH RECURSIVE queues AS (
    (SELECT queue FROM live_tasks WHERE status = 'queued' AND ready ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT (SELECT t.queue FROM live_tasks t WHERE t.status = 'queued' AND t.ready AND t.queue > q.queue ORDER BY t.queue LIMIT 1)
    FROM queues q WHERE q.queue IS NOT NULL
  )
  SELECT 'ready' AS what, q.queue, b.count, b.oldest_seconds
  FROM (SELECT queue FROM queues WHERE queue IS NOT NULL LIMIT 100) q CROSS JOIN LATERAL (
    SELECT count(*)::int AS count, extract(epoch FROM now() - min(queued_at))::float8 AS oldest_seconds
    FROM (SELECT queued_at FROM live_tasks WHERE queue = q.queue AND status = 'queued' AND ready
      ORDER BY priority DESC, id LIMIT $1) first) b
  UNION ALL
  SELECT 'running', NULL, count(*)::int, NULL
  FROM (SELECT 1 FROM live_tasks WHERE status = 'running' AND worker_id IS NOT NULL LIMIT $1) running
  UNION ALL
  SELECT 'delayed', NULL, count(*)::int, NULL
  FROM (SELECT 1 FROM live_tasks WHERE status = 'queued' AND NOT ready AND crash_count = 0 LIMIT $1) delayed`;
