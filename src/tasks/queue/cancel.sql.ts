import { FINAL_ITEMS, PARTIAL_CONTRIBUTION, SHARED_COLUMNS } from './settle.sql.js';

/** Tasks and everything below them that has not finished, deepest last (index live_tasks_children). */
export const LIVE_FAMILY = `
  WITH RECURSIVE family AS (
    SELECT id, 0 AS depth FROM live_tasks WHERE id = ANY($1::uuid[])
    UNION ALL
    SELECT c.id, f.depth + 1 FROM live_tasks c JOIN family f ON c.parent_id = f.id WHERE f.depth < 32
  )
  SELECT id, depth FROM family`;

/** Takes tasks that do not wait for children; with the next two, in the order in which settling takes them. */
export const HOLD_TASKS = `
  SELECT id FROM live_tasks WHERE id = ANY($1::uuid[]) AND NOT waiting ORDER BY id FOR UPDATE`;

/** The fan-outs of these tasks, and those that tasks $2 themselves are a part of. */
export const HOLD_FAMILY_FAN_OUTS = `
  SELECT round FROM task_fan_outs
  WHERE parent_id = ANY($1::uuid[] || ARRAY(SELECT parent_id FROM live_tasks WHERE id = ANY($2::uuid[]) AND parent_id IS NOT NULL))
  ORDER BY parent_id, round FOR UPDATE`;

export const HOLD_WAITING = `
  SELECT id FROM live_tasks WHERE id = ANY($1::uuid[]) AND waiting ORDER BY id DESC FOR UPDATE`;

/**
 * Ends tasks that no worker holds: created, queued, or waiting for their children. Moves them to finished_tasks; the
 * caller holds their rows, and advances the counters of their parents.
 */
export const CANCEL_UNHELD = `
  WITH ended AS (
    DELETE FROM live_tasks t
    WHERE id = ANY($1::uuid[]) AND (status IN ('created', 'queued') OR (status = 'running' AND waiting))
    RETURNING t.*, ${FINAL_ITEMS} AS final_processed
  ), archived AS (
    INSERT INTO finished_tasks (${SHARED_COLUMNS}, status, attempt, processed, total, updated_at, completed_at)
    SELECT ${SHARED_COLUMNS}, 'cancelled', attempt, final_processed, total, now(), now() FROM ended
    RETURNING id, parent_id, parent_round, workflow_id, status, ${PARTIAL_CONTRIBUTION} AS contribution
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason)
    SELECT id, status, 'cancelled', attempt, fence, $2, CASE WHEN id = ANY($3::uuid[]) THEN 'cancelled' ELSE 'parent_cancelled' END FROM ended
  )
  SELECT id, parent_id, parent_round, workflow_id, status, contribution FROM archived`;

/** Asks the workers that hold these tasks to stop; they settle them. */
export const REQUEST_CANCEL = `
  UPDATE live_tasks SET cancel_requested_at = coalesce(cancel_requested_at, now()), cancel_requested_by = coalesce(cancel_requested_by, $2),
    updated_at = now()
  WHERE id = ANY($1::uuid[]) AND status = 'running' AND worker_id IS NOT NULL
  RETURNING id, worker_id`;
