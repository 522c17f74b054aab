import { FINAL_ITEMS, PARTIAL_CONTRIBUTION, SHARED_COLUMNS } from './settle.sql.js';

const OVERDUE_TASK = `status = 'queued' AND start_by IS NOT NULL AND start_by <= now() AND started_at IS NULL`;

/** Queued tasks that were to have started by now and never have (index live_tasks_start_by). */
export const OVERDUE_TASKS = `
  SELECT id, workflow_id AS "workflowId" FROM live_tasks WHERE ${OVERDUE_TASK} ORDER BY start_by LIMIT $1`;

/** Ends those of tasks $1 that are overdue still; their workflows ($2) are held. Those that somebody has taken are left. Primary keys. */
export const END_OVERDUE = `
  WITH held AS (
    SELECT id FROM live_tasks
    WHERE id = ANY($1::uuid[]) AND ${OVERDUE_TASK} AND (workflow_id IS NULL OR workflow_id = ANY($2::uuid[]))
    ORDER BY id FOR UPDATE SKIP LOCKED
  ), ended AS (
    DELETE FROM live_tasks t USING held h WHERE t.id = h.id RETURNING t.*, ${FINAL_ITEMS} AS final_processed,
      'it was to start by ' || to_char(t.start_by AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC, and had not' AS message
  ), archived AS (
    INSERT INTO finished_tasks (${SHARED_COLUMNS}, status, attempt, processed, total, updated_at, completed_at, error_code,
      error_category, error_message)
    SELECT ${SHARED_COLUMNS}, 'failed', attempt, final_processed, total, now(), now(), 'deadline_passed', 'permanent', message
    FROM ended
    RETURNING id, type, parent_id, parent_round, workflow_id, status, ${PARTIAL_CONTRIBUTION} AS contribution
  ), audited AS (
    INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason, error_code, error_category,
      error_message)
    SELECT id, 'queued', 'failed', attempt, fence, 'engine', 'deadline_passed', 'deadline_passed', 'permanent', message FROM ended
  )
  SELECT id, type, parent_id, parent_round, workflow_id, status, contribution FROM archived`;
