import { LANE_OF, RANK_OF } from './lanes.sql.js';

/** All tasks of a statement have one rank: among themselves they are taken in the order of their ids. */
const INSERT_TASKS = `
    INSERT INTO live_tasks (id, params, dedup_key, weight, parent_position, type, version, name, queue, priority, max_attempts,
      timeout_ms, status, ready, run_at, queued_at, start_by, parent_id, parent_round, requested_by, description, domain,
      drift_score, task_metadata, concurrency_key, lane, rank, trace_parent)
    SELECT i.id, i.params, i.dedup_key, coalesce(i.weight, 1), i.position, $5::text, $6::int, $7::text, $8::text, $9::int, $10::int,
      $11::int, $12::task_status, $12 = 'queued' AND coalesce($13::timestamptz <= now(), true), coalesce($13, now()),
      CASE WHEN $12 = 'queued' THEN now() END, $14::timestamptz, $15::uuid, $16::int, $17::text, $18::text, $19::text,
      $20::float8, $21::jsonb, i.concurrency_key, ${LANE_OF({ queue: '$8::text', type: '$5::text', key: 'i.concurrency_key' })},
      (SELECT ${RANK_OF({ at: 'greatest(coalesce($13::timestamptz, now()), now())', priority: '$9::int', seconds: '$24::int' })}), $25::text
    FROM unnest($1::uuid[], $2::jsonb[], $3::text[], $4::int[], $22::int[], $23::text[])
      AS i(id, params, dedup_key, weight, position, concurrency_key)`;

const FROM_STATUS = `CASE WHEN $12 = 'queued' THEN 'created'::task_status END`;
const REASON = `CASE WHEN $12 = 'queued' THEN 'enqueued' ELSE 'created' END`;

const INSERT_EVENTS = (ids: string): string => `
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason)
    SELECT id, ${FROM_STATUS}, $12::task_status, 0, 0, $17, ${REASON} FROM ${ids}`;

/** One audit row for all; the ids are in ascending order. */
const INSERT_EVENTS_TOGETHER = (ids: string): string => `
    INSERT INTO task_event_batches (from_status, to_status, actor, reason, tasks, task_ids)
    SELECT ${FROM_STATUS}, $12::task_status, $17, ${REASON}, uuid_range(ids[1], ids[cardinality(ids)], '[]'), ids
    FROM (${ids}) AS i(ids) WHERE ids IS NOT NULL`;

const keyed = (events: string): string => `
  WITH added AS (${INSERT_TASKS}
    ON CONFLICT (type, dedup_key) WHERE dedup_key IS NOT NULL DO NOTHING
    RETURNING id
  ), audited AS (${events}
  )
  SELECT id FROM added`;

const withoutKeys = (events: string): string => `
  WITH added AS (${INSERT_TASKS}
  ), audited AS (${events}
  )
  SELECT WHERE false`;

/**
 * Adds tasks of one type; ids (ascending), params and dedup keys come as parallel arrays, of which the optional ones may be
 * empty. A task whose dedup key belongs to an unfinished one is left out (index live_tasks_dedup): the caller looks up who
 * holds the key. Gives the ids added.
 */
export const ENQUEUE = keyed(INSERT_EVENTS('added'));

/** The same for so many that they share an audit row. */
export const ENQUEUE_MANY = keyed(INSERT_EVENTS_TOGETHER('SELECT array_agg(id ORDER BY id) FROM added'));

/**
 * The same for tasks without a dedup key: all are added or none, so nothing is compared and nothing comes back. Saves a
 * third of the server's time in bulk (speculative insertion, a result row a task).
 */
export const ENQUEUE_WITHOUT_KEYS = withoutKeys(INSERT_EVENTS('unnest($1::uuid[]) AS i(id)'));

export const ENQUEUE_MANY_WITHOUT_KEYS = withoutKeys(INSERT_EVENTS_TOGETHER('SELECT $1::uuid[]'));

/** Who holds a dedup key (index live_tasks_dedup). */
export const FIND_BY_DEDUP_KEY = `
  SELECT dedup_key, id FROM live_tasks WHERE type = $1 AND dedup_key = ANY($2::text[])`;
