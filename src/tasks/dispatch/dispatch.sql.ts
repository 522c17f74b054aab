import { auditTogether, TOGETHER_FROM } from '../queue/audit.sql.js';
import { CLAIMED_COLUMNS } from '../queue/claim.sql.js';

/**
 * Takes those of the tasks $2 that are ready in queue $3 and of a type ($4) and version ($5) that the worker $1 knows:
 * the guard, the row and the audit trail are those of CLAIM, only the choice is another's. What is not there to be taken
 * is left out. Index: primary key. As there, the commit does not wait for the disk.
 */
export const CLAIM_OFFERED = `
  WITH claimed AS (
    UPDATE live_tasks
    SET status = 'running', ready = false, worker_id = $1, attempt = attempt + 1, fence = fence + 1,
      started_at = now(), updated_at = now()
    WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM live_tasks
      WHERE id = ANY($2::uuid[]) AND queue = $3 AND status = 'queued' AND ready
        AND version <= ($5::int[])[array_position($4::text[], type)]
        AND EXISTS (SELECT 1 FROM task_workers WHERE id = $1 AND set_config('synchronous_commit', 'off', true) = 'off')
      FOR UPDATE SKIP LOCKED))
    RETURNING ${CLAIMED_COLUMNS}
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, worker_id, actor, reason)
    SELECT id, 'queued', 'running', attempt, fence, $1, 'worker', 'claimed' FROM claimed
    WHERE (SELECT count(*) FROM claimed) < ${TOGETHER_FROM}
  ), audited_together AS (${auditTogether(
    { from: `'queued'`, to: `'running'`, workerId: '$1', actor: `'worker'`, reason: `'claimed'` },
    { source: 'claimed', having: `count(*) >= ${TOGETHER_FROM}` },
  )}
  )
  SELECT * FROM claimed`;

/**
 * The next $4 ready tasks of queue $1 behind the task of priority $5 and id $6 (null: the head of the line), of types $2
 * up to versions $3, in the order in which CLAIM takes them. Index live_tasks_ready.
 */
export const READY_LINE = `
  SELECT id, fence, priority FROM live_tasks
  WHERE queue = $1 AND status = 'queued' AND ready AND version <= ($3::int[])[array_position($2::text[], type)]
    AND ($5::int IS NULL OR (priority <= $5 AND (priority < $5 OR id > $6::uuid)))
  ORDER BY priority DESC, id
  LIMIT $4`;

/**
 * By queue, the types that every worker of the queue knows, each up to the version that all of them know. A broker cannot
 * choose whom it gives a task to by type, so these are what it may carry.
 */
export const KNOWN_TO_ALL = `
  WITH workers AS (
    SELECT w.id, q.key AS queue, w.types, w.versions FROM task_workers w, jsonb_each_text(CASE WHEN w.external OR w.isolated OR w.ending THEN '{}' ELSE w.queues END) AS q
    WHERE q.value::int > 0
  )
  SELECT queue, known.type AS name, min(known.version)::int AS version
  FROM workers w, unnest(w.types, w.versions) AS known(type, version)
  GROUP BY queue, known.type
  HAVING count(known.version) = (SELECT count(*) FROM workers a WHERE a.queue = w.queue)`;
