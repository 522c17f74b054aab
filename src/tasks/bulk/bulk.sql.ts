/** Which rows: `table` and `where` come from fixed fragments; $1 to $7 are the plan's own values. */
export interface Choice {
  readonly table: 'live_tasks' | 'finished_tasks';
  readonly where: string;
}

const BULK_COLUMNS = `id, action, statuses::text[] AS statuses, task_count, is_complete, planned_by, planned_at, confirmed_at, processed,
  changed, finished_at`;

/**
 * Chooses the tasks and keeps their ids, in chunks and in the order in which they are locked later. $1 id, $2 action,
 * $3 filter, $4 statuses, $5 actor, $6 chunk, $7 most. Gives the plan.
 */
export const planStatement = ({ table, where }: Choice): string => `
  WITH matching AS MATERIALIZED (
    SELECT id FROM ${table} ${where} ORDER BY id LIMIT $7::int + 1
  ), chosen AS MATERIALIZED (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM (SELECT id FROM matching ORDER BY id LIMIT $7::int) first
  ), chunks AS (
    INSERT INTO task_bulk_chunks (bulk_id, position, task_ids)
    SELECT $1, n / $6::int, array_agg(id ORDER BY id) FROM chosen GROUP BY n / $6::int
  )
  INSERT INTO task_bulks (id, action, filter, statuses, task_count, is_complete, planned_by)
  SELECT $1, $2, $3::jsonb, $4::task_status[], (SELECT count(*) FROM chosen),
    (SELECT count(*) FROM matching) <= $7::int, $5
  RETURNING ${BULK_COLUMNS}`;

/** The newest of the chosen tasks. */
export const SAMPLE_OF_BULK = `
  SELECT id FROM (SELECT unnest(task_ids) AS id FROM (
    SELECT task_ids FROM task_bulk_chunks WHERE bulk_id = $1 ORDER BY position DESC LIMIT 2) last) chosen
  ORDER BY id DESC LIMIT $2`;

export const FIND_BULK = `SELECT ${BULK_COLUMNS} FROM task_bulks WHERE id = $1`;

/** Only whoever planned it confirms it, in time, for the action and, if it is said again, the filter that was planned. */
export const CONFIRM_BULK = `
  UPDATE task_bulks SET confirmed_at = coalesce(confirmed_at, now()), finished_at = CASE WHEN task_count = 0 THEN now() ELSE finished_at END
  WHERE id = $1 AND action = $2 AND planned_by = $3
    AND ($5::jsonb IS NULL OR filter = $5::jsonb) AND (confirmed_at IS NOT NULL OR planned_at > now() - $4 * interval '1 millisecond')
  RETURNING ${BULK_COLUMNS}`;

/** Plans that nobody confirmed, and the records of old operations, also of those that were broken off. */
export const SWEEP_BULKS = `
  DELETE FROM task_bulks
  WHERE (confirmed_at IS NULL AND planned_at < now() - $1 * interval '1 millisecond') OR coalesce(finished_at, confirmed_at) < now() - interval '90 days'`;

/**
 * Takes the operation, so that two processes that carry it out do one chunk after the other. The chunk is read afterwards:
 * joined, it would be the one from before the wait.
 */
export const HOLD_BULK = `
  SELECT action, statuses::text[] AS statuses, planned_by, next_chunk AS position FROM task_bulks
  WHERE id = $1 AND confirmed_at IS NOT NULL FOR UPDATE`;

export const CHUNK_OF_BULK = `SELECT task_ids FROM task_bulk_chunks WHERE bulk_id = $1 AND position = $2`;

/** Notes how many tasks were changed. */
export const COUNT_CHANGED = `UPDATE task_bulks SET changed = changed + $2 WHERE id = $1`;

/** A chunk is done, and with the last one the operation. */
export const NEXT_CHUNK = `
  UPDATE task_bulks SET next_chunk = next_chunk + 1, processed = processed + $3,
    finished_at = CASE WHEN processed + $3 = task_count THEN now() END
  WHERE id = $1 AND next_chunk = $2`;

/** Those that are still to be cancelled, and have not been asked to end (primary key). */
export const STILL_LIVE = `
  SELECT id FROM live_tasks
  WHERE id = ANY($1::uuid[]) AND status = ANY($2::task_status[]) AND parent_id IS NULL AND cancel_requested_at IS NULL
  ORDER BY id`;

/** Unfinished nodes of the workflows of tasks $1 whose ids come after $2 (workflow_nodes_name, primary key of live_tasks). */
export const NODES_BEHIND = `
  SELECT l.id FROM workflow_nodes n JOIN live_tasks l ON l.id = n.task_id
  WHERE n.workflow_id = ANY(ARRAY(SELECT workflow_id FROM live_tasks WHERE id = ANY($1::uuid[]) AND workflow_id IS NOT NULL))
    AND l.id > $2 AND l.status = ANY($3::task_status[]) AND l.cancel_requested_at IS NULL
  ORDER BY l.id`;

/**
 * Those that may be started again: still as they were chosen, and no unfinished task, nor another one of these, has the same
 * dedup key (primary key, live_tasks_dedup). Not the nodes of a workflow: what hangs below them runs again with them.
 */
export const STILL_RETRYABLE = `
  SELECT id FROM (
    SELECT id, type, dedup_key, row_number() OVER (PARTITION BY type, dedup_key ORDER BY id DESC) AS nth
    FROM finished_tasks
    WHERE id = ANY($1::uuid[]) AND status = ANY($2::task_status[]) AND parent_id IS NULL AND workflow_id IS NULL) t
  WHERE dedup_key IS NULL
    OR (nth = 1 AND NOT EXISTS (SELECT 1 FROM live_tasks l WHERE l.type = t.type AND l.dedup_key = t.dedup_key))
  ORDER BY id`;

/**
 * Deletes finished tasks and their history. Not while a batch of theirs still runs: it would settle into nothing. Not the
 * nodes of a workflow, which belong to it.
 */
export const DELETE_TASKS = `
  WITH gone AS (
    DELETE FROM finished_tasks t
    WHERE id = ANY($1::uuid[]) AND status = ANY($2::task_status[]) AND parent_id IS NULL AND workflow_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM live_tasks c WHERE c.parent_id = t.id)
    RETURNING id
  ), ${forgetting('gone')}
  SELECT id FROM gone`;

/** Which of these tasks are not there any more (primary keys). */
export const GONE = `
  SELECT g.id FROM unnest($1::uuid[]) AS g(id) WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = g.id)`;

/** Some of the batches that deleted tasks left behind (index finished_tasks_children). */
export const ORPHANS_OF = `SELECT id FROM finished_tasks WHERE parent_id = ANY($1::uuid[]) LIMIT $2`;

/** Deletes batches with their history (primary keys). */
export const DELETE_ORPHANS = `
  WITH gone AS (DELETE FROM finished_tasks WHERE id = ANY($1::uuid[]) RETURNING id), ${forgetting('gone')}
  SELECT id FROM gone`;

/** `ARRAY(…)` is worked out once; a join might read all of the audit trail. */
function forgetting(tasks: string): string {
  const ids = `ANY(ARRAY(SELECT id FROM ${tasks}))`;
  return `
  events AS (DELETE FROM task_events WHERE task_id = ${ids}),
  fan_outs AS (DELETE FROM task_fan_outs WHERE parent_id = ${ids}),
  keys AS (DELETE FROM task_idempotency_keys WHERE task_id = ${ids})`;
}
