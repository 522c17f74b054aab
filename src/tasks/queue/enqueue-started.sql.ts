import { CLAIMED_COLUMNS } from './claim.sql.js';

/**
 * Adds one task and claims it for worker $1 in the same statement: one round trip and one commit for what takes two of each
 * otherwise. For a worker of this process that has found its queue empty: nothing is overtaken. Both transitions are in the
 * audit trail. A worker whose lease was taken away gets nothing: then the task is queued, like any other.
 *
 * Gives the task as a claim would, and whether it was started; no row when an unfinished task has its dedup key (index
 * live_tasks_dedup).
 */
export const ENQUEUE_STARTED = `
  WITH worker AS MATERIALIZED (
    SELECT EXISTS (SELECT 1 FROM task_workers WHERE id = $1) AS held
  ), added AS (
    INSERT INTO live_tasks (id, params, dedup_key, type, version, name, queue, priority, max_attempts, timeout_ms, requested_by,
      description, domain, drift_score, task_metadata, trace_parent, run_at, queued_at, status, ready, worker_id, attempt, fence,
      started_at)
    SELECT $2::uuid, $3::jsonb, $4::text, $5::text, $6::int, $7::text, $8::text, $9::int, $10::int, $11::int, $12::text, $13::text,
      $14::text, $15::float8, $16::jsonb, $17::text, now(), now(),
      CASE WHEN held THEN 'running' ELSE 'queued' END::task_status, NOT held, CASE WHEN held THEN $1::uuid END, held::int, held::int,
      CASE WHEN held THEN now() END
    FROM worker
    ON CONFLICT (type, dedup_key) WHERE dedup_key IS NOT NULL DO NOTHING
    RETURNING ${CLAIMED_COLUMNS}, status = 'running' AS started
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, worker_id, actor, reason)
    SELECT id, 'created'::task_status, 'queued'::task_status, 0, 0, NULL::uuid, requested_by, 'enqueued' FROM added
    UNION ALL
    SELECT id, 'queued', 'running', attempt, fence, $1, 'worker', 'claimed' FROM added WHERE started
  )
  SELECT * FROM added`;
