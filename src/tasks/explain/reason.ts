import type { Json } from '../task-handler.js';
import type { Task } from '../task.js';

/** One thing that holds about a task right now: why it does not run, or how it runs, or how it ended. */
export interface Reason {
  /** Stable, for programs; docs/tasks.md lists them. */
  readonly code: string;
  /** One sentence, for people. */
  readonly message: string;
  /** What happens next if nobody does anything. */
  readonly next?: string;
  /** What a person can do about it. */
  readonly advice?: string;
  /** The figures in the message and more, for programs. JSON, snake_case. */
  readonly facts: Readonly<Record<string, Json>>;
}

/** A task with what only explaining asks for, all of one moment. */
export interface ExplainedTask extends Task {
  /** The server's clock at that moment. */
  readonly now: Date;
  /** Queued, and offered to workers. */
  readonly ready: boolean;
  readonly workerId: string | null;
  /** Who made the last change of its status, and the audit trail's word for why. */
  readonly lastActor: string | null;
  readonly lastReason: string | null;
}

/**
 * Knows one kind of reason. Each looks only at what concerns it, and costs a few index look-ups at most: somebody is
 * watching a page that asks every second.
 */
export interface Explainer {
  explain(task: ExplainedTask): Promise<readonly Reason[]> | readonly Reason[];
}
