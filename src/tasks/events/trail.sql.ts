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

/** What filters ask about tasks, none of which ever changes. Primary keys. */
export const FACTS_OF_TASKS = `
  SELECT id, type, name, queue, parent_id, workflow_id FROM live_tasks WHERE id = ANY($1::uuid[])
  UNION ALL
  SELECT id, type, name, queue, parent_id, workflow_id FROM finished_tasks WHERE id = ANY($1::uuid[])`;

/** How far running tasks are (index live_tasks_running). */
export const PROGRESS = `
  SELECT id, type, name, queue, parent_id, workflow_id, task_items_done(id, processed) AS processed, total
  FROM live_tasks WHERE status = 'running' LIMIT $1`;
