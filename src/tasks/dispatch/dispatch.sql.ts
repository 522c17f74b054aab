import { AUDIT_CLAIMED, CLAIMED_COLUMNS, LEASE_HOLDS } from '../queue/claim.sql.js';
import { IN_TIME, LIMITS_ARE_OF } from '../queue/lanes.sql.js';

/**
 * Takes those of the tasks $2 that are ready in lane $3, a queue's own, and of a type ($4) and version ($5) that the worker $1
 * knows: the guard, the row and the audit trail are those of CLAIM, only the choice is another's. What is not there to be
 * taken is left out; so is all when limits are not those of revision $6 any more. Index: primary key. As there, the commit
 * does not wait for the disk.
 */
export const CLAIM_OFFERED = `
  WITH claimed AS (
    UPDATE live_tasks
    SET status = 'running', ready = false, worker_id = $1, attempt = attempt + 1, fence = fence + 1,
      started_at = now(), updated_at = now()
    WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM live_tasks
      WHERE id = ANY($2::uuid[]) AND lane = $3 AND status = 'queued' AND ready
        AND version <= ($5::int[])[array_position($4::text[], type)]
        AND ${IN_TIME} AND ${LEASE_HOLDS} AND ${LIMITS_ARE_OF('$6')}
      FOR UPDATE SKIP LOCKED))
    RETURNING ${CLAIMED_COLUMNS}
  ), ${AUDIT_CLAIMED(`'worker'`)}
  SELECT * FROM claimed`;

/**
 * The next $4 ready tasks of lane $1, a queue's own, behind the task of rank $5 and id $6 (null: the head of the line), of types
 * $2 up to versions $3, in the order in which CLAIM takes them. Index live_tasks_ready.
 */
export const READY_LINE = `
  SELECT id, fence, priority, rank::text FROM live_tasks
  WHERE lane = $1 AND status = 'queued' AND ready AND version <= ($3::int[])[array_position($2::text[], type)] AND ${IN_TIME}
    AND ($5::bigint IS NULL OR (rank, id) > ($5::bigint, $6::uuid))
  ORDER BY live_tasks.rank, id
  LIMIT $4`;

/**
 * By queue, the types that every worker of the queue knows, each up to the version that all of them know. A broker cannot
 * choose whom it gives a task to by type, so these are what it may carry; and of these, what has no limits of its own, in
 * queues that have none: only PostgreSQL can count what runs.
 */
export const KNOWN_TO_ALL = `
  WITH workers AS (
    SELECT w.id, q.key AS queue, w.types, w.versions FROM task_workers w, jsonb_each_text(CASE WHEN w.external OR w.isolated OR w.ending THEN '{}' ELSE w.queues END) AS q
    WHERE q.value::int > 0
  )
  SELECT queue, known.type AS name, min(known.version)::int AS version
  FROM workers w, unnest(w.types, w.versions) AS known(type, version)
  WHERE NOT EXISTS (SELECT 1 FROM task_lanes l WHERE l.type = known.type)
    AND NOT EXISTS (
      SELECT 1 FROM task_limits l WHERE l.scope = 'queue' AND l.name = w.queue
        AND (l.paused_at IS NOT NULL OR l.declared ? 'concurrency' OR l.overridden ? 'concurrency'))
  GROUP BY queue, known.type
  HAVING count(known.version) = (SELECT count(*) FROM workers a WHERE a.queue = w.queue)`;
