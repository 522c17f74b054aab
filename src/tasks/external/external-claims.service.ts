import { Injectable, Logger } from '@nestjs/common';
import { TaskMetrics } from '../worker/task-metrics.js';
import { type AttemptRef, attemptIdOf } from './attempt-ref.js';
import { ClaimDesk } from './claim-desk.js';
import { ExternalAttempts } from './external-attempts.service.js';
import { ExternalTypes, type QueuedType } from './external-types.service.js';
import { type ExternalAttempt, ExternalLanes } from './external-lanes.js';

export interface ClaimRequest {
  /** What the worker can do: types, each in the versions that it knows. */
  readonly types: readonly { readonly name: string; readonly versions: readonly number[] }[];
  readonly limit: number;
  readonly waitMs: number;
  readonly leaseMs: number;
  /** What the worker calls itself, for people. */
  readonly worker: string;
  /** Attempts that it is at work on: should one be disturbed meanwhile, the answer comes at once. */
  readonly holding: readonly AttemptRef[];
  readonly actor: string;
}

export interface Claimed {
  readonly attempts: readonly ExternalAttempt[];
  /** Of those that the worker holds: cancelled, or not its own any more. */
  readonly disturbed: readonly AttemptRef[];
}

/** How often a waiting worker's attempts are looked at: one that is lost sends no notice, as a cancelled one does. */
const LOOK_EVERY_MS = 2_000;

/** Hands tasks of declared types to external workers, each batch under a lease of its own. */
@Injectable()
export class ExternalClaims {
  private readonly logger = new Logger(ExternalClaims.name);

  constructor(
    private readonly desk: ClaimDesk,
    private readonly types: ExternalTypes,
    private readonly attempts: ExternalAttempts,
    private readonly metrics: TaskMetrics,
    private readonly lanes: ExternalLanes,
  ) {}

  /**
   * Waits for tasks. `gone` says that nobody is there any more to get the answer: what was claimed then goes back.
   * @throws invalid `unknown_task_type`.
   */
  async claim(request: ClaimRequest, gone: AbortSignal): Promise<Claimed> {
    const queues = await this.types.queuesOf(request.types.map(({ name }) => name));
    const disturbance = new AbortController();
    const stopWatching = await this.watch(request, disturbance);
    try {
      const disturbed = await this.attempts.disturbedOf(request.holding);
      const waitMs = disturbed.length > 0 ? 0 : request.waitMs;
      const signal = AbortSignal.any([gone, disturbance.signal]);
      const attempts = (await this.desk.claim(this.wanted(request, queues), { waitMs, signal })) ?? [];
      this.started(attempts, gone);
      return {
        attempts,
        disturbed: disturbance.signal.aborted ? await this.attempts.disturbedOf(request.holding) : disturbed,
      };
    } finally {
      stopWatching();
    }
  }

  /** Fires `disturbance` when an attempt that the worker holds is cancelled or lost; gives how to end that. */
  private async watch({ holding }: ClaimRequest, disturbance: AbortController): Promise<() => void> {
    if (holding.length === 0) return () => undefined;
    const held = new Set(holding.map(({ taskId }) => taskId));
    const stop = await this.desk.watchCancels((taskId) => {
      if (held.has(taskId)) disturbance.abort();
    });
    const look = async (): Promise<void> => {
      if ((await this.attempts.disturbedOf(holding)).length > 0) disturbance.abort();
    };
    const timer = setInterval(() => {
      look().catch((error: unknown) => {
        this.logger.debug({ message: 'held attempts not looked at; they are again', err: error });
      });
    }, LOOK_EVERY_MS);
    return () => {
      stop();
      clearInterval(timer);
    };
  }

  private wanted({ types, ...request }: ClaimRequest, queued: readonly QueuedType[]) {
    const known = types.flatMap(({ name, versions }) => versions.map((version) => `${name}@${String(version)}`)).sort();
    const queues = [...new Set(queued.map(({ queue }) => queue))];
    let retryInMs: number | undefined;
    const take = async (): Promise<readonly ExternalAttempt[] | undefined> => {
      const taken = await this.lanes.take({ ...request, known, queued });
      ({ retryInMs } = taken);
      return taken.attempts.length > 0 ? taken.attempts : undefined;
    };
    return { line: known.join(' '), queues, take, retryInMs: () => retryInMs };
  }

  private started(attempts: readonly ExternalAttempt[], gone: AbortSignal): void {
    for (const { type, waited_seconds } of attempts) this.metrics.attemptStarted(type, waited_seconds);
    if (attempts.length === 0) return;
    if (gone.aborted) void this.giveBack(attempts);
    else gone.addEventListener('abort', () => void this.giveBack(attempts), { once: true });
  }

  /** The worker hung up before it had its answer. Should this fail too, the lease runs out. */
  private async giveBack(attempts: readonly ExternalAttempt[]): Promise<void> {
    for (const { id, fence } of attempts) {
      await this.attempts.release(attemptIdOf({ taskId: id, fence }), {}).catch((error: unknown) => {
        this.logger.warn({ message: 'a claim that nobody waits for was not given back', jobId: id, err: error });
      });
    }
  }
}
