import { LEASE_HOLDS } from './claim.sql.js';
import { LANE_OF, LIMITS_ARE_OF, RANK_OF } from './lanes.sql.js';

/**
 * Adds one task and claims it for worker $1 in the same statement: one round trip and one commit for what takes two of each
 * otherwise. For a worker of this process that has found its queue empty, and a type that has no limits: nothing is
 * overtaken. Both transitions are in the audit trail. A worker whose lease was taken away gets nothing, and none does when limits
 * are not those of revision $2 any more: then the task is queued, like any other.
 *
 * Like a claim's, its commit does not wait for the disk: the attempt begins meanwhile, and whoever added the task hears of it
 * when it is there, as does whoever adds another with its dedup key. A crash of the database in between takes the task back,
 * which nobody was promised; what the attempt has done elsewhere by then is done, as in any attempt that is cut off.
 *
 * Gives whether it was started, and nothing else: the rest of its row is known to whoever asked (see startedRow). No row when an
 * unfinished task has its dedup key (index live_tasks_dedup).
 */
const enqueueStarted = (ifKeyIsTaken: string): string => `
  WITH worker AS MATERIALIZED (
    SELECT ${LEASE_HOLDS} AND coalesce(${LIMITS_ARE_OF('$2')}, false) AS held
  ), added AS (
    INSERT INTO live_tasks (id, params, dedup_key, type, version, name, queue, priority, max_attempts, timeout_ms, requested_by,
      description, domain, drift_score, task_metadata, concurrency_key, lane, rank, trace_parent, run_at, queued_at, status, ready,
      worker_id, attempt, fence, started_at)
    SELECT $5::uuid, $6::jsonb, $7::text, $8::text, $9::int, $10::text, $11::text, $12::int, $13::int, $14::int, $15::text,
      $16::text, $17::text, $18::float8, $19::jsonb, $20::text, ${LANE_OF({ queue: '$11::text', type: '$8::text', key: '$20::text' })},
      ${RANK_OF({ at: 'now()', priority: '$12::int', seconds: '$3::int' })}, $4::text, now(), now(),
      CASE WHEN held THEN 'running' ELSE 'queued' END::task_status, NOT held, CASE WHEN held THEN $1::uuid END, held::int, held::int,
      CASE WHEN held THEN now() END
    FROM worker
    ${ifKeyIsTaken}
    RETURNING id, attempt, fence, requested_by, status = 'running' AS started
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, worker_id, actor, reason)
    SELECT id, 'created'::task_status, 'queued'::task_status, 0, 0, NULL::uuid, requested_by, 'enqueued' FROM added
    UNION ALL
    SELECT id, 'queued', 'running', attempt, fence, $1, 'worker', 'claimed' FROM added WHERE started
  )
  SELECT started FROM added`;

export const ENQUEUE_STARTED = enqueueStarted('ON CONFLICT (type, dedup_key) WHERE dedup_key IS NOT NULL DO NOTHING');

/** The same for a task without a dedup key, with nothing to compare. */
export const ENQUEUE_STARTED_WITHOUT_KEY = enqueueStarted('');
