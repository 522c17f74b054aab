import { LANE_OF } from '../queue/lanes.sql.js';

/** Types whose tasks are not all in their own lanes yet (a few rows, if any). */
export const UNSETTLED_LANES = `SELECT type FROM task_lanes WHERE settled_at IS NULL`;

/** How far the pass has come; taken, so that one process at a time does it. */
export const TAKE_SWEEP = `
  SELECT coalesce(swept_to, '00000000-0000-0000-0000-000000000000') AS "sweptTo" FROM task_lane_sweep FOR UPDATE SKIP LOCKED`;

/**
 * Moves the tasks of types $1 among the next $3 of all unfinished ones after $2 (primary key). Says how far that was, and whether
 * some could not be moved because somebody holds their rows.
 */
export const MOVE_TO_LANES = `
  WITH looked AS (
    SELECT id, type, lane, queue FROM live_tasks WHERE id > $2 ORDER BY id LIMIT $3
  ), astray AS (
    SELECT id FROM looked WHERE type = ANY($1::text[]) AND lane = queue COLLATE "C"
  ), held AS (
    SELECT t.id FROM live_tasks t JOIN astray a ON a.id = t.id ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
  ), moved AS (
    UPDATE live_tasks t SET lane = ${LANE_OF({ queue: 't.queue', type: 't.type', key: 't.concurrency_key' })}
    FROM held h WHERE t.id = h.id RETURNING t.queue
  )
  SELECT (SELECT max(id::text) FROM looked) AS "sweptTo", (SELECT count(*)::int FROM looked) AS looked,
    (SELECT count(*)::int FROM astray) = (SELECT count(*)::int FROM moved) AS "isClean",
    ARRAY(SELECT DISTINCT queue FROM moved) AS queues`;

export const NOTE_SWEEP = `UPDATE task_lane_sweep SET swept_to = $1, is_clean = is_clean AND $2`;

/** At the end of a pass: settles the lanes of which no transaction can have been ignorant when it began. */
export const SETTLE_LANES = `
  UPDATE task_lanes l SET settled_at = now() FROM task_lane_sweep s
  WHERE l.settled_at IS NULL AND s.is_clean AND $1 AND l.settles_after < s.horizon RETURNING type`;

/** From now on transactions know of lanes that are older than $1 milliseconds: no statement takes so long to begin. */
export const AGE_LANES = `
  UPDATE task_lanes SET settles_after = pg_current_xact_id()
  WHERE settled_at IS NULL AND settles_after IS NULL AND created_at < now() - $1 * interval '1 millisecond'`;

export const NEXT_PASS = `
  UPDATE task_lane_sweep SET swept_to = NULL, is_clean = true, horizon = pg_snapshot_xmin(pg_current_snapshot())`;
