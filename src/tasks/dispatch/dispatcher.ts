import type { QueueLoopOptions } from '../worker/queue-loop.js';

/** Where a worker gets its tasks from. */
export interface TaskSource {
  start(): void;
  /** There may be something to claim. */
  hint(): void;
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
  abstract source(options: QueueLoopOptions): TaskSource;
}
