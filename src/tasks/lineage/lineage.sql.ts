/** A task, and all that it was split into, however deep (primary keys, live_tasks_children, finished_tasks_children). */
export const TASK_FAMILY = `
  WITH RECURSIVE family AS (
    SELECT $1::uuid AS id
    UNION ALL
    SELECT c.id FROM family f CROSS JOIN LATERAL (
      SELECT id FROM live_tasks WHERE parent_id = f.id
      UNION ALL
      SELECT id FROM finished_tasks WHERE parent_id = f.id) c
  )
  SELECT id FROM family LIMIT $2`;

/** The tasks that a task is a part of, the nearest first (primary keys). */
export const ANCESTORS = `
  WITH RECURSIVE above AS (
    SELECT parent_id AS id, 1 AS distance FROM tasks WHERE id = $1
    UNION ALL
    SELECT t.parent_id, a.distance + 1 FROM above a JOIN tasks t ON t.id = a.id WHERE a.distance < 32
  )
  SELECT t.id, t.type, t.version, t.status FROM above a JOIN tasks t ON t.id = a.id ORDER BY a.distance`;

/** How many tasks of each type a task was split into, by how they stand (live_tasks_children, finished_tasks_children). */
export const CHILDREN_BY_TYPE = `
  SELECT type, version, status, count(*)::int AS count FROM (
    SELECT type, version, status FROM live_tasks WHERE parent_id = $1
    UNION ALL
    SELECT type, version, status FROM finished_tasks WHERE parent_id = $1) children
  GROUP BY type, version, status ORDER BY type, version, status`;

/** Which of these tasks are there yet, finished or not (primary keys). */
export const KNOWN_TASKS = `SELECT id FROM tasks WHERE id = ANY($1::uuid[])`;

const FIELDS = 'subject_id, part, task_id, task_type, task_version, input_checksum, made_at';

/** A page of what tasks made, of one source: `rows` is the source's own text, a constant. Index: the source's by task. */
export const madeByTasks = (rows: string): string => `
  SELECT ${FIELDS} FROM (${rows}) a
  WHERE task_id = ANY($1::uuid[]) AND (subject_id, part) > ($2::uuid, $3::text)
  ORDER BY subject_id, part LIMIT $4`;

export const countMadeByTasks = (rows: string): string => `
  SELECT count(*)::int AS count FROM (${rows}) a WHERE task_id = ANY($1::uuid[])`;

/** All that one source has of a subject: a handful. Index: the source's by subject. */
export const madeOfSubject = (rows: string): string => `
  SELECT ${FIELDS} FROM (${rows}) a WHERE subject_id = $1::uuid ORDER BY part`;
