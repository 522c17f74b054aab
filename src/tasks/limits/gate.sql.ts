import { AUDIT_CLAIMED, CLAIMED_COLUMNS, LEASE_HOLDS } from '../queue/claim.sql.js';
import { UNTIL_PROBE } from './circuits.sql.js';
import { IN_TIME, LANE_SEPARATOR, LIMITS_ARE_OF } from '../queue/lanes.sql.js';

/** What a claimer can do: types and the newest version of each, or `type@version` as external workers say it. */
export const KNOWN = {
  own: (types: string, versions: string): string =>
    `version <= (${versions}::int[])[array_position(${types}::text[], type)]`,
  external: (types: string, versions: string): string =>
    `type || '@' || version = ANY(${types}::text[]) AND ${versions}::int[] IS NULL`,
};
export type Knowledge = keyof typeof KNOWN;

/**
 * Takes the limits of queue $2 and type $3 (either may be null), if they are those of revision $1 and nobody else is at
 * them: then what runs cannot become more until this transaction ends (primary key).
 */
export const TAKE_LIMITS = `
  SELECT scope, circuit, probe_task AS "probeTask", probe_fence AS "probeFence", last_lane AS "lastLane", tokens,
    clock_timestamp()::text AS now, extract(epoch FROM clock_timestamp() - tokens_at)::float8 * 1000 AS "tokensAgeMs",
    greatest(0, extract(epoch FROM ${UNTIL_PROBE('clock_timestamp()')}) * 1000)::float8 AS "probeInMs"
  FROM task_limit_states
  WHERE ${LIMITS_ARE_OF('$1')} AND ((scope = 'queue' AND name = $2) OR (scope = 'type' AND name = $3))
  ORDER BY scope FOR UPDATE SKIP LOCKED`;

const HELD = `status = 'running' AND worker_id IS NOT NULL`;
/** The predicate of the index live_tasks_limited. */
const HELD_IN_LANE = `${HELD} AND lane <> queue COLLATE "C"`;

/** Also those that were claimed before their type had a lane: as many rows as workers have slots (live_tasks_running). */
const heldOfType = (settled: boolean): string => (settled ? HELD_IN_LANE : HELD);

/** After {@link TAKE_LIMITS}, which waited for the claims before this one: what runs now (live_tasks_running, live_tasks_limited). */
export const COUNT_RUNNING = (settled: boolean): string => `
  SELECT
    CASE WHEN $1::text IS NOT NULL THEN (SELECT count(*)::int FROM live_tasks WHERE ${HELD} AND queue = $1) ELSE 0 END AS "inQueue",
    CASE WHEN $2::text IS NOT NULL THEN (SELECT count(*)::int FROM live_tasks WHERE ${heldOfType(settled)} AND type = $2) ELSE 0 END AS "ofType",
    EXISTS (SELECT 1 FROM live_tasks WHERE id = $3::uuid AND fence = $4::int AND ${HELD}) AS "isProbed"`;

const READY = `status = 'queued' AND ready`;

/**
 * Lanes of a type ($1, up to before $2) in which something is ready, from the one after $3 on and round once, $4 at most:
 * leap by leap, however much is in each. With how much of each one's key runs. Indexes live_tasks_ready, live_tasks_limited.
 */
export const LANES_IN_TURN = (settled: boolean): string => `
  WITH RECURSIVE after AS (
    (SELECT lane FROM live_tasks WHERE ${READY} AND lane > $3 AND lane < $2 ORDER BY lane LIMIT 1)
    UNION ALL
    SELECT (SELECT t.lane FROM live_tasks t WHERE ${READY} AND t.lane > a.lane AND t.lane < $2 ORDER BY t.lane LIMIT 1)
    FROM after a WHERE a.lane IS NOT NULL
  ), before AS (
    (SELECT lane FROM live_tasks WHERE ${READY} AND lane >= $1 AND lane <= $3 ORDER BY lane LIMIT 1)
    UNION ALL
    SELECT (SELECT t.lane FROM live_tasks t WHERE ${READY} AND t.lane > b.lane AND t.lane <= $3 ORDER BY t.lane LIMIT 1)
    FROM before b WHERE b.lane IS NOT NULL
  ), turn AS (
    SELECT lane FROM (SELECT lane FROM after UNION ALL SELECT lane FROM before) lanes WHERE lane IS NOT NULL LIMIT $4
  )
  SELECT lane, (SELECT count(*)::int FROM live_tasks r WHERE ${heldOfType(settled)} AND r.type = $5
    AND r.concurrency_key = substr(turn.lane, length($1) + ${String(LANE_SEPARATOR.length + 1)}) COLLATE "default") AS running
  FROM turn`;

/** Chooses up to $5 tasks of lanes ($3), of each no more than beside it ($4), in the order of their ranks (live_tasks_ready). */
export const CHOOSE = (knowledge: Knowledge): string => `
  SELECT t.id, l.lane FROM unnest($3::text[], $4::int[]) WITH ORDINALITY AS l(lane, quota, place)
  CROSS JOIN LATERAL (
    SELECT id FROM live_tasks
    WHERE lane = l.lane AND ${READY} AND ${KNOWN[knowledge]('$1', '$2')} AND ${IN_TIME}
    ORDER BY rank, id LIMIT l.quota FOR UPDATE SKIP LOCKED) t
  LIMIT $5`;

/** The suspect of a type that has the least against it, with how much of its key runs (live_tasks_suspects, live_tasks_limited). */
export const CHOOSE_SUSPECT = (knowledge: Knowledge): string => `
  SELECT id, lane, (SELECT count(*)::int FROM live_tasks r WHERE ${HELD} AND r.type = s.type AND r.concurrency_key = s.concurrency_key) AS running
  FROM live_tasks s
  WHERE status = 'queued' AND NOT ready AND crash_count > 0 AND type = coalesce($3, type) AND queue = $4 AND ${KNOWN[knowledge]('$1', '$2')} AND ${IN_TIME}
  ORDER BY crash_count, id LIMIT 1 FOR UPDATE SKIP LOCKED`;

/** Claims what was chosen, for worker $1 (primary key). */
export const CLAIM_CHOSEN = `
  WITH claimed AS (
    UPDATE live_tasks
    SET status = 'running', ready = false, worker_id = $1, attempt = attempt + 1, fence = fence + 1,
      started_at = now(), updated_at = now()
    WHERE id = ANY($2::uuid[]) AND ${LEASE_HOLDS}
    RETURNING ${CLAIMED_COLUMNS}
  ), ${AUDIT_CLAIMED(`'worker'`)}
  SELECT * FROM claimed`;

/** Writes down what a claim has used up; with $5, that task is the one by which an open circuit is tried. */
export const SPEND = `
  UPDATE task_limit_states
  SET tokens = $2, tokens_at = $3::timestamptz, last_lane = coalesce($4, last_lane),
    circuit = CASE WHEN $5::uuid IS NULL THEN circuit ELSE 'probing' END,
    probe_task = coalesce($5::uuid, probe_task), probe_fence = coalesce($6::int, probe_fence)
  WHERE scope = 'type' AND name = $1`;

/** Which of these types ($1) have something ready in their lanes ($2, up to before $3; live_tasks_ready). */
export const TYPES_WITH_WORK = `
  SELECT w.type FROM unnest($1::text[], $2::text[], $3::text[]) AS w(type, lane, up_to)
  WHERE EXISTS (SELECT 1 FROM live_tasks t WHERE t.lane >= w.lane AND t.lane < w.up_to AND ${READY})`;

/** Which of these types have suspects (live_tasks_suspects). */
export const TYPES_WITH_SUSPECTS = `
  SELECT DISTINCT type FROM live_tasks
  WHERE status = 'queued' AND NOT ready AND crash_count > 0 AND type = ANY($1::text[]) AND queue = ANY($2::text[])`;
