/** What is unfinished, by type: reads all of live_tasks once. */
export const LIVE_BY_TYPE = `
  SELECT type, count(*) FILTER (WHERE status = 'created')::int AS created,
    count(*) FILTER (WHERE status = 'queued')::int AS queued, count(*) FILTER (WHERE status = 'queued' AND NOT ready)::int AS delayed,
    count(*) FILTER (WHERE status = 'running')::int AS running, count(*) FILTER (WHERE waiting)::int AS waiting,
    min(queued_at) FILTER (WHERE status = 'queued' AND ready) AS oldest_queued_at,
    min(started_at) FILTER (WHERE status = 'running' AND NOT waiting) AS oldest_started_at
  FROM live_tasks GROUP BY type`;

/**
 * How the newest finished tasks ended, by type: those created since $1 (an id), at most $2 of them (primary key). Says since
 * when that is.
 */
export const FINISHED_BY_TYPE = `
  WITH newest AS MATERIALIZED (
    SELECT type, status, created_at, started_at, completed_at FROM finished_tasks WHERE id >= $1 ORDER BY id DESC LIMIT $2
  )
  SELECT type, count(*) FILTER (WHERE status = 'completed')::int AS completed,
    count(*) FILTER (WHERE status = 'failed')::int AS failed, count(*) FILTER (WHERE status = 'cancelled')::int AS cancelled,
    (avg(extract(epoch FROM completed_at - started_at)) FILTER (WHERE status = 'completed'))::float8 AS average_run_s,
    (avg(extract(epoch FROM started_at - created_at)) FILTER (WHERE status = 'completed'))::float8 AS average_wait_s,
    (SELECT min(created_at) FROM newest) AS oldest, (SELECT count(*) FROM newest) = $2 AS is_cut
  FROM newest GROUP BY type`;
