/**
 * So many tasks or more that make the same transition in one statement share a row of the audit trail
 * (task_event_batches); fewer write a row each (task_events). Smaller fills the index of ranges with single tasks, larger
 * makes small batches cost an index entry a task.
 */
export const TOGETHER_FROM = 8;

/** One audit row for all of `source` (a CTE or subquery with id, attempt, fence) that `having` admits. */
export const auditTogether = (
  { from, to, workerId, actor, reason }: Record<'from' | 'to' | 'workerId' | 'actor' | 'reason', string>,
  { source, groupBy = '', having }: { readonly source: string; readonly groupBy?: string; readonly having: string },
): string => `
    INSERT INTO task_event_batches (from_status, to_status, worker_id, actor, reason, tasks, task_ids, attempts, fences)
    SELECT ${from}, ${to}, ${workerId}, ${actor}, ${reason}, uuid_range(ids[1], ids[cardinality(ids)], '[]'), ids, attempts, fences
    FROM (
      SELECT ${groupBy} array_agg(id ORDER BY id) AS ids, array_agg(attempt ORDER BY id) AS attempts,
        array_agg(fence ORDER BY id) AS fences
      FROM ${source} ${groupBy && `GROUP BY ${groupBy.replace(/,\s*$/, '')}`}
      HAVING ${having}) together`;
