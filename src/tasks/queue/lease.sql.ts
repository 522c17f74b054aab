/** The first key of the advisory lock pair that a living worker's connection holds; the second is its lock_key. */
export const LEASE_LOCK_CLASS = 0x7073_7766;

export const REGISTER_WORKER = `
  INSERT INTO task_workers (id, hostname, pid, queues, types, lease_expires_at, isolated)
  VALUES ($1, $2, $3, $4::jsonb, $5::text[], now() + $6 * interval '1 millisecond', $7)
  RETURNING lock_key`;

/** The newest version of each of its types that the worker knows, for whoever asks why a task is not taken. */
export const SAY_VERSIONS = `UPDATE task_workers SET versions = $2::int[] WHERE id = $1`;

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

/**
 * Strikes off workers, unless they have been heard of since, and takes note of the loss: it casts suspicion on what they
 * held. Not so when a worker was ending anyway: then whoever ended it lost patience.
 */
export const STRIKE_OFF_WORKERS = `
  WITH struck_off AS (
    DELETE FROM task_workers w USING unnest($1::uuid[], $2::text[], $3::text[]) AS gone(id, seen_at, because)
    WHERE w.id = gone.id AND w.seen_at = gone.seen_at::timestamptz
    RETURNING w.id, w.ending, gone.because
  ), noted AS (
    INSERT INTO task_worker_losses (worker_id, witnessed, how) SELECT id, false, because FROM struck_off WHERE NOT ending
    ON CONFLICT (worker_id) DO NOTHING
  )
  SELECT id FROM struck_off`;

/** From here on its end is nobody's fault. */
export const MARK_ENDING = `UPDATE task_workers SET ending = true WHERE id = $1`;

/** One rescuer at a time; the others have nothing to do. */
export const RESCUE_LOCK = `SELECT pg_try_advisory_xact_lock($1, 0) AS locked`;
