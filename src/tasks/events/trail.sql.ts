/** Which transactions are over, and the database's time in whole seconds. */
export const TAKE_SNAPSHOT = `
  SELECT pg_current_snapshot()::text AS seen, floor(extract(epoch FROM clock_timestamp()))::int AS taken_at`;

const SINGLES = (transactions: string): string => `
    SELECT id, at, from_status, to_status, worker_id, actor, reason, ARRAY[task_id] AS task_ids, ARRAY[attempt] AS attempts,
      error_code, error_category, error_message, 1 AS size
    FROM task_events WHERE ${transactions} AND id >= $3`;

const BATCHES = (transactions: string): string => `
    SELECT id, at, from_status, to_status, worker_id, actor, reason, task_ids, attempts, NULL, NULL, NULL, cardinality(task_ids)
    FROM task_event_batches WHERE ${transactions} AND id >= $3`;

/** Begun after snapshot $1 was taken, and over when $2 was; the upper bound also keeps the index from reading on. */
const BEGUN_SINCE = `tx >= pg_snapshot_xmax($1::pg_snapshot) AND tx < pg_snapshot_xmax($2::pg_snapshot)
      AND pg_visible_in_snapshot(tx, $2::pg_snapshot)`;
/** Open when $1 was taken. */
const OPEN_THEN = `tx = ANY(ARRAY(SELECT pg_snapshot_xip($1::pg_snapshot))) AND pg_visible_in_snapshot(tx, $2::pg_snapshot)`;

/**
 * Audit rows of transactions that snapshot $2 shows and $1 did not, from row $3 on, in the order of their numbers, which is
 * each task's own order: at most $4 rows, and no further one when those before it tell of $5 events or more. Costs what it
 * finds and nothing for what is open or old: indexes task_events_tx, task_event_batches_tx. `more`: there is more.
 */
export const BETWEEN = `
  WITH found AS MATERIALIZED (${[BEGUN_SINCE, OPEN_THEN].flatMap((those) => [SINGLES(those), BATCHES(those)]).join(`
    UNION ALL`)}
    ORDER BY id LIMIT $4 + 1
  ), counted AS (
    SELECT *, sum(size) OVER (ORDER BY id) - size AS before, row_number() OVER (ORDER BY id) AS place FROM found
  ), fitting AS (
    SELECT * FROM counted WHERE before < $5 AND place <= $4
  )
  SELECT id, at, from_status, to_status, worker_id, actor, reason, task_ids, attempts, error_code, error_category, error_message,
    (SELECT count(*) FROM fitting) < (SELECT count(*) FROM found) AS more
  FROM fitting ORDER BY id`;

/**
 * Marks that the trail has come so far, unless it is where the last mark is or that is not $1 ms old (one from a time to come
 * tells that the clock was set back since), and forgets the oldest marks that are older than $2 seconds: more than are made.
 * Primary key, indexes task_events_tx, task_event_batches_tx.
 */
export const MARK = `
  WITH last AS (
    SELECT ends, at FROM task_event_marks ORDER BY ends DESC LIMIT 1
  ), forgotten AS (
    DELETE FROM task_event_marks WHERE at < now() - $2 * interval '1 second'
      AND ends = ANY(ARRAY(SELECT ends FROM task_event_marks ORDER BY ends LIMIT 10))
  )
  INSERT INTO task_event_marks (seen)
  SELECT pg_current_snapshot() WHERE NOT EXISTS (
      SELECT FROM last WHERE at > now() - $1 * interval '1 millisecond' AND at <= now())
    AND EXISTS (
      SELECT FROM (
        (SELECT tx FROM task_events ORDER BY tx DESC LIMIT 1)
        UNION ALL
        (SELECT tx FROM task_event_batches ORDER BY tx DESC LIMIT 1)) newest
      WHERE tx >= coalesce((SELECT ends FROM last), '0'))
  ON CONFLICT DO NOTHING`;

/**
 * The mark up to which to read on the way from snapshot $1 to $2: the last one before there are $3 rows of single tasks or $4
 * of many, or else the next. None when there are fewer rows, or no marks. A mark that knows more transactions than $1 was
 * taken later and shows all that $1 does. Primary key, indexes task_events_tx, task_event_batches_tx.
 */
export const NEXT_MARK = `
  WITH between AS MATERIALIZED (
    SELECT pg_snapshot_xmax($1::pg_snapshot) AS after, pg_snapshot_xmax($2::pg_snapshot) AS before
  ), far AS MATERIALIZED (
    SELECT tx FROM (
      (SELECT tx FROM task_events WHERE tx >= (SELECT after FROM between) ORDER BY tx OFFSET $3 LIMIT 1)
      UNION ALL
      (SELECT tx FROM task_event_batches WHERE tx >= (SELECT after FROM between) ORDER BY tx OFFSET $4 LIMIT 1)) each
    ORDER BY tx LIMIT 1
  ), mark AS (
    SELECT coalesce(
      (SELECT ends FROM task_event_marks WHERE ends > after AND ends <= tx ORDER BY ends DESC LIMIT 1),
      (SELECT ends FROM task_event_marks WHERE ends > after ORDER BY ends LIMIT 1)) AS ends
    FROM between, far
  )
  SELECT seen::text, floor(extract(epoch FROM at))::int AS taken_at
  FROM task_event_marks JOIN mark USING (ends), between WHERE ends < before`;

/** The mark that is snapshot $1 (primary key). */
export const MARK_OF = `
  SELECT seen::text, floor(extract(epoch FROM at))::int AS taken_at
  FROM task_event_marks WHERE ends = pg_snapshot_xmax($1::text::pg_snapshot) AND seen::text = $1`;

/** What filters ask about tasks, none of which ever changes. Primary keys. */
export const FACTS_OF_TASKS = `
  SELECT id, type, name, queue, parent_id, workflow_id FROM live_tasks WHERE id = ANY($1::uuid[])
  UNION ALL
  SELECT id, type, name, queue, parent_id, workflow_id FROM finished_tasks WHERE id = ANY($1::uuid[])`;

/** How far running tasks are (index live_tasks_running). */
export const PROGRESS = `
  SELECT id, type, name, queue, parent_id, workflow_id, task_items_done(id, processed) AS processed, total
  FROM live_tasks WHERE status = 'running' LIMIT $1`;
