import type { OpenSpan } from '../../platform/tracing/tracing.js';
import type { AnyTaskDefinition } from '../define-task.js';
import type { Json, RunningTask } from '../task-handler.js';

/** Why an attempt's signal fired. */
export type StopReason = 'cancelled' | 'timeout' | 'shutdown' | 'lease-lost';

/** `signal.reason` of a stopped attempt. */
export class AttemptStopped extends Error {
  constructor(readonly why: StopReason) {
    super(`the attempt was stopped: ${why}`);
    this.name = 'AbortError';
  }
}

/** Thrown where an attempt tries to write after the task has been given to someone else. */
export class LeaseLostError extends Error {
  constructor(taskId: string) {
    super(`task ${taskId} is no longer held by this attempt`);
    this.name = 'LeaseLostError';
  }
}

/** A row as the claim statement gives it. */
export interface ClaimedRow {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly params: object;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly fence: number;
  readonly crash_count: number;
  readonly timeout_ms: number;
  readonly joining: boolean;
  readonly parent_id: string | null;
  readonly workflow_id: string | null;
  readonly checkpoint: Json | null;
  readonly requested_by: string;
  readonly priority: number;
  /** The place in its lane: what has a smaller one goes first. */
  readonly rank: number;
  readonly processed: string;
  readonly total: string | null;
  readonly waited_seconds: number | null;
  readonly trace_parent: string | null;
}

/** One try at one task by this worker: what is known of it while it runs. */
export class Attempt {
  readonly startedMs = performance.now();
  readonly deadlineMs: number;
  stoppedMs: number | undefined;
  why: StopReason | undefined;
  /** Settled, or given up: nothing that the handler still does counts. */
  closed = false;
  processed = 0;
  total: number | undefined;
  /** What the last attempt saved, or this one since. */
  checkpoint: Json | undefined;
  /** Known once the handler is found; its policy says when to try again. */
  definition: AnyTaskDefinition | undefined;
  /** Open while it runs, where traces are on. */
  span: OpenSpan | undefined;
  private controller: AbortController | undefined;

  constructor(readonly row: ClaimedRow) {
    this.deadlineMs = this.startedMs + row.timeout_ms;
    this.checkpoint = row.checkpoint ?? undefined;
  }

  /** Made when first asked for: most short tasks never do. */
  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.why) this.controller.abort(new AttemptStopped(this.why));
    }
    return this.controller.signal;
  }

  stop(why: StopReason): void {
    if (this.why ?? this.closed) return;
    this.why = why;
    this.stoppedMs = performance.now();
    this.controller?.abort(new AttemptStopped(why));
  }

  describe(): RunningTask {
    const { row } = this;
    return {
      id: row.id,
      type: row.type,
      version: row.version,
      attempt: row.attempt,
      maxAttempts: row.max_attempts,
      fence: row.fence,
      parentId: row.parent_id,
      requestedBy: row.requested_by,
    };
  }
}
