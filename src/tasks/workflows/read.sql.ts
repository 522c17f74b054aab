/** With the weight of what its running nodes have done (index live_tasks_workflow). */
const WORKFLOW_COLUMNS = `w.id, w.name, w.requested_by, w.created_at, w.updated_at, w.completed_at, w.cancel_requested_at, w.total,
  w.open, w.completed, w.failed, w.cancelled, w.skipped, w.weight, w.weight_ended, w.progress, (
    SELECT coalesce(sum(n.weight * least(1, task_items_done(t.id, t.processed)::float8 / t.total)), 0)::float8
    FROM live_tasks t JOIN workflow_nodes n ON n.task_id = t.id
    WHERE t.workflow_id = w.id AND t.status = 'running' AND t.total > 0) AS weight_running`;

export const WORKFLOW_BY_ID = `SELECT ${WORKFLOW_COLUMNS} FROM workflows w WHERE w.id = $1`;

/** Newest first (primary key). */
export const WORKFLOW_IDS_BY_PREFIX = `SELECT id FROM workflows WHERE id >= $1 AND id <= $2 ORDER BY id DESC LIMIT $3`;

/** Newest first (primary key): ids are UUID v7. */
export const WORKFLOWS_PAGE = `
  SELECT ${WORKFLOW_COLUMNS} FROM workflows w
  WHERE ($1::uuid IS NULL OR w.id < $1)
    AND ($2::text[] IS NULL OR CASE WHEN w.open > 0 THEN 'running' WHEN w.failed > 0 THEN 'failed'
      WHEN w.cancelled > 0 THEN 'cancelled' ELSE 'completed' END = ANY($2))
  ORDER BY w.id DESC LIMIT $3`;

/**
 * Keeps what was shown, so that a running node whose total grows does not take it back. At most a hundred times in the
 * life of a workflow; not while someone else has the row, nor when a retry has come between.
 */
export const KEEP_PROGRESS = `
  UPDATE workflows w SET progress = $2
  WHERE w.id IN (SELECT id FROM workflows WHERE id = $1 AND progress < $2 AND weight_ended >= $3 FOR UPDATE SKIP LOCKED)`;

/** In the order in which they were given; each task is looked up by its id, whichever table it is in. */
export const NODES_OF_WORKFLOW = `
  SELECT n.task_id AS "taskId", n.name, n.level, n.weight, coalesce(n.outcome::text, t.status::text) AS status, t.type,
    coalesce(t.attempt, 0) AS attempt, t.error_code AS "errorCode", t.error_message AS "errorMessage",
    t.started_at AS "startedAt", t.completed_at AS "completedAt"
  FROM workflow_nodes n
  LEFT JOIN LATERAL (SELECT * FROM tasks WHERE id = n.task_id OFFSET 0) t ON true
  WHERE n.workflow_id = $1 ORDER BY n.task_id`;

/** The edges of a workflow by the node that waits (workflow_nodes_name, primary key of workflow_edges). */
export const EDGES_OF_WORKFLOW = `
  SELECT e.child_id AS "childId", p.name AS node, e.on_failure AS "onFailure"
  FROM workflow_nodes p JOIN workflow_edges e ON e.parent_id = p.task_id
  WHERE p.workflow_id = $1 ORDER BY e.parent_id`;

export const NODE_BY_NAME = `SELECT task_id AS id FROM workflow_nodes WHERE workflow_id = $1 AND name = $2`;

/** Takes the workflow, and notes that someone wants it cancelled. */
export const REQUEST_WORKFLOW_CANCEL = `
  UPDATE workflows SET cancel_requested_at = coalesce(cancel_requested_at, now()), updated_at = now()
  WHERE id = $1 AND open > 0`;

export const OPEN_NODES = `
  SELECT task_id AS id FROM workflow_nodes WHERE workflow_id = $1 AND outcome IS NULL`;
