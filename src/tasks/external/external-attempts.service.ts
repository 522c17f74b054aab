import { Injectable } from '@nestjs/common';
import { unstorableTexts } from '../../platform/database/unstorable-text.js';
import { conflict, type FieldError, invalid } from '../../platform/errors/app-error.js';
import { EnginePool } from '../queue/engine-pool.js';
import type { Failure } from '../retry-policy.js';
import type { TaskEvent } from '../task.js';
import { TaskReader } from '../task-reader.js';
import { type AttemptRef, attemptIdOf, attemptNotFound, attemptRefOf } from './attempt-ref.js';
import { HEARTBEAT, HELD_ATTEMPT, ORPHANED_ATTEMPT, REPORT, UNDISTURBED } from './external-attempts.sql.js';
import { ExternalSettler } from './external-settler.js';
import { ExternalTypes } from './external-types.service.js';
import type { HeldAttempt } from './held-attempt.js';
import { DEEPEST_JSON, isTooDeep } from './json-limits.js';

/** What a worker reports of an attempt while it runs; whatever is left out stays as it was. */
export interface Report {
  readonly processed?: number;
  readonly total?: number;
  readonly checkpoint?: unknown;
}

export interface Heartbeat {
  readonly leaseExpiresAt: Date;
  readonly deadlineAt: Date;
  /** Attempts of the same lease, this one among them, that somebody wants cancelled. */
  readonly cancelled: readonly AttemptRef[];
}

/** What became of an attempt: `retry` will be tried again. */
export type ExternalOutcome = 'completed' | 'failed' | 'retry' | 'released' | 'cancelled';

interface HeartbeatRow {
  readonly worker_id: string;
  readonly lease_expires_at: Date;
  readonly deadline_at: Date;
  readonly cancelled: readonly AttemptRef[];
}

const EVENTS_A_PAGE = 500;
const MAX_RESULT_BYTES = 1_000_000;

/** Why an attempt left `running`, and what that means for whoever asks how it went. */
const OUTCOMES: Readonly<Record<string, ExternalOutcome>> = {
  completed: 'completed',
  failed: 'failed',
  backoff: 'retry',
  parked: 'retry',
  released: 'released',
  cancelled: 'cancelled',
};

/**
 * What an external worker says about an attempt. Each call names the attempt with its fence, so that whoever has lost it is
 * told so. The outcome is read from the audit trail: a call that is repeated finds what the first one did, and gets its
 * answer.
 */
@Injectable()
export class ExternalAttempts {
  constructor(
    private readonly pool: EnginePool,
    private readonly reader: TaskReader,
    private readonly types: ExternalTypes,
    private readonly settler: ExternalSettler,
  ) {}

  /** Keeps the lease of the attempt's claim. @throws conflict `lease_lost`, not-found `attempt_not_found`. */
  async heartbeat(attemptId: string, report: Report): Promise<Heartbeat> {
    const ref = attemptRefOf(attemptId);
    const checkpoint = report.checkpoint === undefined ? null : storable(report.checkpoint, 'checkpoint');
    const [row] = await this.pool.prepared.query<HeartbeatRow>(HEARTBEAT, [ref.taskId, ref.fence]);
    if (!row || !(await this.report(ref, row.worker_id, { ...report, checkpoint }))) throw await this.lost(ref);
    return { leaseExpiresAt: row.lease_expires_at, deadlineAt: row.deadline_at, cancelled: row.cancelled };
  }

  /** @throws invalid `invalid_result`, which leaves the attempt as it is; conflict `lease_lost`. */
  async complete(attemptId: string, result: unknown, actor: string): Promise<ExternalOutcome> {
    const ref = attemptRefOf(attemptId);
    const text = result === undefined ? null : storable(result, 'result');
    const held = await this.held(ref);
    if (held) {
      (await this.types.version(held.type, held.version))?.assertResult(result ?? null);
      await this.settler.complete(held, text, actor);
    }
    return this.outcomeOf(ref, async ({ reason }) => reason === 'completed' && (await this.hasResult(ref, text)));
  }

  /** @throws conflict `lease_lost`. */
  async fail(attemptId: string, said: Failure, actor: string): Promise<ExternalOutcome> {
    const ref = attemptRefOf(attemptId);
    // As text of the database comes back: without NUL and half surrogate pairs.
    const failure = { ...said, message: Buffer.from(said.message.replaceAll('\0', '')).toString() };
    const held = await this.held(ref);
    if (held) await this.settler.fail(held, failure, actor);
    const same = (event: TaskEvent): boolean =>
      event.errorCode === failure.code &&
      event.errorCategory === failure.category &&
      event.errorMessage === failure.message;
    return this.outcomeOf(
      ref,
      (event) =>
        event.reason === 'cancelled' || (['failed', 'backoff', 'parked'].includes(event.reason) && same(event)),
    );
  }

  /** Gives the task back. @throws conflict `lease_lost`. */
  async release(attemptId: string, report: Report): Promise<ExternalOutcome> {
    const ref = attemptRefOf(attemptId);
    const checkpoint = report.checkpoint === undefined ? null : storable(report.checkpoint, 'checkpoint');
    const held = await this.held(ref);
    if (held && (await this.report(ref, held.worker_id, { ...report, checkpoint }))) {
      await this.settler.release((await this.held(ref)) ?? held); // with the progress that it has reported just now
    }
    return this.outcomeOf(ref, ({ reason }) => reason === 'released' || reason === 'cancelled');
  }

  /** Of attempts that a worker holds, those that somebody wants cancelled, or that are not its own any more. */
  async disturbedOf(holding: readonly AttemptRef[]): Promise<AttemptRef[]> {
    if (holding.length === 0) return [];
    const rows = await this.pool.query<{ id: string; fence: number }>(UNDISTURBED, [
      holding.map(({ taskId }) => taskId),
      holding.map(({ fence }) => fence),
    ]);
    const fine = new Set(rows.map(({ id, fence }) => attemptIdOf({ taskId: id, fence })));
    return holding.filter((ref) => !fine.has(attemptIdOf(ref)));
  }

  private async held({ taskId, fence }: AttemptRef): Promise<HeldAttempt | undefined> {
    return (await this.pool.prepared.query<HeldAttempt>(HELD_ATTEMPT, [taskId, fence]))[0];
  }

  /** Gives whether the attempt still has its task. */
  private async report(
    { taskId, fence }: AttemptRef,
    workerId: string,
    { processed, total, checkpoint }: Report & { readonly checkpoint: string | null },
  ): Promise<boolean> {
    if (processed === undefined && total === undefined && checkpoint === null) return true;
    const values = [taskId, fence, workerId, processed ?? null, total ?? null, checkpoint];
    return (await this.pool.prepared.query(REPORT, values)).length > 0;
  }

  private async hasResult({ taskId }: AttemptRef, text: string | null): Promise<boolean> {
    const { result } = await this.reader.get(taskId);
    return canonical(result) === canonical(text === null ? null : JSON.parse(text));
  }

  private async outcomeOf(
    ref: AttemptRef,
    isWhatWasAsked: (end: TaskEvent) => boolean | Promise<boolean>,
  ): Promise<ExternalOutcome> {
    const end = await this.endOf(ref);
    const outcome = end && OUTCOMES[end.reason];
    if (outcome && (await isWhatWasAsked(end))) return outcome;
    throw await this.lost(ref, end);
  }

  private async lost(ref: AttemptRef, known?: TaskEvent): Promise<Error> {
    const end = known ?? (await this.endOf(ref));
    if (!end && !(await this.isOrphaned(ref))) return attemptNotFound(attemptIdOf(ref));
    const { status } = await this.reader.get(ref.taskId);
    const { reason = 'worker_lost', errorCode = null, actor = 'rescuer' } = end ?? {};
    const at = end?.at.toISOString() ?? null;
    const why = errorCode === null ? reason : `${reason} (${errorCode})`;
    const message = `the attempt is over: ${why}, by ${actor}; the task is ${status} now`;
    return conflict('lease_lost', message, {
      details: { reason, at, actor, error_code: errorCode, task_status: status },
    });
  }

  /** The rescuer leaves out a task whose row is taken at that moment, and comes back to it a second later. */
  private async isOrphaned({ taskId, fence }: AttemptRef): Promise<boolean> {
    return (await this.pool.prepared.query(ORPHANED_ATTEMPT, [taskId, fence])).length > 0;
  }

  /** The row of the audit trail with which the attempt ended. No index leads from a fence to it, so it is paged through. */
  private async endOf({ taskId, fence }: AttemptRef): Promise<TaskEvent | undefined> {
    for (let after: string | undefined; ;) {
      const events = await this.reader.events(taskId, { after, limit: EVENTS_A_PAGE });
      const end = events.find((event) => event.from === 'running' && event.fence === fence);
      if (end ?? events.length < EVENTS_A_PAGE) return end;
      after = events.at(-1)?.id;
    }
  }
}

/** JSON text that a row can hold. @throws invalid `invalid_result` or `invalid_checkpoint`. */
function storable(value: unknown, field: 'result' | 'checkpoint'): string {
  const text = isTooDeep(value) ? undefined : JSON.stringify(value);
  const fits = text !== undefined && Buffer.byteLength(text) <= MAX_RESULT_BYTES;
  const fields = fits ? unstorableTexts(value, field) : [tooMuch(field)];
  if (fits && fields.length === 0) return text;
  if (field === 'checkpoint') throw invalid('invalid_checkpoint', 'the checkpoint cannot be stored', { fields });
  const advice = fits ? '' : '; return a pointer';
  throw invalid('invalid_result', `the result cannot be stored${advice}`, { fields });
}

const tooMuch = (path: string): FieldError => ({
  path,
  message: 'cannot be stored',
  allowed: `at most ${String(MAX_RESULT_BYTES)} bytes, nested at most ${String(DEEPEST_JSON)} levels deep`,
});

/** jsonb keeps no order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
