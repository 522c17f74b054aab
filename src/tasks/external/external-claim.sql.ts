import { IN_TIME, LIMITS_ARE_OF } from '../queue/lanes.sql.js';

/** Takes the lease and what is in the CTE `found`. */
const LEASE_AND_CLAIM = `
  ), lease AS (
    INSERT INTO task_workers (id, hostname, pid, queues, types, lease_expires_at, external)
    SELECT $1, $6, 0, jsonb_build_object($2::text, $4::int), $3::text[], now() + $5 * interval '1 millisecond', true
    WHERE EXISTS (SELECT 1 FROM found)
    RETURNING lease_expires_at
  ), claimed AS (
    UPDATE live_tasks
    SET status = 'running', ready = false, worker_id = $1, attempt = attempt + 1, fence = fence + 1,
      started_at = now(), updated_at = now()
    WHERE id = ANY(ARRAY(SELECT id FROM found))
    RETURNING id, type, version, params, attempt, max_attempts, fence, crash_count, timeout_ms, parent_id, workflow_id, checkpoint,
      requested_by, priority, rank::float8, processed, total, started_at, date_part('epoch', now() - queued_at) AS waited_seconds
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, worker_id, actor, reason)
    SELECT id, 'queued', 'running', attempt, fence, $1, $7, 'claimed' FROM claimed
  )
  SELECT claimed.*, lease_expires_at FROM claimed, lease ORDER BY rank, id`;

/**
 * Takes up to $4 ready tasks of queue $2 whose type and version are among $3 (`name@version`), and with them a lease ($1) of
 * $5 milliseconds, a row of task_workers that they share; nothing found, no lease. As in queue/claim.sql.ts the index
 * live_tasks_ready satisfies the ORDER BY. Nothing when limits are not those of revision $8 any more.
 *
 * A task whose worker was lost before is a suspect (index live_tasks_suspects): it comes first, and alone, so that it can
 * take no other with it.
 */
export const CLAIM_EXTERNAL = `
  WITH suspect AS MATERIALIZED (
    SELECT id FROM live_tasks
    WHERE queue = $2 AND status = 'queued' AND NOT ready AND crash_count > 0 AND type || '@' || version = ANY($3::text[])
      AND ${IN_TIME} AND ${LIMITS_ARE_OF('$8')}
    ORDER BY crash_count, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
  ), fresh AS MATERIALIZED (
    SELECT id FROM live_tasks
    WHERE lane = $2 AND status = 'queued' AND ready AND type || '@' || version = ANY($3::text[])
      AND ${IN_TIME} AND ${LIMITS_ARE_OF('$8')} AND NOT EXISTS (SELECT 1 FROM suspect)
    ORDER BY rank, id
    LIMIT $4
    FOR UPDATE SKIP LOCKED
  ), found AS (
    SELECT id FROM suspect UNION ALL SELECT id FROM fresh
${LEASE_AND_CLAIM}`;

/** The same for tasks ($8) that were chosen and are held already. */
export const CLAIM_CHOSEN_EXTERNAL = `
  WITH found AS (
    SELECT unnest($8::uuid[]) AS id
${LEASE_AND_CLAIM}`;
