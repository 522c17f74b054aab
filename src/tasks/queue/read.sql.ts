/** What lists and single reads select from the view `tasks`. */
export const TASK_COLUMNS = `id, type, version, name, description, domain, drift_score, params, queue, status, waiting, priority,
  CASE WHEN status IN ('queued', 'running') THEN task_items_done(id, processed) ELSE processed END AS done,
  total, result, result_ref, error_code, error_category, error_message, attempt, max_attempts, crash_count, run_at, start_by,
  timeout_ms, dedup_key, parent_id, workflow_id, requested_by, cancel_requested_at, task_metadata, created_at, queued_at,
  started_at, completed_at, updated_at`;

export const TASK_BY_ID = `SELECT ${TASK_COLUMNS} FROM tasks WHERE id = $1`;

/** Newest first (primary keys). */
export const TASKS_BY_IDS = `SELECT ${TASK_COLUMNS} FROM tasks WHERE id = ANY($1::uuid[]) ORDER BY id DESC`;

/** Ids between the smallest and the largest that begin with a prefix (primary keys), newest first. */
export const IDS_BY_PREFIX = `SELECT id FROM tasks WHERE id >= $1 AND id <= $2 ORDER BY id DESC LIMIT $3`;

/**
 * One task's audit trail (indexes task_events_pkey, task_event_batches_tasks). The view task_history says the same, but
 * would be unnested as a whole.
 */
export const EVENTS_OF_TASK = `
  SELECT id, at, from_status, to_status, attempt, fence, worker_id, actor, reason, error_code, error_category, error_message
  FROM task_events WHERE task_id = $1 AND id > $2
  UNION ALL
  SELECT b.id, b.at, b.from_status, b.to_status, coalesce(t.attempt, 0), coalesce(t.fence, 0), b.worker_id, b.actor, b.reason,
    NULL, NULL, NULL
  FROM task_event_batches b, unnest(b.task_ids, b.attempts, b.fences) AS t(task_id, attempt, fence)
  WHERE b.tasks @> $1::uuid AND b.id > $2 AND t.task_id = $1
  ORDER BY id LIMIT $3`;

/** Of a type, as index finished_tasks_kind finds them: it is in the order of hashes, which two types may share. */
export const OF_TYPE = (type: string): string => `hashtext(type) = hashtext(${type}) AND type = ${type}`;

/** Items a second of the last tasks of a type that had any (index finished_tasks_kind), waiting for batches included. */
export const THROUGHPUT = `
  SELECT (sum(processed) / nullif(sum(extract(epoch FROM completed_at - created_at)), 0))::float8 AS per_second
  FROM (SELECT processed, completed_at, created_at FROM finished_tasks
    WHERE ${OF_TYPE('$1')} AND status = 'completed' AND processed > 0 ORDER BY id DESC LIMIT 20) last`;

export const FIND_IDEMPOTENCY_KEY = `
  SELECT task_id, request_hash FROM task_idempotency_keys WHERE actor = $1 AND key = $2`;

export const KEEP_IDEMPOTENCY_KEY = `
  INSERT INTO task_idempotency_keys (actor, key, request_hash, task_id) VALUES ($1, $2, $3, $4)
  ON CONFLICT (actor, key) DO NOTHING RETURNING task_id`;
