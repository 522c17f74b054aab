import { OF_TYPE } from '../queue/read.sql.js';

/**
 * Types that finished tasks have, by leaps through the index finished_tasks_kind. Of two that share a hash, as one pair in 4
 * billion does, it gives one.
 */
export const FINISHED_TYPES = `
  WITH RECURSIVE types AS (
    (SELECT type FROM finished_tasks ORDER BY hashtext(type) LIMIT 1)
    UNION ALL
    SELECT (
      SELECT f.type FROM finished_tasks f WHERE hashtext(f.type) > hashtext(t.type) ORDER BY hashtext(f.type) LIMIT 1)
    FROM types t WHERE t.type IS NOT NULL
  )
  SELECT type FROM types WHERE type IS NOT NULL`;

/** Index finished_tasks_kind, in whose order it asks: the planner would rather gather all of a common type first. */
export const TYPE_HAS_FINISHED = `SELECT 1 FROM finished_tasks WHERE ${OF_TYPE('$1')} ORDER BY status, id LIMIT 1`;

/**
 * The next tasks of a type ($1) and outcome ($2) that ended before $5, after task $3, and about how many tasks each
 * would take along. Batches of another task go with that one, and nodes with their workflow. $4 is the first id of the time $5: no task ends before it
 * is created, so what is younger is not looked at. Index finished_tasks_kind, or finished_tasks_unsuccessful.
 */
export const EXPIRED = `
  SELECT t.id, 1 + coalesce((SELECT sum(f.total) FROM task_fan_outs f WHERE f.parent_id = t.id), 0)::int AS size
  FROM finished_tasks t
  WHERE ${OF_TYPE('$1')} AND t.status = $2 AND t.id > $3 AND t.id < $4 AND t.completed_at < $5 AND t.parent_id IS NULL
    AND t.workflow_id IS NULL
  ORDER BY t.id LIMIT $6`;

/**
 * The next workflows ($4: after this one) that are finished, and whose every task has been kept as long as its type and
 * outcome say: $1 to $3 are what may go, ended before when. $5 is the first id of the time $6, the latest of these.
 * Primary keys, workflow_nodes_name.
 */
export const EXPIRED_WORKFLOWS = `
  SELECT w.id, w.total + coalesce((
      SELECT sum(f.total) FROM workflow_nodes n JOIN task_fan_outs f ON f.parent_id = n.task_id WHERE n.workflow_id = w.id), 0)::int AS size
  FROM workflows w
  WHERE w.id > $4 AND w.id < $5 AND w.completed_at < $6 AND NOT EXISTS (
    SELECT 1 FROM workflow_nodes n JOIN finished_tasks t ON t.id = n.task_id
    LEFT JOIN unnest($1::text[], $2::task_status[], $3::timestamptz[]) AS s(type, outcome, before)
      ON s.type = t.type AND s.outcome = t.status AND t.completed_at < s.before
    WHERE n.workflow_id = w.id AND s.type IS NULL)
  ORDER BY w.id LIMIT $7`;

/** Members of workflows; a workflow all of whose tasks are gone has one that is null. Indexes workflow_nodes_name, primary key. */
export const TASKS_OF_WORKFLOWS = `
  SELECT w.id AS root, t.id FROM unnest($1::uuid[]) AS w(id)
  LEFT JOIN (workflow_nodes n JOIN finished_tasks t ON t.id = n.task_id) ON n.workflow_id = w.id`;

/**
 * Tasks ($2) with all their batches, however deep (index finished_tasks_children), each with what it goes with ($1: itself,
 * or a workflow); without any that goes with an unfinished one (index live_tasks_children). found_at is no later than
 * what was seen.
 */
export const FAMILIES = `
  WITH RECURSIVE family AS (
    SELECT root, id FROM unnest($1::uuid[], $2::uuid[]) AS r(root, id)
    UNION ALL
    SELECT f.root, c.id FROM family f JOIN finished_tasks c ON c.parent_id = f.id
  )
  SELECT f.root, f.id, now()::text AS found_at FROM family f
  WHERE f.root NOT IN (SELECT g.root FROM family g JOIN live_tasks l ON l.parent_id = g.id)
  ORDER BY f.id`;

/**
 * A task as a line of an archive: the row, its audit trail as EVENTS_OF_TASK gives it, its fan-outs, and its place in a
 * workflow. Primary keys, task_event_batches_tasks, workflow_edges_child.
 */
export const ARCHIVE_LINES = `
  SELECT (to_jsonb(t) || jsonb_build_object(
    'events', coalesce((SELECT jsonb_agg(to_jsonb(e) ORDER BY e.id) FROM (
      SELECT id, at, from_status, to_status, attempt, fence, worker_id, actor, reason, error_code, error_category, error_message
      FROM task_events WHERE task_id = t.id
      UNION ALL
      SELECT b.id, b.at, b.from_status, b.to_status, coalesce(u.attempt, 0), coalesce(u.fence, 0), b.worker_id, b.actor,
        b.reason, NULL, NULL, NULL
      FROM task_event_batches b, unnest(b.task_ids, b.attempts, b.fences) AS u(task_id, attempt, fence)
      WHERE b.tasks @> t.id AND u.task_id = t.id) e), '[]'),
    'fan_outs', coalesce((
      SELECT jsonb_agg(to_jsonb(f) - 'parent_id' ORDER BY f.round) FROM task_fan_outs f WHERE f.parent_id = t.id), '[]'),
    'workflow', (
      SELECT jsonb_build_object('id', w.id, 'name', w.name, 'node', n.name, 'outcome', n.outcome, 'after', coalesce((
        SELECT jsonb_agg(jsonb_build_object('task_id', g.parent_id, 'on_failure', g.on_failure) ORDER BY g.parent_id)
        FROM workflow_edges g WHERE g.child_id = t.id), '[]'))
      FROM workflow_nodes n JOIN workflows w ON w.id = n.workflow_id WHERE n.task_id = t.id)
  ))::text AS line
  FROM finished_tasks t WHERE t.id = ANY($1::uuid[]) ORDER BY t.id`;

/** Takes workflows that are about to go, unless they have been run again since they were found. Primary key. */
export const TAKE_WORKFLOWS = `
  SELECT id FROM workflows WHERE id = ANY($1::uuid[]) AND completed_at <= $2::timestamptz ORDER BY id FOR UPDATE`;

/** Takes tasks that are about to go, unless they have been run again since they were found. Primary key. */
export const TAKE = `
  SELECT id FROM finished_tasks WHERE id = ANY($1::uuid[]) AND completed_at <= $2::timestamptz ORDER BY id FOR UPDATE`;

/** Primary keys. */
export const REMOVE = `
  WITH tasks AS (
    DELETE FROM finished_tasks WHERE id = ANY($1::uuid[])
  ), fan_outs AS (
    DELETE FROM task_fan_outs WHERE parent_id = ANY($1::uuid[])
  ), events AS (
    DELETE FROM task_events WHERE task_id = ANY($1::uuid[]) RETURNING 1
  )
  SELECT count(*)::int AS events FROM events`;

/** Workflows whose tasks are gone. Primary keys, workflow_nodes_name. */
export const REMOVE_WORKFLOWS = `
  WITH nodes AS (
    DELETE FROM workflow_nodes WHERE workflow_id = ANY($1::uuid[]) RETURNING task_id
  ), edges AS (
    DELETE FROM workflow_edges WHERE parent_id IN (SELECT task_id FROM nodes)
  )
  DELETE FROM workflows WHERE id = ANY($1::uuid[])`;

/**
 * The next $3 audit rows of many tasks after row $2 and from before $1: removes those none of whose tasks is there any
 * more. Scalar subqueries, so that no plan hashes all tasks for them. Primary keys.
 */
export const REMOVE_EVENT_BATCHES = `
  WITH looked_at AS (
    SELECT id, task_ids FROM task_event_batches WHERE id > $2 AND at < $1 ORDER BY id LIMIT $3
  ), removed AS (
    DELETE FROM task_event_batches WHERE id IN (
      SELECT b.id FROM looked_at b WHERE NOT EXISTS (
        SELECT 1 FROM unnest(b.task_ids) AS t(id)
        WHERE coalesce((SELECT true FROM finished_tasks f WHERE f.id = t.id), (SELECT true FROM live_tasks l WHERE l.id = t.id))))
    RETURNING 1
  )
  SELECT (SELECT max(id) FROM looked_at) AS last, (SELECT count(*) FROM removed)::int AS removed`;

/**
 * Of the next $2 tasks after $1 that have finished batches, by leaps through the index finished_tasks_children, those that are
 * not there themselves, and where to look on (primary keys).
 */
export const MISSING_PARENTS = `
  WITH RECURSIVE parents AS (
    (SELECT parent_id AS id, 1 AS nth FROM finished_tasks WHERE parent_id > $1 ORDER BY parent_id LIMIT 1)
    UNION ALL
    SELECT (SELECT f.parent_id FROM finished_tasks f WHERE f.parent_id > p.id ORDER BY f.parent_id LIMIT 1), p.nth + 1
    FROM parents p WHERE p.id IS NOT NULL AND p.nth < $2
  )
  SELECT (array_agg(p.id ORDER BY p.id DESC))[1] AS last, coalesce(array_agg(p.id) FILTER (WHERE NOT coalesce(
    (SELECT true FROM finished_tasks f WHERE f.id = p.id), (SELECT true FROM live_tasks l WHERE l.id = p.id), false)), '{}') AS missing
  FROM parents p WHERE p.id IS NOT NULL`;

/** How far a run has come, in the transaction that holds its task and removes. Primary key. */
export const NOTE_PROGRESS = `UPDATE live_tasks SET checkpoint = $2::jsonb, updated_at = now() WHERE id = $1`;

/** A piece of the idempotency keys that were made before $1 (index task_idempotency_keys_created_at). */
export const REMOVE_IDEMPOTENCY_KEYS = `
  WITH removed AS (
    DELETE FROM task_idempotency_keys WHERE (actor, key) IN (
      SELECT actor, key FROM task_idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)
    RETURNING 1
  )
  SELECT count(*)::int AS removed FROM removed`;

export const KEEP_ARCHIVE = `
  INSERT INTO task_archives (name, removed_by, tasks, size_bytes, checksum) VALUES ($1, $2, $3, $4, $5)`;

/** Primary key. */
export const KNOWN_ARCHIVES = `SELECT name FROM task_archives WHERE name = ANY($1::text[])`;

/** Primary key; names begin with the id of the task that wrote them, so they are in the order of time. */
export const LIST_ARCHIVES = `
  SELECT name, removed_by, tasks, size_bytes, encode(checksum, 'hex') AS checksum, created_at
  FROM task_archives WHERE name > $1 ORDER BY name LIMIT $2`;

export const ALL_POLICIES = `SELECT type, outcome, keep_days, updated_at, updated_by FROM task_retention ORDER BY type, outcome`;

export const FORGET_POLICY = `DELETE FROM task_retention WHERE type = $1 RETURNING outcome`;

export const WRITE_POLICY = `
  INSERT INTO task_retention (type, outcome, keep_days, updated_by)
  SELECT $1, p.outcome, p.keep_days, $4 FROM unnest($2::task_status[], $3::int[]) AS p(outcome, keep_days)
  ON CONFLICT (type, outcome) DO UPDATE SET keep_days = excluded.keep_days, updated_by = excluded.updated_by, updated_at = now()`;
