import type { Sql } from '../../platform/database/transaction.js';
import type { ChildResult, ChildrenSummary, Json } from '../task-handler.js';

const PAGE = 500;

interface FanOutRow {
  round: number;
  total: number;
  completed: number;
  failed: number;
  cancelled: number;
}

interface ChildRow {
  id: string;
  type: string;
  status: ChildResult['status'];
  result: Json;
  error_code: string | null;
  error_message: string | null;
}

const LAST_FAN_OUT = `
  SELECT round, total, completed, failed, cancelled FROM task_fan_outs WHERE parent_id = $1 ORDER BY round DESC LIMIT 1`;

/** A page of a fan-out's ended children in the order they were given, which is that of ids (index finished_tasks_children). */
const CHILDREN_PAGE = `
  SELECT id, type, status, result, error_code, error_message FROM finished_tasks
  WHERE parent_id = $1 AND parent_round = $2 AND id > $3 ORDER BY id LIMIT $4`;

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** How the children of a task's last fan-out ended. */
export async function childrenOf(sql: Sql, parentId: string): Promise<ChildrenSummary> {
  const [fanOut] = await sql.query<FanOutRow>(LAST_FAN_OUT, [parentId]);
  const { round = 0, total = 0, completed = 0, failed = 0, cancelled = 0 } = fanOut ?? {};
  return { total, completed, failed, cancelled, results: () => pages(sql, parentId, round) };
}

async function* pages(sql: Sql, parentId: string, round: number): AsyncGenerator<ChildResult> {
  for (let after = BEFORE_ALL; ;) {
    const rows = await sql.query<ChildRow>(CHILDREN_PAGE, [parentId, round, after, PAGE]);
    for (const row of rows) {
      yield {
        id: row.id,
        type: row.type,
        status: row.status,
        result: row.result,
        errorCode: row.error_code,
        errorMessage: row.error_message,
      };
    }
    const last = rows.at(-1);
    if (rows.length < PAGE || !last) return;
    after = last.id;
  }
}
