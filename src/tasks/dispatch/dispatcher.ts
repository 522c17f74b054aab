import type { TaskType } from '../define-task.js';
import type { QueueClaims } from '../limits/queue-claims.js';
import type { Opening } from '../queue/wakeup.js';
import type { QueueLoopOptions } from '../worker/queue-loop.js';

export interface SourceOptions extends Omit<QueueLoopOptions, 'claims'> {
  /** The types it works on, each up to a version. */
  readonly types: readonly { readonly name: string; readonly version: number }[];
  /** The line of ready tasks in PostgreSQL. */
  readonly claims: QueueClaims;
}

/** Where a worker gets its tasks from. */
export interface TaskSource {
  start(): void;
  /** There may be something to claim. */
  hint(): void;
  /** A slot for a new task of this type, if it could start here at once. */
  opening?(type: TaskType): Opening | undefined;
  /** A slot is free again. */
  release(): void;
  /** Claims no more; what it has claimed has been handed out when this resolves. */
  stop(): Promise<void>;
}

/**
 * Carries ready tasks to workers: decides which of them goes to which worker, and when. It holds nothing that could be
 * lost. States, fences, leases and the audit trail are PostgreSQL's, where every claim is one guarded statement. What
 * a dispatcher hands out is a proposal, and whoever claims finds out whether the task is still there to be claimed.
 */
export abstract class Dispatcher {
  /** The tasks of one queue for one life of a worker. */
  abstract source(options: SourceOptions): TaskSource;
}
