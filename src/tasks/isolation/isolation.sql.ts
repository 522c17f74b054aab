import { UNTIL_PROBE } from '../limits/circuits.sql.js';
import { CLAIMED_COLUMNS } from '../queue/claim.sql.js';
import { IN_TIME, LIMITS_ARE_OF } from '../queue/lanes.sql.js';
import { FINAL_ITEMS, PARTIAL_CONTRIBUTION, SHARED_COLUMNS } from '../queue/settle.sql.js';

/** A suspect that waits (predicate of the index live_tasks_suspects) and that a worker of these queues and types can run. */
const WAITING_SUSPECT = `status = 'queued' AND NOT ready AND crash_count > 0
  AND queue = ANY($1::text[]) AND version <= ($3::int[])[array_position($2::text[], type)]`;

/**
 * Takes one suspect; those with the least against them first, so that many innocents are cleared before a culprit has its
 * next turn. The worker has nothing else in flight. Nothing when limits are not those of revision $5 any more. Index
 * live_tasks_suspects.
 */
export const CLAIM_SUSPECT = `
  WITH claimed AS (
    UPDATE live_tasks
    SET status = 'running', worker_id = $4, attempt = attempt + 1, fence = fence + 1, started_at = now(), updated_at = now()
    WHERE id = ANY(ARRAY(
      SELECT id FROM live_tasks
      WHERE ${WAITING_SUSPECT} AND ${IN_TIME} AND EXISTS (SELECT 1 FROM task_workers WHERE id = $4) AND ${LIMITS_ARE_OF('$5')}
      ORDER BY crash_count, id
      LIMIT 1
      FOR UPDATE SKIP LOCKED))
    RETURNING ${CLAIMED_COLUMNS}
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, worker_id, actor, reason)
    SELECT id, 'queued', 'running', attempt, fence, $4, 'worker', 'claimed' FROM claimed
  )
  SELECT * FROM claimed`;

/**
 * How many suspects wait that may run (up to $4; not where a circuit is open), how many cells there are in the fleet, and which of the workers $5 are registered no
 * more. Index live_tasks_suspects.
 */
export const SURVEY = `
  SELECT
    (SELECT count(*)::int FROM (SELECT 1 FROM live_tasks WHERE ${WAITING_SUSPECT}
      AND type <> ALL(ARRAY(SELECT name FROM task_limit_states WHERE scope = 'type' AND circuit = 'open' AND ${UNTIL_PROBE('now()')} > interval '0')) LIMIT $4) AS waiting) AS suspects,
    (SELECT count(*)::int FROM task_workers WHERE isolated) AS cells,
    ARRAY(SELECT own FROM unnest($5::uuid[]) AS own WHERE NOT EXISTS (SELECT 1 FROM task_workers WHERE id = own)) AS "struckOff"`;

/** Strikes off a worker whose process was seen to end of itself. In one statement: rescuers see all of it or nothing. */
export const WITNESS_DEATH = `
  WITH dead AS (DELETE FROM task_workers WHERE id = $1)
  INSERT INTO task_worker_losses (worker_id, witnessed, how) VALUES ($1, true, $2)
  ON CONFLICT (worker_id) DO UPDATE SET witnessed = true, how = excluded.how`;

/** Losses that no task and no process will ask for any more. */
export const FORGET_LOSSES = `DELETE FROM task_worker_losses WHERE lost_at < now() - interval '1 day'`;

/** The running tasks whose worker is registered no more, with what is known of its end. Index live_tasks_running. */
export const ORPHANS = `
  SELECT t.id, t.workflow_id AS "workflowId", t.crash_count AS "crashCount", t.deaths_alone AS "deathsAlone", t.cancel_requested_at IS NOT NULL AS "cancelRequested",
    l.worker_id IS NOT NULL AS lost, coalesce(l.witnessed, false) AS witnessed, l.how
  FROM live_tasks t LEFT JOIN task_worker_losses l ON l.worker_id = t.worker_id
  WHERE t.status = 'running' AND t.worker_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM task_workers w WHERE w.id = t.worker_id)
  ORDER BY t.id`;

/** The same, taken. */
export const HOLD_ORPHANS = `${ORPHANS} FOR UPDATE OF t SKIP LOCKED`;

/**
 * Puts orphans back into the queue with their attempt given back: ready for all, or as suspects when they were or $2 says
 * that their worker was lost. The caller holds them. Index: primary key.
 */
export const FREE_ORPHANS = `
  WITH freed AS (
    UPDATE live_tasks t
    SET status = 'queued', worker_id = NULL, ready = (t.crash_count = 0 AND NOT o.lost), attempt = t.attempt - 1,
      crash_count = t.crash_count + o.lost::int, deaths_alone = t.deaths_alone + o.witnessed::int,
      run_at = now(), queued_at = now(), updated_at = now()
    FROM unnest($1::uuid[], $2::boolean[], $3::boolean[], $4::text[]) AS o(id, lost, witnessed, how)
    WHERE t.id = o.id
    RETURNING t.id, t.queue, t.type, t.version, t.ready, t.attempt, t.fence, t.cancel_requested_at IS NOT NULL AS cancel, t.cancel_requested_by, o.how
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason, error_message)
    SELECT id, 'running', 'queued', attempt, fence, 'rescuer', 'worker_lost', how FROM freed
  )
  SELECT id, queue, type, version, attempt + 1 AS attempt, ready, cancel, cancel_requested_by FROM freed`;

/** Ends orphans that have killed too often; the caller holds them and their workflows, and lets what hangs on them follow. Index: primary keys. */
export const QUARANTINE = `
  WITH ended AS (
    DELETE FROM live_tasks t USING unnest($1::uuid[], $2::text[], $4::int[]) AS o(id, message, losses)
    WHERE t.id = o.id
    RETURNING t.*, o.message, o.losses, ${FINAL_ITEMS} AS final_processed
  ), archived AS (
    INSERT INTO finished_tasks (${SHARED_COLUMNS.replace('crash_count, ', '')}, crash_count, status, attempt, processed, total,
      updated_at, completed_at, error_code, error_category, error_message)
    SELECT ${SHARED_COLUMNS.replace('crash_count, ', '')}, losses, 'failed', attempt, final_processed, total, now(), now(),
      $3, 'permanent', message
    FROM ended
    RETURNING id, queue, type, version, attempt, parent_id, parent_round, workflow_id, status, ${PARTIAL_CONTRIBUTION} AS contribution
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, worker_id, actor, reason, error_code, error_category,
      error_message)
    SELECT id, 'running', 'failed', attempt, fence, worker_id, 'rescuer', 'quarantined', $3, 'permanent', message FROM ended
  )
  SELECT id, queue, type, version, attempt, parent_id, parent_round, workflow_id, status, contribution FROM archived`;

/** Keeps rescuers out for this transaction. */
export const AWAIT_RESCUE_LOCK = `SELECT pg_advisory_xact_lock($1, 0)`;

/** A worker that has ended, but whose process lives: what it still holds is freed without suspicion. */
export const RETRACT_LOSS = `
  WITH ended AS (DELETE FROM task_workers WHERE id = $1)
  DELETE FROM task_worker_losses WHERE worker_id = $1 RETURNING worker_id`;

/** Takes one loss back from suspects that nobody has claimed since ($2: their fences); gives the queues of those cleared. */
export const CLEAR_SUSPECTS = `
  WITH held AS (
    SELECT t.id FROM live_tasks t JOIN unnest($1::uuid[], $2::int[]) AS h(id, fence) ON t.id = h.id AND t.fence = h.fence
    WHERE t.status = 'queued' AND NOT t.ready AND t.crash_count > 0
    ORDER BY t.id FOR UPDATE OF t
  ), cleared AS (
    UPDATE live_tasks t SET crash_count = t.crash_count - 1, ready = (t.crash_count = 1), updated_at = now()
    FROM held h WHERE t.id = h.id
    RETURNING t.queue, t.ready
  )
  SELECT DISTINCT queue FROM cleared WHERE ready`;
