import { LANE_OF, RANK_OF } from './lanes.sql.js';
import { PARTIAL_CONTRIBUTION, SHARED_COLUMNS } from './settle.sql.js';

const MOVED = SHARED_COLUMNS.replace('joining, ', '')
  .replace('run_at,', '')
  .replace('start_by, ', '')
  .replace('queued_at, ', '')
  .replace('started_at, ', '')
  .replace('crash_count, ', '');

/** Starts those of the tasks $1 that wait for someone to run them; not what waits for others of its workflow. */
export const RUN_CREATED = `
  WITH started AS (
    UPDATE live_tasks SET status = 'queued', ready = run_at <= now(), queued_at = now(), updated_at = now()
    WHERE id = ANY($1::uuid[]) AND status = 'created' AND workflow_id IS NULL RETURNING id, queue, attempt, fence
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason)
    SELECT id, 'created', 'queued', attempt, fence, $2, 'run' FROM started
  )
  SELECT id, queue FROM started`;

/**
 * Brings finished tasks back for a new series of attempts, and says how they had ended. $3 = true: as a parent that waits
 * for the children that are brought back with it; false: ready to be claimed, and what it was split into before counts
 * no longer. It waits from now ($5: the seconds that a point of priority is worth), and a deadline that has passed is lifted. Fence and checkpoint go on where they were; of having killed workers it is cleared.
 */
export const REVIVE = `
  WITH gone AS (
    DELETE FROM finished_tasks WHERE id = ANY($1::uuid[]) AND status IN ('failed', 'cancelled') RETURNING *
  ), revived AS (
    INSERT INTO live_tasks (${MOVED}, joining, status, waiting, ready, attempt, processed, total, run_at, queued_at, updated_at,
      start_by, lane, rank)
    SELECT ${MOVED}, $3, CASE WHEN $3 THEN 'running' ELSE 'queued' END::task_status, $3, NOT $3, 0, processed, total, now(), now(), now(),
      CASE WHEN start_by > now() THEN start_by END, ${LANE_OF({ queue: 'gone.queue', type: 'gone.type', key: 'gone.concurrency_key' })},
      ${RANK_OF({ at: 'now()', priority: 'priority', seconds: '$5::int' })}
    FROM gone
    RETURNING id, queue, fence
  ), forgotten AS (
    UPDATE task_fan_outs SET weight = 0, processed = 0 WHERE parent_id IN (SELECT id FROM gone) AND NOT $3
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason)
    SELECT id, from_status, to_status, 0, fence, $2, reason
    FROM (
      SELECT 1 AS step, id, status AS from_status, 'queued'::task_status AS to_status, fence, $4 AS reason FROM gone
      UNION ALL
      SELECT 2, id, 'queued', 'running', fence, 'waiting_for_children' FROM gone WHERE $3
    ) AS moves
    ORDER BY step
  )
  SELECT r.id, r.queue, g.status AS was FROM revived r JOIN gone g ON g.id = r.id`;

/** From here on the attempts of these unfinished tasks go on from another place, of whoever wanted them run again. */
export const MOVE_TRACE = `UPDATE live_tasks SET trace_parent = $2 WHERE id = ANY($1::uuid[])`;

/** The same for the nodes of a workflow that have come back without one. */
export const MOVE_TRACE_OF_NODES = `
  UPDATE live_tasks SET trace_parent = $2
  WHERE id IN (SELECT task_id FROM workflow_nodes WHERE workflow_id = $1) AND trace_parent IS NULL`;

/** The children of a parent's last fan-out that did not complete (index finished_tasks_children). */
export const UNSUCCESSFUL_CHILDREN = `
  SELECT c.id, c.parent_round AS round, c.status,
    ${PARTIAL_CONTRIBUTION} AS contribution,
    EXISTS (SELECT 1 FROM task_fan_outs f WHERE f.parent_id = c.id) AS has_children
  FROM finished_tasks c
  WHERE c.parent_id = $1 AND c.status <> 'completed' AND c.parent_round = (SELECT max(round) FROM task_fan_outs WHERE parent_id = $1)
  FOR UPDATE OF c`;

/** Takes ended children of a round back into the count of open ones. */
export const REOPEN_FAN_OUT = `
  UPDATE task_fan_outs SET open = open + $3 + $4, failed = failed - $3, cancelled = cancelled - $4, processed = processed - $5
  WHERE parent_id = $1 AND round = $2`;

export const HOLD_FAN_OUTS = `SELECT round FROM task_fan_outs WHERE parent_id = $1 ORDER BY round FOR UPDATE`;

export const PARENT_WAITS = `SELECT waiting FROM live_tasks WHERE id = $1 FOR UPDATE`;

export const CHILD_CONTRIBUTION = `
  SELECT parent_round AS round, ${PARTIAL_CONTRIBUTION} AS contribution FROM live_tasks WHERE id = $1`;
