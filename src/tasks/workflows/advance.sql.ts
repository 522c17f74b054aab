import { LANE_OF } from '../queue/lanes.sql.js';
import { SHARED_COLUMNS } from '../queue/settle.sql.js';

/** A row of workflow_nodes as the ripple takes it. */
export const NODE_COLUMNS = (
  n: string,
): string => `${n}.task_id AS id, ${n}.workflow_id AS "workflowId", ${n}.name, ${n}.level,
  ${n}.weight, ${n}.reads IS NOT NULL AS dynamic, ${n}.waiting, ${n}.verdict, ${n}.blamed, ${n}.outcome`;

/**
 * Whoever changes nodes of a workflow takes its row first, before any row of live_tasks: then ends of its nodes follow
 * one another, and neither their counters nor the locks on their tasks can cross (primary key).
 */
export const HOLD_WORKFLOWS = `
  SELECT id FROM workflows WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`;

/** The same of those that nobody holds, for whoever comes again. */
export const HOLD_FREE_WORKFLOWS = `${HOLD_WORKFLOWS} SKIP LOCKED`;

export const HOLD_WORKFLOWS_OF_TASKS = `
  SELECT id FROM workflows WHERE id = ANY(ARRAY(SELECT workflow_id FROM live_tasks WHERE id = ANY($1::uuid[]) AND workflow_id IS NOT NULL))
  ORDER BY id FOR UPDATE`;

/** Notes how nodes ended (primary key); those that had ended before are left out. */
export const END_NODES = `
  UPDATE workflow_nodes n SET outcome = e.outcome
  FROM unnest($1::uuid[], $2::workflow_outcome[]) AS e(id, outcome)
  WHERE n.task_id = e.id AND n.outcome IS NULL
  RETURNING ${NODE_COLUMNS('n')}`;

/**
 * The edges below nodes $1, and below those open nodes under them whose level is at most $2: as far as a cascade may come
 * (primary keys). Looking further ahead at once saves statements when a long chain falls; looking no further saves
 * reading half the graph when the cascade stops at the next node.
 *
 * Each step is a look-up for one row, by LATERAL with OFFSET 0: planned as joins, the steps of the recursion would go
 * through the whole graph each, because the planner does not know how few rows one has.
 */
export const EDGES_BELOW = `
  WITH RECURSIVE expanded AS (
    SELECT unnest($1::uuid[]) AS id
    UNION
    SELECT c.child_id FROM expanded x
    CROSS JOIN LATERAL (SELECT e.child_id FROM workflow_edges e WHERE e.parent_id = x.id OFFSET 0) c
    WHERE (SELECT n.level <= $2 AND n.outcome IS NULL FROM workflow_nodes n WHERE n.task_id = c.child_id)
  )
  SELECT x.id AS "parentId", e.on_failure AS "onFailure", ${NODE_COLUMNS('n')}
  FROM expanded x
  LEFT JOIN LATERAL (SELECT * FROM workflow_edges WHERE parent_id = x.id OFFSET 0) e ON true
  LEFT JOIN LATERAL (SELECT * FROM workflow_nodes WHERE task_id = e.child_id OFFSET 0) n ON true`;

/** What nodes ask of their parents' results, and the type that their input must fit (primary keys). */
export const NODE_RULES = `
  SELECT n.task_id AS id, n.params, n.skip_if AS "skipIf", n.reads, t.type, t.version
  FROM workflow_nodes n JOIN live_tasks t ON t.id = n.task_id
  WHERE n.task_id = ANY($1::uuid[])`;

/** Results of tasks that completed (primary key). */
export const RESULTS = `
  SELECT id, result FROM finished_tasks WHERE id = ANY($1::uuid[]) AND status = 'completed'`;

/** Ends tasks that never started because of what they depend on: one statement, however many fall at once. */
export const END_BLOCKED = `
  WITH outcome AS (
    SELECT * FROM unnest($1::uuid[], $2::task_status[], $3::text[], $4::text[], $5::text[])
      AS o(id, outcome, code, message, reason)
  ), ended AS (
    DELETE FROM live_tasks t USING outcome o WHERE t.id = o.id AND t.status = 'created'
    RETURNING t.*, o.outcome, o.code, o.message, o.reason
  ), archived AS (
    INSERT INTO finished_tasks (${SHARED_COLUMNS}, status, attempt, processed, total, updated_at, completed_at, error_code,
      error_category, error_message)
    SELECT ${SHARED_COLUMNS}, outcome, attempt, processed, total, now(), now(), code,
      CASE WHEN outcome = 'failed' THEN 'permanent' END, message
    FROM ended
  )
  INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason, error_code, error_category, error_message)
  SELECT id, 'created', outcome, attempt, fence, 'dependency', reason, code, CASE WHEN outcome = 'failed' THEN 'permanent' END, message
  FROM ended ORDER BY id`;

/** Writes back what the ripple changed, and lets those start ($6) that may: with their params ($7) where these are new, and the keys ($8) of those. */
export const SAVE_RIPPLE = `
  WITH saved AS (
    UPDATE workflow_nodes n
    SET waiting = s.waiting, verdict = s.verdict, blamed = s.blamed, outcome = s.outcome
    FROM unnest($1::uuid[], $2::int[], $3::workflow_verdict[], $4::text[], $5::workflow_outcome[])
      AS s(id, waiting, verdict, blamed, outcome)
    WHERE n.task_id = s.id
  ), released AS (
    UPDATE live_tasks t
    SET status = 'queued', ready = t.run_at <= now(), queued_at = now(), updated_at = now(), params = coalesce(r.params, t.params), concurrency_key = CASE WHEN r.params IS NULL THEN t.concurrency_key ELSE r.key END,
      lane = CASE WHEN r.params IS NULL THEN t.lane ELSE ${LANE_OF({ queue: 't.queue', type: 't.type', key: 'r.key' })} END
    FROM unnest($6::uuid[], $7::jsonb[], $8::text[]) AS r(id, params, key)
    WHERE t.id = r.id AND t.status = 'created'
    RETURNING t.id, t.queue, t.attempt, t.fence
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason)
    SELECT id, 'created', 'queued', attempt, fence, 'dependency', 'dependencies_met' FROM released
  )
  SELECT DISTINCT queue FROM released`;

/** Counts ended nodes: one row update a workflow, however many of its nodes ended. */
export const COUNT_ENDED = `
  UPDATE workflows w
  SET open = w.open - c.ended, completed = w.completed + c.completed, failed = w.failed + c.failed,
    cancelled = w.cancelled + c.cancelled, skipped = w.skipped + c.skipped, weight_ended = w.weight_ended + c.weight,
    completed_at = CASE WHEN w.open = c.ended THEN now() END, updated_at = now()
  FROM (
    SELECT id, count(*)::int AS ended,
      count(*) FILTER (WHERE outcome = 'completed')::int AS completed,
      count(*) FILTER (WHERE outcome = 'failed')::int AS failed,
      count(*) FILTER (WHERE outcome = 'cancelled')::int AS cancelled,
      count(*) FILTER (WHERE outcome = 'skipped')::int AS skipped, sum(weight)::bigint AS weight
    FROM unnest($1::uuid[], $2::workflow_outcome[], $3::int[]) AS e(id, outcome, weight)
    GROUP BY id) c
  WHERE w.id = c.id`;
