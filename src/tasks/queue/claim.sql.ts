import { auditTogether, TOGETHER_FROM } from './audit.sql.js';
import { IN_TIME, LIMITS_ARE_OF } from './lanes.sql.js';

/** What a worker must know of a task that it has claimed. */
export const CLAIMED_COLUMNS = `id, type, version, params, attempt, max_attempts, fence, crash_count, timeout_ms, joining, parent_id,
  workflow_id, checkpoint, requested_by, priority, rank::float8, processed, total, trace_parent, date_part('epoch', now() - queued_at) AS waited_seconds`;

/** One audit row a claimed task, or one for all of them: from the CTE `claimed`. */
export const AUDIT_CLAIMED = (actor: string): string => `audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, worker_id, actor, reason)
    SELECT id, 'queued', 'running', attempt, fence, $1, ${actor}, 'claimed' FROM claimed
    WHERE (SELECT count(*) FROM claimed) < ${TOGETHER_FROM}
  ), audited_together AS (${auditTogether(
    { from: `'queued'`, to: `'running'`, workerId: '$1', actor, reason: `'claimed'` },
    { source: 'claimed', having: `count(*) >= ${TOGETHER_FROM}` },
  )}
  )`;

/** A worker whose lease was taken away gets nothing; the commit does not wait for the disk. Asked once a statement. */
export const LEASE_HOLDS = `EXISTS (SELECT 1 FROM task_workers WHERE id = $1 AND set_config('synchronous_commit', 'off', true) = 'off')`;

/**
 * Takes up to $4 ready tasks of lane $2, a queue's own, whose type ($3) this worker knows, in a version that is not newer than the one it
 * knows ($5, beside the types): while workers are being replaced, new tasks wait for the new ones. In the order
 * of their rank: by priority and age, behind the task of rank $7 and id $8. Nothing when limits are not those of revision $6 any more (types that have limits are
 * left out of $3; see limits/queue-claims.ts).
 *
 * `ctid = ANY(ARRAY(…))` makes the choice an InitPlan: it runs once, whatever the planner believes about the table, and the
 * update goes straight to the rows, which hold still because they are locked; one that changed between being seen and
 * being locked is left for the next claim. The index live_tasks_ready satisfies the ORDER BY, so LIMIT stops it early. A
 * worker whose lease was taken away gets nothing.
 *
 * The commit does not wait for the disk: a claim that a crash of the database takes back has not happened, its task is
 * ready still. Its fencing number may then be given out once more, to another worker, or to the same (see Worker.work).
 */
export const CLAIM = `
  WITH claimed AS (
    UPDATE live_tasks
    SET status = 'running', ready = false, worker_id = $1, attempt = attempt + 1, fence = fence + 1,
      started_at = now(), updated_at = now()
    WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM live_tasks
      WHERE lane = $2 AND (rank, id) > ($7::bigint, $8::uuid) AND status = 'queued' AND ready
        AND version <= ($5::int[])[array_position($3::text[], type)]
        AND ${IN_TIME} AND ${LEASE_HOLDS} AND ${LIMITS_ARE_OF('$6')}
      ORDER BY rank, id
      LIMIT $4
      FOR UPDATE SKIP LOCKED))
    RETURNING ${CLAIMED_COLUMNS}
  ), ${AUDIT_CLAIMED(`'worker'`)}
  SELECT * FROM claimed`;

/** Moves delayed tasks whose time has come into the ready index (index live_tasks_delayed); gives their queues. */
export const PROMOTE = `
  WITH due AS (
    UPDATE live_tasks SET ready = true
    WHERE id = ANY(ARRAY(
      SELECT id FROM live_tasks WHERE status = 'queued' AND NOT ready AND crash_count = 0 AND run_at <= now()
      ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING queue
  )
  SELECT queue, count(*)::int AS count FROM due GROUP BY queue`;

/** When the next delayed task is due, in milliseconds from now; null when there is none (index live_tasks_delayed). */
export const NEXT_DUE = `
  SELECT (extract(epoch FROM min(run_at) - clock_timestamp()) * 1000)::float8 AS due_in_ms
  FROM live_tasks WHERE status = 'queued' AND NOT ready AND crash_count = 0`;
