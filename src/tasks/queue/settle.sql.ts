import { auditTogether, TOGETHER_FROM } from './audit.sql.js';
import { RANK_OF } from './lanes.sql.js';

/**
 * Held by this worker. Not `=`: that would match the index live_tasks_running, and the planner, who believes running tasks
 * to be few, would go through all of them for each row of the batch. So the primary key is all there is to find a row by.
 */
const HELD = `t.worker_id IS NOT DISTINCT FROM $1 AND t.status IS NOT DISTINCT FROM 'running'`;

/**
 * Says twice how the rows of a batch are found: with its ids as one array the index of the primary key is the way to them by
 * itself, whatever the planner believes about the table, and the batch is then joined in memory (see PLANNER_BY_KEY).
 */
const BY_ID = `t.id = ANY($2::uuid[])`;

/** Columns that a task takes along when it moves between live_tasks and finished_tasks. */
export const SHARED_COLUMNS = `id, type, version, queue, joining, priority, max_attempts, fence, crash_count, timeout_ms, run_at,
  start_by, created_at, queued_at, started_at, parent_id, parent_round, parent_position, weight, workflow_id, requested_by, name,
  description, domain, drift_score, dedup_key, concurrency_key, params, task_metadata, checkpoint`;

const tableColumns = (table: string): string => SHARED_COLUMNS.replaceAll(/\w+/g, `${table}.$&`);

/**
 * What follows when children ended: the fan-out's counters move (one row update a parent, however many of its children
 * are in the batch), and a parent whose last child ended becomes ready for its final step. Only the newest fan-out
 * counts for that: stragglers of an older one may end while a task that was run again waits for new children. Expects a
 * CTE `ended` with parent_id, parent_round, status and contribution.
 */
const ADVANCE_PARENTS = `
  advanced AS (
    UPDATE task_fan_outs f
    SET open = f.open - c.ended, completed = f.completed + c.completed, failed = f.failed + c.failed,
      cancelled = f.cancelled + c.cancelled, processed = f.processed + c.processed
    FROM (
      SELECT parent_id, parent_round, count(*)::int AS ended,
        count(*) FILTER (WHERE status = 'completed')::int AS completed,
        count(*) FILTER (WHERE status = 'failed')::int AS failed,
        count(*) FILTER (WHERE status = 'cancelled')::int AS cancelled, sum(contribution)::bigint AS processed
      FROM ended WHERE parent_id IS NOT NULL GROUP BY parent_id, parent_round) c
    WHERE f.parent_id = c.parent_id AND f.round = c.parent_round
    RETURNING f.parent_id, f.round, f.open
  ), woken AS (
    UPDATE live_tasks p
    SET status = 'queued', waiting = false, ready = true, joining = true, attempt = greatest(p.attempt - 1, 0),
      run_at = now(), queued_at = now(), updated_at = now()
    FROM advanced a
    WHERE a.open = 0 AND p.id = a.parent_id AND p.status = 'running' AND p.waiting
      AND a.round = (SELECT max(round) FROM task_fan_outs WHERE parent_id = p.id)
    RETURNING p.id, p.queue, p.attempt, p.fence
  ), woken_audit AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason)
    SELECT id, 'running', 'queued', attempt, fence, 'engine', 'children_ended' FROM woken
  )`;

/**
 * How much of its weight a task that did not complete adds to its parent: in proportion to what it did, rounded down as
 * task_items_done does. In numeric: the product may leave the range of a bigint.
 */
export const PARTIAL_CONTRIBUTION = `
  CASE WHEN coalesce(total, 0) = 0 THEN 0 ELSE least(weight, div(weight::numeric * processed, total)::bigint) END`;

/** A task's items done as it leaves live_tasks: with those of its children, whose rows outlive it. */
export const FINAL_ITEMS = `CASE WHEN t.joining THEN task_items_done(t.id, t.processed) ELSE t.processed END`;

/**
 * Ends attempts, a batch at a time: each row leaves live_tasks only if this worker still holds it under this fence, and
 * arrives in finished_tasks with its result in the same statement. Parallel arrays; all but ids and fences may be empty for
 * what is usual. Gives one row: how many were really settled; which, when some were no longer ours; and those that have a
 * parent or belong to a workflow. Index: primary keys. What the audit trail reads comes first of what is returned: the
 * rows of a CTE are unpacked up to the last column that is asked for, each time.
 */
export const FINISH = `
  WITH outcome AS (
    SELECT * FROM unnest($2::uuid[], $3::int[], $4::task_status[], $5::jsonb[], $6::text[], $7::text[], $8::text[],
      $9::bigint[], $10::bigint[], $11::text[])
      AS o(id, fence, outcome, result, code, category, message, done, expected, actor)
  ), ended AS (
    DELETE FROM live_tasks t USING outcome o
    WHERE ${BY_ID} AND t.id = o.id AND t.fence = o.fence AND ${HELD}
    RETURNING t.attempt, coalesce(o.outcome, 'completed') AS outcome, o.code,
      CASE WHEN o.outcome = 'cancelled' THEN coalesce(t.cancel_requested_by, o.actor, 'worker') ELSE coalesce(o.actor, 'worker') END AS actor,
      ${tableColumns('t')}, t.total, o.result, o.category, o.message,
      greatest(${FINAL_ITEMS}, o.done) AS final_processed, coalesce(o.expected, t.total) AS final_total
  ), archived AS (
    INSERT INTO finished_tasks (${SHARED_COLUMNS}, status, attempt, processed, total, updated_at, completed_at, result, error_code,
      error_category, error_message)
    SELECT ${SHARED_COLUMNS}, outcome, attempt,
      CASE WHEN outcome = 'completed' AND final_total IS NOT NULL THEN final_total ELSE final_processed END,
      final_total, now(), now(), result, code, category, message
    FROM ended
    RETURNING id, status, parent_id, parent_round, workflow_id,
      CASE WHEN status = 'completed' THEN weight ELSE ${PARTIAL_CONTRIBUTION} END AS contribution
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, worker_id, actor, reason, error_code, error_category,
      error_message)
    SELECT id, 'running', outcome, attempt, fence, $1, actor, outcome::text, code, category, message
    FROM ended WHERE code IS NOT NULL OR (SELECT count(*) FROM ended) < ${TOGETHER_FROM}
  ), audited_together AS (${auditTogether(
    { from: `'running'`, to: 'outcome', workerId: '$1', actor: 'actor', reason: 'outcome::text' },
    {
      source: 'ended WHERE code IS NULL',
      groupBy: 'outcome, actor,',
      having: `(SELECT count(*) FROM ended) >= ${TOGETHER_FROM}`,
    },
  )}
  )
  SELECT count(*)::int AS settled, CASE WHEN count(*) < cardinality($2::uuid[]) THEN array_agg(id) END AS ids,
    json_agg(json_build_object('id', id, 'parent_id', parent_id, 'parent_round', parent_round, 'workflow_id', workflow_id,
      'status', status, 'contribution', contribution::text))
      FILTER (WHERE parent_id IS NOT NULL OR workflow_id IS NOT NULL) AS followed
  FROM archived`;

/**
 * Takes fan-outs in one order, so that two batches with children of the same parents cannot wait for each other. Whoever
 * locks several rows of the engine takes tasks in the order of their ids, then fan-outs, then waiting parents.
 */
export const HOLD_FAN_OUTS = `
  SELECT round FROM task_fan_outs f
  WHERE EXISTS (SELECT 1 FROM unnest($1::uuid[], $2::int[]) AS e(parent_id, round) WHERE e.parent_id = f.parent_id AND e.round = f.round)
  ORDER BY parent_id, round FOR UPDATE`;

/** The second half of {@link FINISH} when some of the settled tasks have a parent; same transaction. */
export const ADVANCE = `
  WITH ended AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::task_status[], $4::bigint[]) AS e(parent_id, parent_round, status, contribution)
    ORDER BY parent_id
  ), ${ADVANCE_PARENTS}
  SELECT id, queue FROM woken`;

/**
 * Gives attempts back: to be tried again after a wait (`backoff`), or without counting: at once (`released`), or when its circuit
 * is closed again (`parked`), then behind
 * those that wait already ($11: the seconds that a point of priority is worth): one that never goes well would be tried for ever. Not
 * those of tasks that somebody wants cancelled: they would be claimed again before the cancellation comes to them. An attempt that
 * came to an end by itself clears its task of suspicion; a suspect that is released stays one, and is not ready for all.
 */
export const REQUEUE = `
  WITH outcome AS (
    SELECT * FROM unnest($2::uuid[], $3::int[], $4::float8[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[],
      $10::bigint[]) AS o(id, fence, delay_ms, reason, code, category, message, done, expected)
  ), requeued AS (
    UPDATE live_tasks t
    SET status = 'queued', worker_id = NULL, ready = o.delay_ms <= 0 AND (o.reason <> 'released' OR t.crash_count = 0),
      crash_count = CASE WHEN o.reason = 'released' THEN t.crash_count ELSE 0 END,
      deaths_alone = CASE WHEN o.reason = 'released' THEN t.deaths_alone ELSE 0 END,
      run_at = now() + o.delay_ms * interval '1 millisecond',
      rank = CASE WHEN o.reason = 'parked' THEN ${RANK_OF({ at: 'now()', priority: 't.priority', seconds: '$11::int' })} ELSE t.rank END,
      queued_at = now(), updated_at = now(), attempt = t.attempt - CASE WHEN o.reason = 'backoff' THEN 0 ELSE 1 END,
      processed = greatest(t.processed, o.done), total = coalesce(o.expected, t.total),
      error_code = coalesce(o.code, t.error_code), error_category = coalesce(o.category, t.error_category),
      error_message = coalesce(o.message, t.error_message)
    FROM outcome o
    WHERE ${BY_ID} AND t.id = o.id AND t.fence = o.fence AND ${HELD} AND t.cancel_requested_at IS NULL
    RETURNING t.id, t.queue, t.attempt, t.fence, t.ready, o.reason, o.code, o.category, o.message
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, worker_id, actor, reason, error_code, error_category,
      error_message)
    SELECT id, 'running', 'queued', attempt, fence, $1, 'worker', reason, code, category, message FROM requeued
  )
  SELECT id, queue, ready FROM requeued`;

/** Puts a task aside until the children of fan-out round $4 have ended; then the attempt is given back. */
export const WAIT_FOR_CHILDREN = `
  WITH waiting AS (
    UPDATE live_tasks
    SET waiting = true, worker_id = NULL, joining = true, crash_count = 0, deaths_alone = 0, checkpoint = $5::jsonb,
      total = coalesce($6, total), updated_at = now()
    WHERE id = $2 AND fence = $3 AND worker_id = $1 AND status = 'running'
    RETURNING id, cancel_requested_at IS NOT NULL AS cancel, cancel_requested_by
  ), counted AS (
    INSERT INTO task_fan_outs (parent_id, round, total, open, weight) SELECT id, $4, $7, $7, $8 FROM waiting
  )
  SELECT id, cancel, cancel_requested_by FROM waiting`;

export const NEXT_ROUND = `
  SELECT coalesce(max(round), 0) + 1 AS round, coalesce(sum(weight), 0)::bigint AS weight FROM task_fan_outs WHERE parent_id = $1`;

/**
 * A further fan-out makes what is done a smaller share of the whole: before it, the tasks above take note of how far they
 * have come, so that their progress does not go backwards.
 */
export const PIN_ANCESTORS = `
  WITH RECURSIVE above AS (
    SELECT parent_id AS id FROM live_tasks WHERE id = $1
    UNION ALL
    SELECT p.parent_id FROM live_tasks p JOIN above a ON p.id = a.id
  )
  UPDATE live_tasks t SET processed = task_items_done(t.id, t.processed)
  FROM above a WHERE t.id = a.id AND t.status = 'running' AND t.waiting`;

/**
 * A fenced transaction's first statement: takes the row so that nobody settles or rescues it meanwhile, and limits how
 * long the transaction may stand still ($4, in milliseconds), so that a process that is stopped within it does not
 * keep the task from being rescued.
 */
export const HOLD = `
  SELECT id, set_config('idle_in_transaction_session_timeout', $4, true) FROM live_tasks WHERE id = $2 AND fence = $3 AND worker_id = $1 AND status = 'running' FOR NO KEY UPDATE`;

export const SAVE_CHECKPOINT = `
  UPDATE live_tasks SET checkpoint = $4::jsonb, updated_at = now()
  WHERE id = $2 AND fence = $3 AND worker_id = $1 AND status = 'running' RETURNING id`;

/**
 * Progress of many attempts at once; rewritten in place (no indexed column changes), never backwards. A task whose row is
 * taken (its handler is in a transaction) is left out, so that it does not hold up the others. Gives the ids written.
 */
export const WRITE_PROGRESS = `
  WITH free AS (
    SELECT t.id, p.done, p.expected
    FROM unnest($2::uuid[], $3::int[], $4::bigint[], $5::bigint[]) AS p(id, fence, done, expected)
    JOIN live_tasks t ON ${BY_ID} AND t.id = p.id AND t.fence = p.fence AND ${HELD}
    FOR NO KEY UPDATE OF t SKIP LOCKED
  )
  UPDATE live_tasks t SET processed = greatest(t.processed, f.done), total = coalesce(f.expected, t.total), updated_at = now()
  FROM free f WHERE ${BY_ID} AND t.id = f.id RETURNING t.id`;
