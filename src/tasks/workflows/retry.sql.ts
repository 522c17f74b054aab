import { LANE_OF, RANK_OF } from '../queue/lanes.sql.js';
import { SHARED_COLUMNS } from '../queue/settle.sql.js';
import { NODE_COLUMNS } from './advance.sql.js';

/** Nodes of a workflow whose failure is a reason to run it again (workflow_nodes_name). */
export const UNSUCCESSFUL_NODES = `
  SELECT task_id AS id, outcome FROM workflow_nodes WHERE workflow_id = $1 AND outcome IN ('failed', 'cancelled')`;

export const OUTCOMES = `
  SELECT task_id AS id, outcome FROM workflow_nodes WHERE task_id = ANY($1::uuid[])`;

/** Nodes and all that hangs below them: one look-up a row (primary key of workflow_edges). */
export const NODES_BELOW = `
  WITH RECURSIVE below AS (
    SELECT unnest($1::uuid[]) AS id
    UNION
    SELECT c.child_id FROM below b
    CROSS JOIN LATERAL (SELECT e.child_id FROM workflow_edges e WHERE e.parent_id = b.id OFFSET 0) c
  )
  SELECT id FROM below`;

/** Takes those that are unfinished, so that none is claimed while it is looked at. */
export const HOLD_LIVE = `
  SELECT id, status FROM live_tasks WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`;

/** What a task that goes back to its beginning takes along. */
const KEPT = SHARED_COLUMNS.split(',')
  .map((column) => column.trim())
  .filter(
    (column) =>
      !['joining', 'run_at', 'start_by', 'queued_at', 'started_at', 'params', 'checkpoint', 'crash_count'].includes(
        column,
      ),
  );
const KEPT_COLUMNS = KEPT.join(', ');

/** What has not begun keeps the time before which it must not. */
const RUN_AT = (task: string): string =>
  `CASE WHEN ${task}.attempt = 0 THEN greatest(${task}.run_at, now()) ELSE now() END`;
/** A deadline that has passed is lifted. */
const START_BY = (task: string): string => `CASE WHEN ${task}.start_by > now() THEN ${task}.start_by END`;

/**
 * Back to waiting for what they depend on, for a new series of attempts: $2 are those that someone ($3) asked for ($4), the
 * others are below these. Only the former keep what they did so far and their checkpoint: what the others did was made
 * of results that will be different. They wait from now ($5: the seconds that a point of
 * priority is worth). Fences go on where they were; of having killed workers they are cleared. Gives how many there were.
 */
export const RESET_TASKS = `
  WITH gone AS (
    DELETE FROM finished_tasks t WHERE t.id = ANY($1::uuid[]) RETURNING t.*, t.id = ANY($2::uuid[]) AS asked_for
  ), revived AS (
    INSERT INTO live_tasks (${KEPT_COLUMNS}, joining, status, attempt, processed, total, checkpoint, params, run_at, updated_at,
      start_by, lane, rank)
    SELECT ${KEPT.map((column) => `g.${column}`).join(', ')}, false, 'created', 0, CASE WHEN asked_for THEN g.processed ELSE 0 END,
      CASE WHEN asked_for THEN g.total END, CASE WHEN asked_for THEN g.checkpoint END, coalesce(n.params, g.params), ${RUN_AT('g')}, now(),
      ${START_BY('g')}, ${LANE_OF({ queue: 'g.queue', type: 'g.type', key: 'g.concurrency_key' })},
      ${RANK_OF({ at: RUN_AT('g'), priority: 'g.priority', seconds: '$5::int' })}
    FROM gone g JOIN workflow_nodes n ON n.task_id = g.id
  ), called_back AS (
    UPDATE live_tasks t
    SET status = 'created', ready = false, started_at = NULL, crash_count = 0, deaths_alone = 0, attempt = 0, processed = 0, total = NULL, checkpoint = NULL, joining = false,
      error_code = NULL, error_category = NULL, error_message = NULL, params = coalesce(n.params, t.params),
      run_at = ${RUN_AT('t')}, start_by = ${START_BY('t')},
      updated_at = now()
    FROM workflow_nodes n
    WHERE t.id = ANY($1::uuid[]) AND n.task_id = t.id AND t.status = 'queued'
    RETURNING t.id, t.fence
  ), forgotten AS (
    UPDATE task_fan_outs SET weight = 0, processed = 0 WHERE parent_id = ANY($1::uuid[])
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason)
    SELECT id, status, 'created'::task_status, 0, fence, $3, CASE WHEN asked_for THEN $4 ELSE 'retry_above' END FROM gone
    UNION ALL
    SELECT id, 'queued', 'created', 0, fence, $3, 'retry_above' FROM called_back
  )
  SELECT count(*)::int AS revived FROM gone`;

/** As if none of their parents had ended; what those that have demand is applied next. */
export const RESET_NODES = `
  UPDATE workflow_nodes n
  SET outcome = NULL, verdict = 'run', blamed = NULL,
    waiting = (SELECT count(*) FROM workflow_edges e WHERE e.child_id = n.task_id)
  WHERE n.task_id = ANY($1::uuid[])
  RETURNING ${NODE_COLUMNS('n')}`;

/** A node whose task is at work again. */
export const REOPEN_NODE = `UPDATE workflow_nodes SET outcome = NULL WHERE task_id = $1`;

/** The parents of nodes that have ended, and what that means for each (index workflow_edges_child). */
export const ENDED_PARENTS = `
  SELECT e.child_id AS "childId", e.on_failure AS "onFailure", p.name, p.outcome
  FROM unnest($1::uuid[]) AS c(id)
  CROSS JOIN LATERAL (SELECT * FROM workflow_edges WHERE child_id = c.id OFFSET 0) e
  CROSS JOIN LATERAL (SELECT * FROM workflow_nodes WHERE task_id = e.parent_id OFFSET 0) p
  WHERE p.outcome IS NOT NULL`;

/** Counts anew (workflow_nodes_name); a retry is what takes a workflow's progress back. */
export const RECOUNT = `
  UPDATE workflows w
  SET open = c.open, completed = c.completed, failed = c.failed, cancelled = c.cancelled, skipped = c.skipped,
    weight_ended = c.weight, progress = 0, cancel_requested_at = NULL, updated_at = now(),
    completed_at = CASE WHEN c.open = 0 THEN w.completed_at END
  FROM (
    SELECT count(*) FILTER (WHERE outcome IS NULL)::int AS open,
      count(*) FILTER (WHERE outcome = 'completed')::int AS completed,
      count(*) FILTER (WHERE outcome = 'failed')::int AS failed,
      count(*) FILTER (WHERE outcome = 'cancelled')::int AS cancelled,
      count(*) FILTER (WHERE outcome = 'skipped')::int AS skipped,
      coalesce(sum(weight) FILTER (WHERE outcome IS NOT NULL), 0)::bigint AS weight
    FROM workflow_nodes WHERE workflow_id = $1) c
  WHERE w.id = $1`;
