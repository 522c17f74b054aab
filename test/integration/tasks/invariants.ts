import { TRANSITIONS } from '../../../src/tasks/task-state.js';
import type { Engine } from '../../support/engine-harness.js';

/** Moves in the audit trail that do not follow from the one before, or are not in the table; and tasks it does not end at. */
export async function wrongMoves(engine: Engine): Promise<object[]> {
  const allowed = TRANSITIONS.flatMap(({ from, to, reasons }) =>
    reasons.map((reason) => `${from ?? ''}>${to} ${reason}`),
  );
  return engine.database.query(
    `WITH moves AS (
       SELECT task_id, id, from_status, to_status, reason, fence,
         lag(to_status) OVER task AS was, lag(fence) OVER task AS last_fence, lead(id) OVER task IS NULL AS newest
       FROM task_history WINDOW task AS (PARTITION BY task_id ORDER BY id))
     SELECT m.*, t.status FROM moves m LEFT JOIN tasks t ON t.id = m.task_id
     WHERE (m.was IS NOT NULL AND m.from_status IS DISTINCT FROM m.was) OR m.fence < m.last_fence
       OR NOT (coalesce(m.from_status::text, '') || '>' || m.to_status || ' ' || m.reason = ANY($1))
       OR (m.newest AND t.status IS DISTINCT FROM m.to_status)
     ORDER BY m.task_id, m.id`,
    [allowed],
  );
}
