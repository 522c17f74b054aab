import { query } from '../harness/postgres.mjs';

/** Rows a statement, to show progress. */
const STEP = 500_000;

/** Ids of the past, ascending as UUID v7 do: the n-th of `total` over the last year. */
const idOf = (
  n,
  total,
) => `(lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - 31536000000 + (${n} * 31000000000 / ${total})::bigint), 12, '0')
  || '7' || substr(md5(${n}::text), 1, 3) || '8' || substr(md5(${n}::text), 4, 15))::uuid`;

const TYPES = `(ARRAY['analyze', 'thumbnails', 'bench.no-op', 'embedding_generation'])[1 + n % 4]`;
const LIVE = `INSERT INTO live_tasks (id, type, version, queue, status, ready, max_attempts, timeout_ms, run_at, queued_at, requested_by, name, lane, rank)`;

/**
 * What years of work leave behind, written by SQL: finished tasks (one in fifty not successful, one in a thousand of a rare
 * type) with two audit rows each, tasks for some time in the next year, and tasks that wait for others.
 */
export async function fill(url, { finished, delayed, blocked }, log) {
  for (let from = 0; from < finished; from += STEP) {
    const to = Math.min(finished, from + STEP) - 1;
    await query(
      url,
      `WITH added AS (
        INSERT INTO finished_tasks (id, type, version, queue, status, joining, priority, attempt, max_attempts, fence, crash_count,
          timeout_ms, processed, run_at, created_at, queued_at, started_at, updated_at, completed_at, weight, requested_by, name,
          drift_score, params, task_metadata, error_code, error_category, error_message)
        SELECT ${idOf('n', finished)}, CASE WHEN n % 1000 = 7 THEN 'rare' ELSE ${TYPES} END, 1, 'default',
          CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'completed' END::task_status, false, 0, 1, 5, 1, 0, 60000, 1, at, at, at, at, at, at, 1,
          'cli:bench', 'Task ' || n, 0, jsonb_build_object('id', n), '{}', CASE WHEN n % 50 = 0 THEN 'http_503' END,
          CASE WHEN n % 50 = 0 THEN 'transient' END, CASE WHEN n % 50 = 0 THEN 'the server answered 503' END
        FROM generate_series(${from}, ${to}) AS n, LATERAL (SELECT now() - interval '1 year' + n * interval '31000000 s' / ${finished}) AS t(at)
        RETURNING id, status)
      INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason)
      SELECT id, 'queued'::task_status, 'running'::task_status, 1, 1, 'worker', 'claimed' FROM added
      UNION ALL SELECT id, 'running'::task_status, status, 1, 1, 'worker', status::text FROM added`,
    );
    log(`filled ${to + 1} of ${finished}`);
  }
  await query(
    url,
    `${LIVE} SELECT gen_random_uuid(), ${TYPES}, 1, 'default', 'queued', false, 5, 60000, now() + interval '1 day' + n * interval '30 s',
      now(), 'cli:bench', 'Later ' || n FROM generate_series(1, ${delayed}) AS n`,
  );
  await query(
    url,
    `${LIVE} SELECT gen_random_uuid(), ${TYPES}, 1, 'default', 'created', false, 5, 60000, now(), NULL, 'cli:bench', 'Blocked ' || n
      FROM generate_series(1, ${blocked}) AS n`,
  );
  await query(url, 'VACUUM (ANALYZE) finished_tasks, live_tasks, task_events');
}
