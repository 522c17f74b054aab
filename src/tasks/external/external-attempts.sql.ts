/** An attempt that an external worker holds: by task and fence (primary keys). */
const HELD = `t.id = $1 AND t.fence = $2 AND t.status = 'running' AND w.id = t.worker_id AND w.external`;

const ATTEMPT = `t.id, t.queue, t.type, t.version, t.fence, t.attempt, t.max_attempts, t.worker_id, t.parent_id IS NOT NULL AS has_parent, t.workflow_id,
  t.started_at, t.timeout_ms, t.processed, t.total, t.trace_parent, t.cancel_requested_at IS NOT NULL AS cancel, t.cancel_requested_by`;

export const HELD_ATTEMPT = `SELECT ${ATTEMPT} FROM live_tasks t JOIN task_workers w ON true WHERE ${HELD}`;

/**
 * Renews the lease that an attempt is held under by as much as it was taken for, and says which attempts of the same lease
 * somebody wants cancelled (index live_tasks_running).
 */
export const HEARTBEAT = `
  WITH renewed AS (
    UPDATE task_workers w SET seen_at = now(), lease_expires_at = now() + (w.lease_expires_at - w.seen_at)
    FROM live_tasks t WHERE ${HELD}
    RETURNING w.id AS worker_id, w.lease_expires_at, t.started_at + t.timeout_ms * interval '1 millisecond' AS deadline_at
  )
  SELECT r.*, ARRAY(
    SELECT json_build_object('taskId', t.id, 'fence', t.fence) FROM live_tasks t
    WHERE t.worker_id = r.worker_id AND t.status = 'running' AND t.cancel_requested_at IS NOT NULL
  ) AS cancelled FROM renewed r`;

/** An attempt whose lease is gone, and whose task is about to be rescued. */
export const ORPHANED_ATTEMPT = `
  SELECT id FROM live_tasks t WHERE id = $1 AND fence = $2 AND status = 'running' AND worker_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM task_workers w WHERE w.id = t.worker_id)`;

/** Progress never goes backwards; a batch keeps to the total that it named first. $5 and $6 may be null: as before. */
export const REPORT = `
  UPDATE live_tasks
  SET processed = greatest(processed, coalesce($4::bigint, 0)), checkpoint = coalesce($6::jsonb, checkpoint), updated_at = now(),
    total = CASE WHEN parent_id IS NULL THEN coalesce($5::bigint, total) ELSE coalesce(total, $5::bigint) END
  WHERE id = $1 AND fence = $2 AND worker_id = $3 AND status = 'running' RETURNING id`;

/** Of these attempts, those that are still held and that nobody wants cancelled. */
export const UNDISTURBED = `
  SELECT t.id, t.fence FROM unnest($1::uuid[], $2::int[]) AS a(id, fence)
  JOIN live_tasks t ON t.id = a.id AND t.fence = a.fence AND t.status = 'running'
  WHERE t.cancel_requested_at IS NULL`;

/**
 * Attempts that have run for longer than their type may, or go on long after their worker was told to stop: it was told
 * with its last heartbeat, at most a lease ago, and had $1 milliseconds since (indexes live_tasks_running, primary key).
 */
export const OVERDUE = `
  SELECT ${ATTEMPT}
  FROM task_workers w JOIN live_tasks t ON t.worker_id = w.id AND t.status = 'running'
  WHERE w.external AND (t.started_at + t.timeout_ms * interval '1 millisecond' < now()
    OR t.cancel_requested_at + (w.lease_expires_at - w.seen_at) + $1 * interval '1 millisecond' < now())
  LIMIT 500`;

/** Lets go of a lease under which nothing is held any more. */
export const DROP_LEASE = `
  DELETE FROM task_workers w WHERE id = $1 AND external
    AND NOT EXISTS (SELECT 1 FROM live_tasks t WHERE t.worker_id = w.id AND t.status = 'running')`;
