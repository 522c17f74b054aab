const COLUMNS = `name, version, title, queue, priority, max_attempts, first_delay_ms, max_delay_ms, timeout_ms, input_schema,
  result_schema, concurrency_key`;

/**
 * Declares a type, or brings the policy of a declared one up to date. Gives no row when it is declared with other schemas
 * or another queue: tasks that exist were checked against those, and wait in that (primary key).
 */
export const DECLARE_TYPE = `
  INSERT INTO external_task_types AS known (${COLUMNS}, declared_by)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb, $12, $13)
  ON CONFLICT (name, version) DO UPDATE
  SET title = excluded.title, priority = excluded.priority, max_attempts = excluded.max_attempts,
    first_delay_ms = excluded.first_delay_ms, max_delay_ms = excluded.max_delay_ms, timeout_ms = excluded.timeout_ms,
    concurrency_key = excluded.concurrency_key, updated_at = now()
  WHERE known.queue = excluded.queue AND known.input_schema = excluded.input_schema
    AND known.result_schema IS NOT DISTINCT FROM excluded.result_schema
  RETURNING xmax = 0 AS created`;

/** The newest version of a type (primary key, backwards). */
export const NEWEST_TYPE = `
  SELECT ${COLUMNS} FROM external_task_types WHERE name = $1 ORDER BY version DESC LIMIT 1`;

export const TYPE_VERSION = `SELECT ${COLUMNS} FROM external_task_types WHERE name = $1 AND version = $2`;

/** The newest version of every type, and which others there are. */
export const ALL_TYPES = `
  SELECT DISTINCT ON (name) ${COLUMNS}, array_agg(version) OVER (PARTITION BY name) AS versions
  FROM external_task_types ORDER BY name, version DESC`;

export const TYPE_NAMES = `SELECT DISTINCT name FROM external_task_types ORDER BY name`;

/** Where the tasks of these types wait (primary key). */
export const QUEUES_OF_TYPES = `
  SELECT DISTINCT name, queue FROM external_task_types WHERE name = ANY($1::text[])`;
