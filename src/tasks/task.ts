import type { TaskStatus } from './task-state.js';

/** A task as the outside sees it. */
export interface Task {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly name: string;
  readonly description: string | null;
  readonly domain: string | null;
  readonly driftScore: number;
  readonly params: unknown;
  readonly queue: string;
  readonly status: TaskStatus;
  /** Running, but held by no worker: its children are at work. */
  readonly waiting: boolean;
  readonly priority: number;
  /** 0–100. */
  readonly progress: number;
  readonly processed: number;
  readonly total: number | null;
  /** When it should be done at the present rate; only while running. */
  readonly eta: Date | null;
  readonly result: unknown;
  readonly resultRef: string | null;
  readonly errorCode: string | null;
  readonly errorCategory: string | null;
  readonly errorMessage: string | null;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly crashCount: number;
  readonly runAt: Date;
  readonly startBy: Date | null;
  readonly timeoutMs: number;
  readonly dedupKey: string | null;
  readonly parentId: string | null;
  readonly workflowId: string | null;
  readonly requestedBy: string;
  readonly cancelRequestedAt: Date | null;
  readonly metadata: unknown;
  readonly createdAt: Date;
  readonly queuedAt: Date | null;
  readonly startedAt: Date | null;
  readonly completedAt: Date | null;
  readonly updatedAt: Date;
}

/** A row of the view `tasks` with its computed `done`. */
export interface TaskRow {
  id: string;
  type: string;
  version: number;
  name: string;
  description: string | null;
  domain: string | null;
  drift_score: number;
  params: unknown;
  queue: string;
  status: TaskStatus;
  waiting: boolean;
  priority: number;
  done: string;
  total: string | null;
  result: unknown;
  result_ref: string | null;
  error_code: string | null;
  error_category: string | null;
  error_message: string | null;
  attempt: number;
  max_attempts: number;
  crash_count: number;
  run_at: Date;
  start_by: Date | null;
  timeout_ms: number;
  dedup_key: string | null;
  parent_id: string | null;
  workflow_id: string | null;
  requested_by: string;
  cancel_requested_at: Date | null;
  task_metadata: unknown;
  created_at: Date;
  queued_at: Date | null;
  started_at: Date | null;
  completed_at: Date | null;
  updated_at: Date;
}

export function taskOf(row: TaskRow, now: Date): Task {
  const processed = Number(row.done);
  const total = row.total === null ? null : Number(row.total);
  return {
    id: row.id,
    type: row.type,
    version: row.version,
    name: row.name,
    description: row.description,
    domain: row.domain,
    driftScore: row.drift_score,
    params: row.params,
    queue: row.queue,
    status: row.status,
    waiting: row.waiting,
    priority: row.priority,
    progress: progressOf(row.status, processed, total),
    processed,
    total,
    eta: etaOf(row, { processed, total }, now),
    result: row.result,
    resultRef: row.result_ref,
    errorCode: row.error_code,
    errorCategory: row.error_category,
    errorMessage: row.error_message,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    crashCount: row.crash_count,
    runAt: row.run_at,
    startBy: row.start_by,
    timeoutMs: row.timeout_ms,
    dedupKey: row.dedup_key,
    parentId: row.parent_id,
    workflowId: row.workflow_id,
    requestedBy: row.requested_by,
    cancelRequestedAt: row.cancel_requested_at,
    metadata: row.task_metadata,
    createdAt: row.created_at,
    queuedAt: row.queued_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    updatedAt: row.updated_at,
  };
}

/** Whole percent, rounded down: 100 means all of it. */
export function progressOf(status: TaskStatus, processed: number, total: number | null): number {
  if (status === 'completed') return 100;
  if (total === null || total === 0) return 0;
  return Math.min(100, Math.floor((100 * processed) / total));
}

function etaOf(
  row: TaskRow,
  { processed, total }: { processed: number; total: number | null },
  now: Date,
): Date | null {
  if (row.status !== 'running' || row.started_at === null || total === null || processed <= 0) return null;
  const elapsedMs = Math.max(0, now.getTime() - row.started_at.getTime());
  const eta = new Date(now.getTime() + (elapsedMs / processed) * Math.max(0, total - processed));
  // Farther away than dates go.
  return Number.isNaN(eta.getTime()) ? null : eta;
}

/** One row of the audit trail. */
export interface TaskEvent {
  readonly id: string;
  readonly at: Date;
  readonly from: TaskStatus | null;
  readonly to: TaskStatus;
  readonly attempt: number;
  readonly fence: number;
  readonly workerId: string | null;
  readonly actor: string;
  readonly reason: string;
  readonly errorCode: string | null;
  readonly errorCategory: string | null;
  readonly errorMessage: string | null;
}
