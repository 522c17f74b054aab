import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { within } from '../../platform/tracing/tracing.js';
import { Circuits } from '../limits/circuits.js';
import { type Ending, type Return, Settlement } from '../queue/settlement.js';
import { classify, type Failure, PermanentError, retryDelayMs } from '../retry-policy.js';
import type { Json } from '../task-handler.js';
import { type Attempt, LeaseLostError } from './attempt.js';
import { EffectsWriter } from './effects-writer.js';
import { FanOutWriter } from './fan-out-writer.js';
import type { Outcome } from './runner.js';
import type { Settler } from './settler.js';
import { toStoredJson } from './stored-json.js';
import type { AttemptContext } from './task-context.js';
import { whileHeld } from './while-held.js';

/** How an attempt ended, for logs and metrics. */
export type AttemptEnd = 'completed' | 'failed' | 'cancelled' | 'retry' | 'released' | 'parked' | 'waiting' | 'lost';

export interface WrittenOutcome {
  readonly end: AttemptEnd;
  readonly failure?: Failure;
  readonly retryInMs?: number;
}

/** Who holds an attempt, and where its outcome is handed in. */
export interface Holder {
  readonly workerId: string;
  readonly settler: Settler;
}

type StoppedAttempt =
  | { readonly kind: 'lost' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'released' }
  | { readonly kind: 'failure'; readonly failure: Failure };

/** More does not belong into a row; big results go to the blob store and only their key here. */
const MAX_RESULT_BYTES = 1_000_000;

/** Decides what an outcome means for the task and hands it to be written. */
@Injectable()
export class OutcomeWriter {
  constructor(
    private readonly database: Database,
    private readonly settlement: Settlement,
    private readonly fanOuts: FanOutWriter,
    private readonly effects: EffectsWriter,
    private readonly circuits: Circuits,
  ) {}

  /** Gives no promise where there is nothing to wait for: the settler writes in its own time. */
  write(holder: Holder, attempt: Attempt, outcome: Outcome): WrittenOutcome | Promise<WrittenOutcome> {
    try {
      if (outcome.kind === 'threw') return this.settleError(holder.settler, attempt, outcome.error);
      const { followUps, settlementWrites } = outcome.context;
      if (outcome.kind === 'fan-out' || followUps.length + settlementWrites.length > 0) {
        return this.writeAtOnce(holder, attempt, outcome);
      }
      holder.settler.end(tracked(attempt, this.ending(attempt, 'completed', resultText(outcome.result))));
      this.circuits.succeeded(attempt.row.type, attempt.row.id);
      return { end: 'completed' };
    } catch (error) {
      return this.settleError(holder.settler, attempt, error);
    }
  }

  private async writeAtOnce(
    { settler, workerId }: Holder,
    attempt: Attempt,
    outcome: Exclude<Outcome, { kind: 'threw' }>,
  ): Promise<WrittenOutcome> {
    try {
      if (outcome.kind === 'fan-out') {
        await settling(attempt, () => this.fanOuts.write(workerId, attempt, outcome));
        this.circuits.succeeded(attempt.row.type, attempt.row.id);
        const queue = this.queueOf(attempt);
        if (queue !== undefined) this.settlement.wake([queue]);
        return { end: 'waiting' };
      }
      const ending = this.ending(attempt, 'completed', resultText(outcome.result));
      await settling(attempt, () => this.settleWithEffects(workerId, ending, outcome.context));
      this.circuits.succeeded(attempt.row.type, attempt.row.id);
      return { end: 'completed' };
    } catch (error) {
      return this.settleError(settler, attempt, error);
    }
  }

  /** Ends an attempt that was stopped and does not listen. */
  giveUp(settler: Settler, attempt: Attempt): WrittenOutcome {
    const { type, id } = attempt.row;
    const wasOpen = this.circuits.wasLastSeenOpen(type);
    const stopped = this.endOf(attempt, attempt.signal.reason);
    if (stopped.kind === 'failure' && stopped.failure.category === 'transient') {
      void this.circuits.failed(type, id, stopped.failure); // the slot does not wait for it
    }
    return this.hand(settler, attempt, { ...stopped, wasOpen });
  }

  /** The end, the handler's own writes and its follow-up tasks, all or nothing. */
  private async settleWithEffects(workerId: string, ending: Ending, context: AttemptContext): Promise<void> {
    const queues = await this.database.transaction(async (tx) => {
      const { settled, queues } = await this.settlement.finishWithin(tx, workerId, [ending]);
      if (settled.size === 0) throw new LeaseLostError(ending.id);
      return [...queues, ...(await this.effects.write(tx, context))];
    });
    this.settlement.wake([...queues, ...(ending.wakes === undefined ? [] : [ending.wakes])]);
  }

  private settleError(settler: Settler, attempt: Attempt, error: unknown): WrittenOutcome | Promise<WrittenOutcome> {
    const { type, id } = attempt.row;
    const end = this.endOf(attempt, error);
    if (end.kind !== 'failure' || end.failure.category === 'permanent' || !this.circuits.has(type)) {
      return this.hand(settler, attempt, { ...end, wasOpen: false });
    }
    return this.circuits
      .failed(type, id, end.failure)
      .then((wasOpen) => this.hand(settler, attempt, { ...end, wasOpen }));
  }

  /** What an error, or a signal, means for the attempt. */
  private endOf({ row, why, definition }: Attempt, error: unknown): StoppedAttempt {
    if (error instanceof LeaseLostError || why === 'lease-lost') return { kind: 'lost' };
    if (why === 'cancelled') return { kind: 'cancelled' };
    if (why === 'shutdown') return { kind: 'released' };
    const isTimeout = why === 'timeout';
    const failure = isTimeout ? timeoutFailure(row.timeout_ms) : classify(error, definition?.retry.classify);
    return { kind: 'failure', failure };
  }

  /** Hands the outcome to the settler. Where the circuit was open already the attempt does not count. */
  private hand(
    settler: Settler,
    attempt: Attempt,
    end: StoppedAttempt & { readonly wasOpen: boolean },
  ): WrittenOutcome {
    const { row, definition } = attempt;
    if (end.kind === 'lost') return { end: 'lost' };
    if (end.kind === 'cancelled') {
      settler.end(tracked(attempt, this.ending(attempt, 'cancelled')));
      return { end: 'cancelled' };
    }
    if (end.kind === 'released') {
      settler.giveBack(tracked(attempt, { ...this.held(attempt), reason: 'released', delayMs: 0 }));
      return { end: 'released' };
    }
    const { failure } = end;
    if (end.wasOpen && failure.category === 'transient') {
      settler.giveBack(tracked(attempt, { ...this.held(attempt), ...failure, reason: 'parked', delayMs: 0 }));
      return { end: 'parked', failure };
    }
    const lastAttempt = Math.min(row.max_attempts, failure.lastAttempt ?? Infinity);
    if (failure.category === 'permanent' || row.attempt >= lastAttempt) {
      settler.end(tracked(attempt, { ...this.ending(attempt, 'failed'), ...failure }));
      return { end: 'failed', failure };
    }
    const retryInMs = retryDelayMs(definition?.retry.backoff, row.attempt, failure);
    settler.giveBack(tracked(attempt, { ...this.held(attempt), ...failure, reason: 'backoff', delayMs: retryInMs }));
    return { end: 'retry', failure, retryInMs };
  }

  /** Field by field: spreading costs more than all else that ends an attempt. */
  private ending(attempt: Attempt, status: Ending['status'], result: string | null = null): Ending {
    const { row, processed, total } = attempt;
    const { id, fence, parent_id, workflow_id: workflowId } = row;
    const wakes = this.queueOf(attempt);
    return { id, fence, hasParent: parent_id !== null, workflowId, processed, total, status, result, wakes };
  }

  private held(attempt: Attempt): Omit<Ending, 'status'> {
    const { row, processed, total } = attempt;
    const { id, fence, parent_id, workflow_id: workflowId } = row;
    return { id, fence, hasParent: parent_id !== null, workflowId, processed, total, wakes: this.queueOf(attempt) };
  }

  /** Where something may wait for this attempt to end. */
  private queueOf({ definition, row }: Attempt): string | undefined {
    if (!definition || !this.circuits.isLimited(row.type, definition.queue)) return undefined;
    return definition.queue;
  }
}

/** With a span that is open until the outcome is in the database, where traces are on. */
const tracked = <T extends Ending | Return>(attempt: Attempt, outcome: T): T =>
  attempt.span === undefined ? outcome : { ...outcome, span: attempt.span.part('settle') };

function settling(attempt: Attempt, write: () => Promise<void>): Promise<void> {
  const writing = (): Promise<void> => whileHeld(attempt, write);
  return attempt.span === undefined ? writing() : within(attempt.span.part('settle'), writing);
}

/** @throws PermanentError for what a row cannot hold: it will not fit the next time either. */
function resultText(result: Json | undefined): string | null {
  const text = result === undefined ? null : jsonOf(result);
  const sizeBytes = text === null ? 0 : Buffer.byteLength(text);
  if (sizeBytes <= MAX_RESULT_BYTES) return text;
  const allowed = `${String(MAX_RESULT_BYTES)} are allowed; store it and return a pointer`;
  throw new PermanentError('result_too_large', `the result has ${String(sizeBytes)} bytes, ${allowed}`);
}

function jsonOf(result: Json): string {
  try {
    const text = toStoredJson(result);
    if (text !== undefined) return text;
  } catch (error) {
    const { message } = classify(error);
    throw new PermanentError('result_not_storable', `the result cannot be turned into JSON: ${message}`, {
      cause: error,
    });
  }
  throw new PermanentError('result_not_storable', `a ${typeof result} is no result: it cannot be turned into JSON`);
}

export const timeoutFailure = (timeoutMs: number): Failure => ({
  category: 'transient',
  code: 'timeout',
  message: `the attempt took longer than the ${String(timeoutMs)} ms it may take`,
});
