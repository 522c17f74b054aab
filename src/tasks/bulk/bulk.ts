import type { TaskFilter } from '../listing/task-filter.js';
import type { TaskStatus } from '../task-state.js';

export const BULK_ACTIONS = ['cancel', 'retry', 'delete'] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/** In which states a task must be for each action; a filter may narrow them further. */
export const ACTS_ON: Readonly<Record<BulkAction, readonly TaskStatus[]>> = {
  cancel: ['created', 'queued', 'running'],
  retry: ['failed', 'cancelled'],
  delete: ['completed', 'failed', 'cancelled'],
};

/**
 * An operation on many tasks. A dry run chooses them, once and for all; confirming it lets the operation act on those, and
 * on no other, as far as they are still in a state that was asked for. Only tasks that are not part of another one's work
 * are chosen: batches follow their task. Nodes of workflows are cancelled, but neither started again nor deleted here: that is
 * done to the workflow.
 */
export interface Bulk {
  readonly id: string;
  readonly action: BulkAction;
  /** In the states that it acts on. */
  readonly statuses: readonly TaskStatus[];
  readonly taskCount: number;
  /** false: more match than one operation takes. */
  readonly isComplete: boolean;
  readonly plannedBy: string;
  readonly plannedAt: Date;
  readonly confirmedAt: Date | null;
  /** Tasks dealt with so far. */
  readonly processed: number;
  /** Those of them that were changed; the others had changed by themselves. */
  readonly changed: number;
  readonly finishedAt: Date | null;
}

export interface BulkRequest {
  readonly action: BulkAction;
  readonly filter: TaskFilter;
  /** Who asks. */
  readonly actor: string;
}

/** A filter that is said again must be that of the dry run. */
export type Confirmation = Pick<BulkRequest, 'action' | 'actor'> & { readonly filter?: TaskFilter };

/** How many tasks one transaction deals with. Larger holds locks for longer; smaller costs commits. */
export const CHUNK = 500;
/** How long a dry run may be confirmed. */
export const CONFIRMABLE_MS = 15 * 60_000;
/** The most tasks that one operation takes: choosing them happens within a request. */
export const MAX_TASKS = 1_000_000;
