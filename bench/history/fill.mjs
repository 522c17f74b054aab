import { query } from '../harness/postgres.mjs';

/** Rows a statement, to show progress. */
const STEP = 500_000;
const YEAR_MS = 31_536_000_000;

const TYPES = `(ARRAY['analyze', 'thumbnails', 'bench.no-op', 'embedding_generation'])[1 + n % 4]`;
const LIVE = `INSERT INTO live_tasks (id, type, version, queue, status, ready, max_attempts, timeout_ms, created_at, run_at, queued_at,
  workflow_id, requested_by, name)`;

/**
 * What a year of work leaves behind, written by SQL: finished tasks with two audit rows each (half of them batches of
 * others, one in fifty not successful, one in a thousand of a rare type), tasks for some time in the next year, and tasks
 * that wait for one of those. Vacuumed, analyzed and checkpointed, as a system that has had a year for it.
 */
export async function fill(url, { finished, delayed, blocked }, log) {
  const year = yearBefore(Date.now());
  const step = async (what, total, insert) => {
    for (let from = 0; from < total; from += STEP) {
      const to = Math.min(total, from + STEP) - 1;
      await query(url, insert(from, to));
      log(`filled ${what}: ${to + 1} of ${total}`);
    }
  };
  await Promise.all([
    step('finished tasks', finished, (from, to) => finishedTasks(year(finished, 1), from, to)),
    step('audit trail', finished, (from, to) => auditTrail(year(finished, 1), from, to)).then(async () => {
      const of = { delayed: year(delayed, 2), blocked: year(blocked, 3) };
      const each = delayed / blocked;
      await step('delayed tasks', delayed, (from, to) => delayedTasks(of.delayed, each, from, to));
      await step('blocked tasks', blocked, (from, to) => blockedTasks(of, each, from, to));
      await query(url, workflows(of.delayed, each, blocked));
    }),
  ]);
  await query(url, 'VACUUM (ANALYZE)');
  await query(url, 'CHECKPOINT');
}

/**
 * The n-th of `total` moments of the year, and the UUID v7 of that moment, which ascend with n: two kinds of task never
 * have the same one.
 */
const yearBefore = (nowMs) => (total, kind) => {
  const ms = (n) => `(${nowMs - YEAR_MS} + (${n})::bigint * ${YEAR_MS} / ${total})`;
  return {
    at: (n) => `to_timestamp(${ms(n)} / 1000.0)`,
    id: (n) =>
      `(lpad(to_hex(${ms(n)}), 12, '0') || '7${kind}' || lpad(to_hex((${n}) % 256), 2, '0') || '8' || lpad(to_hex((${n})::bigint), 15, '0'))::uuid`,
  };
};

const outcome = (n) => `CASE WHEN ${n} % 50 = 0 THEN 'failed' ELSE 'completed' END`;

function finishedTasks({ id, at }, from, to) {
  const isBatch = 'n % 10 >= 5';
  const ifFailed = (text) => `CASE WHEN n % 50 = 0 THEN '${text}' END`;
  return `
    INSERT INTO finished_tasks (id, type, version, queue, status, joining, priority, attempt, max_attempts, fence, crash_count,
      timeout_ms, processed, run_at, created_at, queued_at, started_at, updated_at, completed_at, parent_id, parent_round,
      parent_position, weight, requested_by, name, drift_score, params, task_metadata, result, error_code, error_category, error_message)
    SELECT ${id('n')}, CASE WHEN n % 1000 = 7 THEN 'rare' ELSE ${TYPES} END, 1, 'default', (${outcome('n')})::task_status,
      false, 0, 1, 5, 1, 0, 60000, 1, at, at, at, at, at, at, CASE WHEN ${isBatch} THEN ${id('n - n % 10')} END,
      CASE WHEN ${isBatch} THEN 1 END, CASE WHEN ${isBatch} THEN n % 10 END, 1, 'cli:bench', 'Task ' || n, 0,
      jsonb_build_object('id', n), '{}', '{"found": 3}', ${ifFailed('http_503')}, ${ifFailed('transient')},
      ${ifFailed('the server answered 503')}
    FROM generate_series(${from}, ${to}) AS n, LATERAL (SELECT ${at('n')}) AS t(at)`;
}

const auditTrail = ({ id, at }, from, to) => `
  INSERT INTO task_events (task_id, at, from_status, to_status, attempt, fence, actor, reason)
  SELECT ${id('n')}, ${at('n')}, move[1]::task_status, move[2]::task_status, 1, 1, 'worker', move[3]
  FROM generate_series(${from}, ${to}) AS n,
    LATERAL (VALUES (ARRAY['queued', 'running', 'claimed']), (ARRAY['running', ${outcome('n')}, ${outcome('n')}])) AS moves(move)`;

/** One in `each * 100` is the first of a workflow, whose others are blocked. */
const delayedTasks = ({ id, at }, each, from, to) => `
  ${LIVE} SELECT ${id('n')}, ${TYPES}, 1, 'default', 'queued', false, 5, 60000, ${at('n')}, now() + interval '1 day' + n * interval '30 s',
    ${at('n')}, CASE WHEN n % ${each * 100} = 0 THEN ${id('n')} END, 'cli:bench', 'Later ' || n
  FROM generate_series(${from}, ${to}) AS n`;

const blockedTasks = (of, each, from, to) => {
  const root = of.delayed.id(`n / 100 * ${each * 100}`);
  return `
    WITH added AS (
      ${LIVE} SELECT ${of.blocked.id('n')}, ${TYPES}, 1, 'default', 'created', false, 5, 60000, ${of.blocked.at('n')}, now(), NULL,
        ${root}, 'cli:bench', 'Blocked ' || n
      FROM generate_series(${from}, ${to}) AS n
      RETURNING id, workflow_id, name
    ), edges AS (
      INSERT INTO workflow_edges (parent_id, child_id, on_failure) SELECT workflow_id, id, 'fail' FROM added
    )
    INSERT INTO workflow_nodes (task_id, workflow_id, name, level, weight, waiting) SELECT id, workflow_id, name, 1, 1, 1 FROM added`;
};

/** Of the first tasks' ids. */
const workflows = ({ id }, each, blocked) => `
  WITH roots AS (
    SELECT ${id(`n * ${each * 100}`)} AS id FROM generate_series(0, ${Math.ceil(blocked / 100) - 1}) AS n
  ), added AS (
    INSERT INTO workflows (id, name, requested_by, total, open, weight) SELECT id, 'Bench', 'cli:bench', 101, 101, 101 FROM roots
  )
  INSERT INTO workflow_nodes (task_id, workflow_id, name, level, weight, waiting) SELECT id, id, 'first', 0, 1, 0 FROM roots`;
