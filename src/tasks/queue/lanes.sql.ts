/**
 * A task waits in a lane: that of its queue, or one of its type's own if the type has, or ever had, limits of its own, and
 * then of its key as well (`queue`, `queue!type`, `queue!type!key`). So tasks that may not start lie in nobody's way.
 *
 * The separator sorts before every character that names of queues and types may have: a lane and those below it lie
 * together in the index, and nothing else lies between them.
 */
export const LANE_SEPARATOR = '!';
/** The next character: a lane and all below it are from the lane itself to before this. */
const AFTER_SEPARATOR = '"';

/** From the lane itself, up to before the second of these: it and those below it. */
export const laneRange = (lane: string): [from: string, upTo: string] => [lane, `${lane}${AFTER_SEPARATOR}`];

export const ownLane = (queue: string, type: string): string => `${queue}${LANE_SEPARATOR}${type}`;

/** Where a task waits: one look-up in a tiny table, once a statement when the type is a parameter (primary key of task_lanes). */
export const LANE_OF = ({ queue, type, key }: Record<'queue' | 'type' | 'key', string>): string =>
  `coalesce((SELECT ${queue} || '${LANE_SEPARATOR}' || lanes.type FROM task_lanes lanes WHERE lanes.type = ${type})
      || coalesce('${LANE_SEPARATOR}' || ${key}, ''), ${queue})`;

/**
 * The order in which tasks of a lane are taken, smallest first: when it was to start, in microseconds, earlier by `seconds` for
 * each point of priority. What waits grows older than anything that comes later, so nothing starves; and because all
 * grow older at the same pace their order never changes, and neither does this number.
 */
export const RANK_OF = ({ at, priority, seconds }: Record<'at' | 'priority' | 'seconds', string>): string =>
  `(extract(epoch FROM ${at}) * 1000000)::bigint - ${priority}::bigint * ${seconds} * 1000000`;

/** Nothing that was to have started by now and has not: it is failed, not claimed (index live_tasks_start_by). */
export const IN_TIME = `(start_by IS NULL OR start_by > now() OR started_at IS NOT NULL)`;

/** The first key of the advisory lock that changes of limits take for themselves, and claims share. */
const LIMITS_LOCK_CLASS = 0x7073_7768;

/** Waits until no claim is under way; those that come meanwhile get nothing. Until the transaction ends. */
export const LOCK_LIMITS = `SELECT pg_advisory_xact_lock(${String(LIMITS_LOCK_CLASS)}, 0)`;

/** Waits until nobody changes limits. */
export const SHARE_LIMITS = `SELECT pg_advisory_xact_lock_shared(${String(LIMITS_LOCK_CLASS)}, 0)`;

/**
 * Whether the limits are those of a revision; not while somebody changes them. Uncorrelated, so asked once a statement. The
 * lock is taken before the revision is read, and held until the claim is committed: a change that has been answered
 * holds for every claim, also those that were already under way.
 */
export const LIMITS_ARE_OF = (revision: string): string => `(
  SELECT CASE WHEN pg_try_advisory_xact_lock_shared(${String(LIMITS_LOCK_CLASS)}, 0)
    THEN (SELECT last_value FROM task_limit_revision) END) = ${revision}::bigint`;
