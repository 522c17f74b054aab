import { TRANSITIONS } from '../../../src/tasks/task-state.js';
import type { Engine } from '../../support/engine-harness.js';

/** Fan-outs whose counters are not what they count. */
export function wrongCounters(engine: Engine): Promise<object[]> {
  return engine.database.query(`
    SELECT f.*, live.count AS live, done.completed AS really_completed, done.failed AS really_failed,
      done.cancelled AS really_cancelled
    FROM task_fan_outs f,
      LATERAL (SELECT count(*)::int AS count FROM live_tasks WHERE parent_id = f.parent_id AND parent_round = f.round) live,
      LATERAL (SELECT count(*) FILTER (WHERE status = 'completed')::int AS completed,
        count(*) FILTER (WHERE status = 'failed')::int AS failed, count(*) FILTER (WHERE status = 'cancelled')::int AS cancelled
        FROM finished_tasks WHERE parent_id = f.parent_id AND parent_round = f.round) done
    WHERE (f.open, f.completed, f.failed, f.cancelled)
      IS DISTINCT FROM (live.count, done.completed, done.failed, done.cancelled)`);
}

/** Moves in the audit trail that do not follow from the one before, or are not in the table; and tasks it does not end at. */
export async function wrongMoves(engine: Engine): Promise<object[]> {
  const allowed = TRANSITIONS.flatMap(({ from, to, reasons }) =>
    reasons.map((reason) => `${from ?? ''}>${to} ${reason}`),
  );
  return engine.database.query(
    `WITH moves AS (
       SELECT task_id, id, from_status, to_status, reason, fence,
         lag(to_status) OVER task AS was, lag(fence) OVER task AS last_fence, lead(id) OVER task IS NULL AS newest
       FROM task_events WINDOW task AS (PARTITION BY task_id ORDER BY id))
     SELECT m.*, t.status FROM moves m LEFT JOIN tasks t ON t.id = m.task_id
     WHERE (m.was IS NOT NULL AND m.from_status IS DISTINCT FROM m.was) OR m.fence < m.last_fence
       OR NOT (coalesce(m.from_status::text, '') || '>' || m.to_status || ' ' || m.reason = ANY($1))
       OR (m.newest AND t.status IS DISTINCT FROM m.to_status)
     ORDER BY m.task_id, m.id`,
    [allowed],
  );
}
