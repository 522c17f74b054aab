const SCHEDULE = `s.id, s.name, s.description, s.task_type, s.task_version, s.params, s.cron, s.time_zone, s.catch_up,
  s.catch_up_max, s.overlap, s.priority, s.start_within_ms, s.next_tick_at, s.paused_at, s.paused_by, s.created_at, s.created_by,
  s.updated_at, s.updated_by`;

const TICK = `t.schedule_id, t.tick_at, t.cause, t.outcome, t.task_id, t.missed_from, t.error_code, t.error_message, t.decided_at`;

/**
 * Schedules with their latest tick, the latest task, and how many ticks wait: backwards along task_schedule_ticks' primary
 * key, of which few rows a schedule are kept, and one look-up of a task by id.
 */
const VIEW = `
  SELECT ${SCHEDULE}, to_jsonb(tick) AS last_tick, to_jsonb(task) AS last_task,
    (SELECT count(*)::int FROM task_schedule_ticks w WHERE w.schedule_id = s.id AND w.outcome = 'waiting') AS waiting
  FROM task_schedules s
  LEFT JOIN LATERAL (
    SELECT ${TICK} FROM task_schedule_ticks t WHERE t.schedule_id = s.id ORDER BY t.tick_at DESC, t.cause DESC LIMIT 1
  ) tick ON true
  LEFT JOIN LATERAL (
    SELECT t.task_id FROM task_schedule_ticks t WHERE t.schedule_id = s.id AND t.task_id IS NOT NULL
    ORDER BY t.tick_at DESC, t.cause DESC LIMIT 1
  ) started ON true
  LEFT JOIN LATERAL (
    SELECT k.id, k.status, k.created_at, k.completed_at, k.error_code, k.error_message FROM tasks k WHERE k.id = started.task_id
  ) task ON true`;

/** In the order of creation, which is that of ids. Primary key. */
export const LIST_SCHEDULES = `${VIEW} WHERE $1::uuid IS NULL OR s.id > $1 ORDER BY s.id LIMIT $2`;

export const VIEW_SCHEDULE = `${VIEW} WHERE s.id = $1`;

/** Index task_schedules_name. */
export const SCHEDULE_ID_BY_NAME = `SELECT id FROM task_schedules WHERE lower(name) = lower($1)`;

/** Everything that is done to a schedule or for its ticks begins with this lock. */
export const LOCK_SCHEDULE = `SELECT ${SCHEDULE} FROM task_schedules s WHERE id = $1 FOR UPDATE`;

/** The same for whoever need not be the one: another process is at it already. */
export const LOCK_SCHEDULE_IF_FREE = `${LOCK_SCHEDULE} SKIP LOCKED`;

/** Refused by task_schedules_name when another one has the name. */
export const INSERT_SCHEDULE = `
  INSERT INTO task_schedules (id, name, description, task_type, task_version, params, cron, time_zone, catch_up, catch_up_max,
    overlap, next_tick_at, created_by, updated_by, priority, start_within_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, $15)`;

/** Puts a shipped schedule in unless that was done before, whatever became of it, or a person's has the name. */
export const INSERT_DEFAULT_SCHEDULE = `
  WITH first_time AS (
    INSERT INTO task_schedule_defaults (name) VALUES ($2) ON CONFLICT (name) DO NOTHING RETURNING name
  )
  INSERT INTO task_schedules (id, name, description, task_type, task_version, params, cron, time_zone, catch_up, catch_up_max,
    overlap, next_tick_at, created_by, updated_by, priority, start_within_ms)
  SELECT $1::uuid, $2, $3, $4, $5::int, $6::jsonb, $7, $8, $9, $10::int, $11, $12::timestamptz, $13, $13, $14::int, $15::int FROM first_time
  ON CONFLICT (lower(name)) DO NOTHING
  RETURNING id`;

export const UPDATE_SCHEDULE = `
  UPDATE task_schedules SET name = $2, description = $3, task_type = $4, task_version = $5, params = $6, cron = $7, time_zone = $8,
    catch_up = $9, catch_up_max = $10, overlap = $11, next_tick_at = $12, updated_by = $13, updated_at = now(),
    priority = $14, start_within_ms = $15
  WHERE id = $1`;

/** Already paused: stays with whoever paused it. */
export const PAUSE_SCHEDULE = `
  UPDATE task_schedules SET paused_at = now(), paused_by = $2, next_tick_at = NULL, updated_at = now(), updated_by = $2
  WHERE id = $1 AND paused_at IS NULL`;

export const RESUME_SCHEDULE = `
  UPDATE task_schedules SET paused_at = NULL, paused_by = NULL, next_tick_at = $3, updated_at = now(), updated_by = $2
  WHERE id = $1 AND paused_at IS NOT NULL`;

export const DELETE_SCHEDULE = `DELETE FROM task_schedules WHERE id = $1 RETURNING id`;

/** Moves on to the next tick, from the one that was dealt with. */
export const SET_NEXT_TICK = `
  UPDATE task_schedules SET next_tick_at = $3 WHERE id = $1 AND paused_at IS NULL AND next_tick_at = $2`;

/**
 * What there is to do at $1: due schedules (index task_schedules_next_tick), and those where a tick waits and has its turn
 * (index task_schedule_ticks_waiting; few kept ticks, each looked up in live_tasks by primary key). Schedules whose task type is not among $2, which this process knows, and was not declared
 * for external workers, which every process knows, are left to others until $3, when none has dealt with them; of those that
 * wait it says so, as nobody has written down when they had their turn.
 */
export const LOOK = `
  WITH known AS (SELECT unnest($2::text[]) AS type UNION ALL SELECT name FROM external_task_types)
  SELECT
    ARRAY(SELECT id FROM task_schedules WHERE next_tick_at <= $1 AND (task_type IN (SELECT type FROM known) OR next_tick_at <= $3)
      ORDER BY next_tick_at LIMIT 100) AS due,
    (SELECT coalesce(jsonb_agg(to_jsonb(w)), '[]') FROM (
      SELECT s.id, s.task_type IN (SELECT type FROM known) AS "isKnown" FROM task_schedules s
      WHERE s.paused_at IS NULL AND EXISTS (SELECT 1 FROM task_schedule_ticks t WHERE t.schedule_id = s.id AND t.outcome = 'waiting')
        AND NOT EXISTS (SELECT 1 FROM task_schedule_ticks u JOIN live_tasks l ON l.id = u.task_id WHERE u.schedule_id = s.id)
      ORDER BY 2 DESC LIMIT 100) w) AS waiting,
    (SELECT next_tick_at FROM task_schedules WHERE next_tick_at > $1 ORDER BY next_tick_at LIMIT 1) AS soonest`;

/** Index task_schedules_next_tick. */
export const UPCOMING_SCHEDULES = `SELECT ${SCHEDULE} FROM task_schedules s WHERE s.next_tick_at > $1`;

/** Which of these ticks were dealt with before. Primary key. */
export const KNOWN_TICKS = `
  SELECT tick_at FROM task_schedule_ticks WHERE schedule_id = $1 AND tick_at = ANY($2::timestamptz[]) AND cause = 'tick'`;

/** An unfinished task of this schedule, if there is one: few kept ticks, each looked up in live_tasks by primary key. */
export const UNFINISHED_TASK = `
  SELECT l.id FROM task_schedule_ticks t JOIN live_tasks l ON l.id = t.task_id WHERE t.schedule_id = $1 LIMIT 1`;

/** Index task_schedule_ticks_waiting. */
export const WAITING_TICKS = `
  SELECT tick_at FROM task_schedule_ticks WHERE schedule_id = $1 AND outcome = 'waiting' ORDER BY tick_at`;

/** The primary key refuses a second one of the same tick. */
export const INSERT_TICKS = `
  INSERT INTO task_schedule_ticks (schedule_id, tick_at, cause, outcome, task_id, missed_from, error_code, error_message)
  SELECT $1, i.tick_at, $2, i.outcome, i.task_id, i.missed_from, i.error_code, i.error_message
  FROM unnest($3::timestamptz[], $4::text[], $5::uuid[], $6::timestamptz[], $7::text[], $8::text[])
    AS i(tick_at, outcome, task_id, missed_from, error_code, error_message)`;

/** A waiting tick had its turn. Primary key. */
export const DECIDE_WAITING_TICK = `
  UPDATE task_schedule_ticks SET outcome = $3, task_id = $4, error_code = $5, error_message = $6, decided_at = clock_timestamp()
  WHERE schedule_id = $1 AND tick_at = $2 AND cause = 'tick' AND outcome = 'waiting'`;

/** Leaves the last $2 of a schedule, whatever waits, and the tick of a task that is not finished. Primary key. */
export const FORGET_OLD_TICKS = `
  DELETE FROM task_schedule_ticks t WHERE t.schedule_id = $1 AND t.outcome <> 'waiting' AND t.tick_at < (
      SELECT o.tick_at FROM task_schedule_ticks o WHERE o.schedule_id = $1 ORDER BY o.tick_at DESC, o.cause DESC OFFSET $2 LIMIT 1)
    AND NOT EXISTS (SELECT 1 FROM live_tasks l WHERE l.id = t.task_id)`;

/** Newest first, after ($2, $3). Primary key. */
export const LIST_TICKS = `
  SELECT ${TICK} FROM task_schedule_ticks t
  WHERE t.schedule_id = $1 AND ($2::timestamptz IS NULL OR (t.tick_at, t.cause) < ($2, $3))
  ORDER BY t.tick_at DESC, t.cause DESC LIMIT $4`;
