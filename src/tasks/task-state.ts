/** Where a task stands. Order as in a task's life. */
export const TASK_STATUSES = ['created', 'queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export const FINISHED_STATUSES = ['completed', 'failed', 'cancelled'] as const;
export type FinishedStatus = (typeof FINISHED_STATUSES)[number];

/** Why a task moved: the stable word in the audit trail. */
export type TransitionReason =
  | 'created'
  | 'enqueued'
  | 'run'
  | 'retry'
  | 'claimed'
  | 'completed'
  | 'failed'
  | 'backoff'
  | 'released'
  | 'parked'
  | 'worker_lost'
  | 'quarantined'
  | 'cancelled'
  | 'parent_cancelled'
  | 'waiting_for_children'
  | 'children_ended'
  | 'deadline_passed'
  | 'dependencies_met'
  | 'dependency_failed'
  | 'invalid_params'
  | 'skipped'
  | 'retry_above';

interface Transition {
  readonly from: TaskStatus | null;
  readonly to: TaskStatus;
  readonly reasons: readonly TransitionReason[];
}

/**
 * Every move there is; nothing else changes a status. A running task is moved only by the attempt that holds it (fence
 * and worker named in the statement), by the rescuer once that worker's lease is gone, or, while it waits for its
 * children and nobody holds it, by the end of the last child or by cancellation.
 */
export const TRANSITIONS: readonly Transition[] = [
  { from: null, to: 'created', reasons: ['created'] },
  { from: 'created', to: 'queued', reasons: ['enqueued', 'run', 'dependencies_met'] },
  { from: 'created', to: 'failed', reasons: ['dependency_failed', 'invalid_params'] },
  { from: 'created', to: 'cancelled', reasons: ['cancelled', 'parent_cancelled', 'skipped'] },
  { from: 'queued', to: 'running', reasons: ['claimed', 'waiting_for_children'] },
  { from: 'queued', to: 'cancelled', reasons: ['cancelled', 'parent_cancelled'] },
  { from: 'queued', to: 'failed', reasons: ['deadline_passed'] },
  { from: 'running', to: 'completed', reasons: ['completed'] },
  { from: 'running', to: 'failed', reasons: ['failed', 'quarantined'] },
  { from: 'running', to: 'cancelled', reasons: ['cancelled', 'parent_cancelled'] },
  { from: 'running', to: 'queued', reasons: ['backoff', 'released', 'parked', 'worker_lost', 'children_ended'] },
  { from: 'failed', to: 'queued', reasons: ['run', 'retry'] },
  { from: 'cancelled', to: 'queued', reasons: ['run', 'retry'] },
  // A node of a workflow that is run again waits for its dependencies again, and so does all that is below it.
  { from: 'failed', to: 'created', reasons: ['run', 'retry', 'retry_above'] },
  { from: 'cancelled', to: 'created', reasons: ['run', 'retry', 'retry_above'] },
  { from: 'completed', to: 'created', reasons: ['retry_above'] },
  { from: 'queued', to: 'created', reasons: ['retry_above'] },
];

export const isFinished = (status: TaskStatus): status is FinishedStatus =>
  (FINISHED_STATUSES as readonly TaskStatus[]).includes(status);

/** Words of older clients, in any letter case. */
const OLD_WORDS: Readonly<Record<string, readonly TaskStatus[]>> = {
  pending: ['created', 'queued'],
  succeeded: ['completed'],
  all: TASK_STATUSES,
};

/** What a status filter may say. */
export const STATUS_WORDS: readonly string[] = [...TASK_STATUSES, ...Object.keys(OLD_WORDS)];

/** The statuses that a word means (`PENDING` → created and queued), or undefined when it means none. */
export function statusesMeantBy(word: string): readonly TaskStatus[] | undefined {
  const lower = word.toLowerCase();
  const same = TASK_STATUSES.filter((status) => status === lower);
  if (same.length > 0) return same;
  return Object.hasOwn(OLD_WORDS, lower) ? OLD_WORDS[lower] : undefined;
}
