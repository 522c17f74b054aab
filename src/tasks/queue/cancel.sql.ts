import { FINAL_ITEMS, PARTIAL_CONTRIBUTION, SHARED_COLUMNS } from './settle.sql.js';

/** Tasks and what is below them that has not finished, deepest last, up to $2 of them all (index live_tasks_children). */
export const LIVE_FAMILY = `
  WITH RECURSIVE family AS (
    SELECT id, 0 AS depth FROM live_tasks WHERE id = ANY($1::uuid[])
    UNION ALL
    SELECT c.id, f.depth + 1 FROM live_tasks c JOIN family f ON c.parent_id = f.id WHERE f.depth < 32
  )
  SELECT id FROM family LIMIT $2`;

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

/**
 * Notes which of these tasks, that are cancelled, have unfinished children yet: those of their fan-outs so far are to be
 * cancelled too, and not what they are split into should somebody run them again (live_tasks_children, primary keys).
 */
export const NOTE_LEFT_BEHIND = `
  INSERT INTO task_cancellations (parent_id, round, actor)
  SELECT p.id, (SELECT max(round) FROM task_fan_outs WHERE parent_id = p.id), $2 FROM unnest($1::uuid[]) AS p(id)
  WHERE EXISTS (SELECT 1 FROM live_tasks c WHERE c.parent_id = p.id AND c.cancel_requested_at IS NULL)
  ON CONFLICT (parent_id) DO UPDATE SET round = excluded.round, swept_to = excluded.swept_to, actor = excluded.actor`;

export const IS_ANY_LEFT_BEHIND = `SELECT 1 FROM task_cancellations LIMIT 1`;

/**
 * A parent whose children are next, any of them; one process at a time goes on with each. What it needs may be held by a
 * handler's transaction: it waits for that no longer than $1, since meanwhile others wait for what it holds already. Then
 * the next choice is likely another one, which need not wait.
 */
export const TAKE_LEFT_BEHIND = `
  SELECT parent_id AS "parentId", round, swept_to AS "sweptTo", actor, set_config('lock_timeout', $1, true)
  FROM task_cancellations ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED`;

/** The next $4 of them: from where the last ones ended, not over the dead entries of all before (live_tasks_children). */
export const CHILDREN_LEFT_BEHIND = `
  SELECT id FROM live_tasks
  WHERE parent_id = $1 AND parent_round <= $2 AND id > $3 AND cancel_requested_at IS NULL ORDER BY id LIMIT $4`;

export const SWEPT_TO = `UPDATE task_cancellations SET swept_to = $2 WHERE parent_id = $1`;

/** Waits for who goes on with its children, and keeps others from it (primary key). */
export const HOLD_LEFT_BEHIND = `SELECT 1 FROM task_cancellations WHERE parent_id = $1 FOR UPDATE`;

/** All of its children are cancelled, or are not to be any more (primary key). */
export const FORGET_LEFT_BEHIND = `DELETE FROM task_cancellations WHERE parent_id = $1`;
