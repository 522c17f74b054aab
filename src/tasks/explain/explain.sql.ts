import { TASK_COLUMNS } from '../queue/read.sql.js';

/**
 * A task with its place in the queue and its last move (primary keys, task_event_batches_tasks), in one statement: all of
 * one moment. The moves are gathered before they are ordered: else the planner might read the trail backwards for them.
 */
export const EXPLAINED_TASK = `
  WITH moves AS MATERIALIZED (
    SELECT id, actor, reason FROM task_events WHERE task_id = $1
    UNION ALL
    SELECT id, actor, reason FROM task_event_batches WHERE tasks @> $1::uuid AND $1::uuid = ANY(task_ids)
  ), last AS (
    SELECT actor AS last_actor, reason AS last_reason FROM moves ORDER BY moves.id DESC LIMIT 1
  )
  SELECT ${TASK_COLUMNS}, worker_id, coalesce((SELECT l.ready FROM live_tasks l WHERE l.id = $1), false) AS ready,
    last_actor, last_reason, clock_timestamp() AS now
  FROM tasks LEFT JOIN last ON true
  WHERE id = $1`;

/**
 * How many ready tasks of its lane are taken before a task ($1), up to a bound ($2). Read in the order in which they are
 * taken, which only live_tasks_ready has: told to look for what is before it, the planner might go through all older ones,
 * among them a million whose time has not come.
 */
export const AHEAD_IN_QUEUE = `
  SELECT count(*) FILTER (WHERE first.rank < own.rank OR first.id < own.id)::int AS ahead
  FROM (SELECT id, lane, rank FROM live_tasks WHERE id = $1) own CROSS JOIN LATERAL (
    SELECT id, rank FROM live_tasks t WHERE t.lane = own.lane AND status = 'queued' AND ready AND t.rank <= own.rank
    ORDER BY t.rank, t.id LIMIT $2
  ) first`;

/**
 * Living workers that take tasks from queues (not the cells of suspects, nor the leases of external claims): what each knows
 * and how much of the queue's budget it has and uses (indexes live_tasks_running and primary keys: as many rows as there
 * are slots).
 */
export const WORKERS_FOR = `
  SELECT w.id, coalesce((w.queues ->> $1)::int, 0) AS slots, $2 = ANY(w.types) AS knows_type,
    CASE WHEN cardinality(w.versions) = cardinality(w.types) THEN w.versions[array_position(w.types, $2)] END AS knows_version,
    (SELECT count(*)::int FROM live_tasks t WHERE t.worker_id = w.id AND t.status = 'running' AND t.queue = $1) AS running
  FROM task_workers w WHERE w.lease_expires_at > now() AND NOT w.isolated AND NOT w.external`;

/** Whether this type and version was declared for external workers, and how many of its tasks they hold (live_tasks_running). */
export const EXTERNAL_TYPE = `
  SELECT max(version) AS newest, (SELECT count(*)::int FROM live_tasks WHERE type = $1 AND status = 'running') AS running
  FROM external_task_types WHERE name = $1 HAVING count(*) > 0`;

export const WORKER = `
  SELECT hostname, pid, seen_at, isolated, external, lease_expires_at > now() AS alive FROM task_workers WHERE id = $1`;

/**
 * How many suspects have their turn before this one, of type $4 in queue $5, up to a bound (live_tasks_suspects), and whether
 * one runs alone now. Cells take those of all queues in turn; external workers take those of theirs, and cells do not.
 */
export const SUSPECTS_AHEAD = `
  SELECT (SELECT count(*)::int FROM (
    SELECT 1 FROM live_tasks WHERE status = 'queued' AND NOT ready AND crash_count > 0 AND (crash_count, id) < ($1, $2)
      AND CASE WHEN $4::text IN (SELECT name FROM external_task_types) THEN queue = $5::text
        ELSE type NOT IN (SELECT name FROM external_task_types) END
    LIMIT $3
  ) before) AS ahead,
    EXISTS (SELECT 1 FROM task_workers WHERE isolated AND lease_expires_at > now()) AS cell_is_open`;

/** What a node of a workflow waits for, and what the parents that have ended demand of it (workflow_edges_child). */
export const OPEN_DEPENDENCIES = `
  SELECT p.name, p.task_id AS id, coalesce(t.status::text, 'created') AS status, e.on_failure
  FROM workflow_edges e JOIN workflow_nodes p ON p.task_id = e.parent_id LEFT JOIN live_tasks t ON t.id = p.task_id
  WHERE e.child_id = $1 AND p.outcome IS NULL
  ORDER BY t.status DESC, p.name LIMIT $2`;

export const WORKFLOW_NODE = `
  SELECT n.name, n.waiting, n.verdict, n.blamed, w.name AS workflow
  FROM workflow_nodes n JOIN workflows w ON w.id = n.workflow_id WHERE n.task_id = $1`;

/** The newest fan-out of a task (primary key of task_fan_outs). */
export const LAST_FAN_OUT = `
  SELECT round, total, open, completed, failed, cancelled FROM task_fan_outs WHERE parent_id = $1 ORDER BY round DESC LIMIT 1`;

/** Some of what a task waits for: what runs first, then the oldest (index live_tasks_children). */
export const OPEN_CHILDREN = `
  SELECT id, type, status FROM live_tasks WHERE parent_id = $1 ORDER BY status DESC, id LIMIT $2`;

/** How the limits of a type stand, and the concurrency key of one of its tasks (primary keys). */
export const LIMIT_STATE = `
  SELECT s.circuit, s.failures, s.opened_at AS "openedAt", s.probe_at AS "probeAt", s.last_error AS "lastError", s.tokens,
    extract(epoch FROM clock_timestamp() - s.tokens_at)::float8 * 1000 AS "tokensAgeMs", NULL::float8 AS "probeInMs", t.concurrency_key AS key
  FROM task_limit_states s LEFT JOIN live_tasks t ON t.id = $2
  WHERE s.scope = 'type' AND s.name = $1`;

/** How many tasks of a type with a key workers hold (index live_tasks_running: as many rows as there are slots). */
export const KEY_RUNNING = `
  SELECT count(*)::int AS running FROM live_tasks WHERE status = 'running' AND worker_id IS NOT NULL AND type = $1 AND concurrency_key = $2`;
