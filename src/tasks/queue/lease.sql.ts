/** The first key of the advisory lock pair that a living worker's connection holds; the second is its lock_key. */
export const LEASE_LOCK_CLASS = 0x7073_7766;

export const REGISTER_WORKER = `
  INSERT INTO task_workers (id, hostname, pid, queues, types, lease_expires_at)
  VALUES ($1, $2, $3, $4::jsonb, $5::text[], now() + $6 * interval '1 millisecond')
  RETURNING lock_key`;

/** Does not wait: a connection that broke unnoticed may hold it for a while yet, and is asked again. */
export const HOLD_LEASE_LOCK = `SELECT pg_try_advisory_lock($1, $2) AS locked`;

/**
 * Renews the lease, and learns which of the tasks in flight ($3) someone wants cancelled, and which tasks the worker has
 * held for longer than a lease: the answer to a claim may have been lost on its way. No row = the lease is lost.
 * Index live_tasks_running.
 */
export const RENEW_LEASE = `
  WITH renewed AS (
    UPDATE task_workers SET seen_at = now(), lease_expires_at = now() + $2 * interval '1 millisecond'
    WHERE id = $1 RETURNING id
  )
  SELECT r.id, ARRAY(
    SELECT t.id FROM live_tasks t WHERE t.id = ANY($3::uuid[]) AND t.cancel_requested_at IS NOT NULL AND t.worker_id = $1
  ) AS cancelled, ARRAY(
    SELECT json_build_object('id', t.id, 'fence', t.fence, 'hasParent', t.parent_id IS NOT NULL,
      'workflowId', t.workflow_id) FROM live_tasks t
    WHERE t.worker_id = $1 AND t.status = 'running' AND t.started_at < now() - $2 * interval '1 millisecond'
  ) AS held FROM renewed r`;

export const RESIGN = `DELETE FROM task_workers WHERE id = $1`;

/**
 * All workers: when each was last heard of, and whether its lease connection is open (it holds the advisory lock). The
 * lease of an external worker has no connection that could break: only its time tells.
 */
export const LIST_WORKERS = `
  SELECT w.id, w.hostname, w.pid, w.seen_at::text AS "seenAt",
    (extract(epoch FROM w.lease_expires_at - w.seen_at) * 1000)::float8 AS "leaseMs",
    w.external OR EXISTS (
      SELECT 1 FROM pg_locks l
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = $1::bigint::oid
        AND l.objid = w.lock_key::oid
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS connected
  FROM task_workers w`;

/** Strikes off workers, unless they have been heard of since. */
export const STRIKE_OFF_WORKERS = `
  DELETE FROM task_workers w USING unnest($1::uuid[], $2::text[]) AS gone(id, seen_at)
  WHERE w.id = gone.id AND w.seen_at = gone.seen_at::timestamptz
  RETURNING w.id`;

/**
 * Frees the running tasks of workers that are struck off or have resigned (index live_tasks_running): back to the queue
 * with the attempt given back, or cancelled if that was asked for. A crash counts apart from attempts.
 */
export const FREE_ORPHANS = `
  WITH orphans AS (
    SELECT id FROM live_tasks t
    WHERE t.status = 'running' AND t.worker_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM task_workers w WHERE w.id = t.worker_id)
    ORDER BY t.id FOR UPDATE SKIP LOCKED
  ), freed AS (
    UPDATE live_tasks t
    SET status = 'queued', worker_id = NULL, ready = true, attempt = t.attempt - 1, crash_count = t.crash_count + 1,
      run_at = now(), queued_at = now(), updated_at = now()
    FROM orphans o WHERE t.id = o.id
    RETURNING t.id, t.queue, t.type, t.attempt, t.fence, t.cancel_requested_at IS NOT NULL AS cancel, t.cancel_requested_by
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason)
    SELECT id, 'running', 'queued', attempt, fence, 'rescuer', 'worker_lost' FROM freed
  )
  SELECT id, queue, type, cancel, cancel_requested_by FROM freed`;

/** One rescuer at a time; the others have nothing to do. */
export const RESCUE_LOCK = `SELECT pg_try_advisory_xact_lock($1, 0) AS locked`;
