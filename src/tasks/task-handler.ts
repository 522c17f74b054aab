import type { Transaction } from '../platform/database/transaction.js';
import type { AnyTaskDefinition, InputOf, TaskDefinition } from './define-task.js';
import type { StartTimes } from './start-times.js';

/** Anything JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** The task that an attempt works on. */
export interface RunningTask {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  /** 1 on the first try; releases and crashes do not count. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** The fencing number of this attempt: every claim has a higher one. */
  readonly fence: number;
  readonly parentId: string | null;
  readonly requestedBy: string;
}

/** How the children of the last fan-out ended. */
export interface ChildrenSummary {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Results and errors of all children, in the order they were given, read in pages. */
  results(): AsyncIterable<ChildResult>;
}

export interface ChildResult {
  readonly id: string;
  readonly type: string;
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly result: Json;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}

export interface EnqueueRequest<Definition extends AnyTaskDefinition = AnyTaskDefinition> {
  readonly task: Definition;
  readonly input: InputOf<Definition>;
  readonly terms: FollowUpTerms;
}

/** How a follow-up task is to be added, where not as its definition says. */
export interface FollowUpTerms extends StartTimes {
  readonly priority?: number;
}

/** What a handler may use while it runs. A fake of it is all that a handler's unit test needs. */
export interface TaskContext {
  readonly task: RunningTask;
  /** Fires on cancellation, timeout, shutdown and loss of the lease; `signal.reason` says which. */
  readonly signal: AbortSignal;
  /** What the last attempt saved, or undefined. */
  readonly checkpoint: Json | undefined;
  /**
   * Items done so far of how many. Written at most once a second; never goes backwards. A batch keeps to the total that it
   * names first, in whose terms later ones are shown.
   */
  progress(processed: number, total?: number): void;
  /** Durable at once; reaches the next attempt. Throws LeaseLostError when the attempt is no longer ours. */
  saveCheckpoint(value: Json): Promise<void>;
  /**
   * A transaction that commits only while this attempt holds the task: a stale attempt's writes are refused with
   * LeaseLostError. Use it for every write whose doubling would show.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Adds a follow-up task that appears if, and only if, this attempt completes or splits: in the transaction that settles it. */
  enqueue<D extends AnyTaskDefinition>(task: D, input: InputOf<D>, terms?: FollowUpTerms): void;
  /** Adds writes to the transaction in which this attempt completes or splits: effects exactly once. */
  onSettle(write: (tx: Transaction) => Promise<void>): void;
}

/** One batch of a fan-out. */
export interface ChildTask<Input> {
  readonly input: Input;
  /** What it adds to the parent's progress when it is done: its number of items. Default 1. */
  readonly weight?: number;
}

/** Returned by a handler to split its work: the task stays `running`, held by no worker, until every child has ended. */
export class FanOut {
  constructor(
    readonly task: AnyTaskDefinition,
    readonly children: readonly ChildTask<object>[],
    readonly options: FanOutOptions,
  ) {}
}

export interface FanOutOptions {
  /** The parent's total over all its fan-outs, in units of weight; default: what has been fanned out so far. */
  readonly total?: number;
  /** Reaches `afterChildren` as `ctx.checkpoint`. */
  readonly checkpoint?: Json;
  /** A batch that has not begun by then fails, with `deadline_passed`. */
  readonly startBy?: Date;
}

export function fanOut<Input extends object>(
  task: TaskDefinition<string, Input>,
  children: readonly ChildTask<Input>[],
  options: FanOutOptions = {},
): FanOut {
  return new FanOut(task, children, options);
}

/** What a handler's method gives: the task's result, or a fan-out. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a handler without a result need not return one
export type HandlerResult = Json | FanOut | undefined | void;

export interface TaskHandler<Definition extends AnyTaskDefinition> {
  run(input: InputOf<Definition>, context: TaskContext): Promise<HandlerResult>;
  /** The final step of a fan-out: sees how every child ended; may fan out again (`context.checkpoint` tells the phase). */
  afterChildren?(input: InputOf<Definition>, context: TaskContext, children: ChildrenSummary): Promise<HandlerResult>;
}
