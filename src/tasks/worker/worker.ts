import { Logger } from '@nestjs/common';
import type { TaskSource } from '../dispatch/dispatcher.js';
import type { Held } from '../isolation/alibi.js';
import { SuspectLoop } from '../isolation/suspect-loop.js';
import { Wakefulness } from '../isolation/wakefulness.js';
import type { TaskType } from '../define-task.js';
import { MARK_ENDING } from '../queue/lease.sql.js';
import type { Opening } from '../queue/wakeup.js';
import { ProgressWriter } from './progress-writer.js';
import { Attempt, type ClaimedRow, type StopReason } from './attempt.js';
import { endSpan, onBehalfOf, withinAttempt } from './attempt-span.js';
import { type HeldTask, Lease, type LeaseTimes } from './lease.js';
import type { WrittenOutcome } from './outcome-writer.js';
import type { Settler } from './settler.js';
import type { WorkerParts } from './worker-parts.js';

/** How long a stopped handler may go on before its attempt is settled without it. */
const STOP_GRACE_MS = 5_000;
/** Deadlines are checked this often: one timer for all attempts. */
const SWEEP_MS = 200;
/** Outcomes waiting to be written beyond which nothing new is claimed. */
const MAX_BACKLOG = 4_000;

export interface WorkerOptions extends LeaseTimes {
  /** Attempts at once, by queue. */
  readonly concurrency: Readonly<Record<string, number>>;
  /** How long running attempts may take to finish at shutdown before they are handed back. */
  readonly shutdownGraceMs: number;
  /** The net beneath the notices. Shorter costs idle queries, longer costs latency when a notice is lost. */
  readonly pollMs: number;
  /** Makes it a cell: it runs suspects only, one at a time. Called when it should be replaced, or has nothing to do. */
  readonly leaveCell?: () => void;
}

/**
 * One life of a worker, from getting a lease to losing it or letting it go. Claims, runs and settles; a lost lease ends
 * it for good, and whoever owns it starts another.
 */
export class Worker {
  private readonly logger = new Logger(Worker.name);
  private readonly attempts = new Map<string, Attempt>();
  private readonly loops = new Map<string, TaskSource>();
  private readonly lease: Lease;
  private readonly settler: Settler;
  /** For attempts that were given up: what still goes on may hold the row, and nobody else's outcome is to wait for it. */
  private readonly leftOver: Settler;
  private readonly progress: ProgressWriter;
  private sweeper: NodeJS.Timeout | undefined;
  private readonly reportProgress = (reporting: Attempt): void => {
    this.progress.report(reporting);
  };
  private idle: (() => void) | undefined;
  private isLost = false;
  private readonly wakefulness = new Wakefulness(SWEEP_MS);

  constructor(
    private readonly parts: WorkerParts,
    private readonly options: WorkerOptions,
    /** The lease is gone. With what it held, if it has been awake all the while and none of that was its fault. */
    private readonly onLost: (alibi: Held | undefined) => void,
  ) {
    this.lease = new Lease(parts.database, options, {
      inFlight: () => [...this.attempts.keys()],
      onCancelled: (ids) => {
        for (const id of ids) this.cancel(id);
      },
      onHeld: (tasks) => {
        this.releaseUnknown(tasks);
      },
      onLost: () => {
        this.lost();
      },
    });
    this.settler = parts.settlers.for(this.id);
    this.leftOver = parts.settlers.for(this.id);
    this.progress = new ProgressWriter(this.id, parts.pool);
  }

  get id(): string {
    return this.lease.workerId;
  }

  async start(): Promise<void> {
    const { registry } = this.parts;
    const { claims } = this.parts.execution;
    await claims.prepare();
    await this.lease.acquire(this.options.concurrency, registry.definitions(), this.options.leaveCell !== undefined);
    for (const [queue, concurrency] of Object.entries(this.options.concurrency)) {
      const types = registry.typesOfQueue(queue);
      if (types.length === 0 || concurrency === 0 || this.options.leaveCell) continue;
      const loop: TaskSource = claims.source({
        queue,
        concurrency,
        workerId: this.id,
        types,
        pollMs: this.options.pollMs,
        start: (row) => {
          this.work(row, loop);
        },
        mayClaim: () => this.lease.held && this.settler.backlog < MAX_BACKLOG,
      });
      this.loops.set(queue, loop);
      loop.start();
    }
    if (this.options.leaveCell) this.startAlone(this.options.leaveCell);
    this.sweeper = setInterval(() => {
      this.sweep();
    }, SWEEP_MS);
    this.logger.log({ message: 'worker started', workerId: this.id, queues: this.options.concurrency });
  }

  hint(queue: string): void {
    this.loops.get(queue)?.hint();
  }

  opening(type: TaskType): Opening | undefined {
    return this.loops.get(type.queue)?.opening?.(type);
  }

  hintAll(): void {
    for (const loop of this.loops.values()) loop.hint();
  }

  cancel(taskId: string): void {
    this.attempts.get(taskId)?.stop('cancelled');
  }

  /** Finishes what finishes within the grace, hands the rest back, and lets go of the lease. */
  async stop(): Promise<void> {
    // Keeps blame from its tasks if somebody loses patience with it; not worth waiting for.
    void this.parts.pool.query(MARK_ENDING, [this.id]).catch(() => undefined);
    await Promise.all([...this.loops.values()].map((loop) => loop.stop()));
    const giveUp = setTimeout(() => {
      this.stopAll('shutdown');
    }, this.options.shutdownGraceMs);
    await this.untilIdle();
    clearTimeout(giveUp);
    clearInterval(this.sweeper);
    this.progress.stop();
    await this.settled();
    if (!this.isLost) await this.lease.resign();
    this.logger.log({ message: 'worker stopped', workerId: this.id });
  }

  private startAlone(leave: () => void): void {
    const { registry } = this.parts;
    const queues = Object.keys(this.options.concurrency).filter((queue) => this.options.concurrency[queue] !== 0);
    const types = queues.flatMap((queue) => registry.typesOfQueue(queue));
    const claims = this.parts.execution.claims.ofSuspects({ queues, types, workerId: this.id });
    const loop: SuspectLoop = new SuspectLoop({
      claim: () => claims.claim(),
      start: (row) => {
        this.work(row, loop);
      },
      mayClaim: () => this.lease.held,
      settled: () => this.settled(),
      onIdle: leave,
    });
    for (const queue of queues) this.loops.set(queue, loop);
    loop.start();
  }

  private work(row: ClaimedRow, loop: TaskSource): void {
    if (this.isLost) return; // claimed as the lease ended: nobody's, and found by the next rescue
    // The database forgot our claim in a crash of its own, and we have made it again: that attempt is still running.
    if (this.attempts.get(row.id)?.row.fence === row.fence) {
      loop.release();
      return;
    }
    const attempt = new Attempt(row);
    this.attempts.set(row.id, attempt);
    const { execution } = this.parts;
    execution.metrics.attemptStarted(row.type, row.waited_seconds);
    withinAttempt(attempt, execution.tracing.spans, () => void this.attemptTask(attempt, loop));
  }

  /** Few promises a task: each costs as much as everything else that this process does for a task that does nothing. */
  private async attemptTask(attempt: Attempt, loop: TaskSource): Promise<void> {
    const { runner, outcomes } = this.parts.execution;
    let written: WrittenOutcome = { end: 'lost' };
    try {
      const outcome = await runner.run(this.id, attempt, this.reportProgress);
      if (attempt.closed) return; // given up long ago; the slot is free already
      const writing = outcomes.write({ settler: this.settler, workerId: this.id }, attempt, outcome);
      written = writing instanceof Promise ? await writing : writing;
    } catch (error) {
      // Neither of the two is known to throw; if one does, the slot must not be lost with it.
      this.logger.error({ message: 'the engine failed to settle an attempt', err: error });
    }
    this.close(attempt, loop, written);
  }

  private close(attempt: Attempt, loop: TaskSource | undefined, { end, failure, retryInMs }: WrittenOutcome): void {
    if (attempt.closed) return;
    attempt.closed = true;
    const durationMs = Math.round(performance.now() - attempt.startedMs);
    this.parts.execution.metrics.attemptEnded(attempt.row.type, end, durationMs);
    endSpan(attempt, { end, failure });
    const line = { message: 'attempt ended', outcome: end, durationMs };
    if (failure) {
      const { code: errorCode, category: errorCategory, message: errorMessage } = failure;
      this.logger.warn({ ...line, errorCode, errorCategory, errorMessage, retryInMs });
    } else {
      this.logger.log(line);
    }
    // The task may have come back to us already, as another attempt.
    if (this.attempts.get(attempt.row.id) === attempt) this.attempts.delete(attempt.row.id);
    loop?.release();
    if (this.attempts.size === 0) this.idle?.();
  }

  /** Timeouts, and attempts that were stopped but go on regardless: those are settled without their handler. */
  private sweep(): void {
    const now = performance.now();
    this.wakefulness.beat();
    for (const attempt of this.attempts.values()) {
      if (attempt.stoppedMs === undefined) {
        if (now > attempt.deadlineMs) attempt.stop('timeout');
      } else if (now > attempt.stoppedMs + STOP_GRACE_MS) {
        onBehalfOf(attempt, () => {
          this.giveUp(attempt);
        });
      }
    }
  }

  private giveUp(attempt: Attempt): void {
    const loop = this.loopOf(attempt.row.type);
    this.logger.warn({ message: 'handler ignores its signal; settled without it' });
    // What is still going on may yet take the process down: the next suspect must not be in it.
    if (this.options.leaveCell) void loop?.stop();
    this.close(attempt, loop, this.parts.execution.outcomes.giveUp(this.leftOver, attempt));
    this.options.leaveCell?.();
  }

  private loopOf(type: string): TaskSource | undefined {
    const queue = this.parts.registry.find(type)?.definition.queue;
    return queue === undefined ? undefined : this.loops.get(queue);
  }

  /**
   * Gives back what the database says this worker holds and it knows nothing of: the answer to a claim was lost, or an
   * outcome could not be written at all. Nobody else would ever take these, because the worker lives.
   */
  private releaseUnknown(tasks: readonly HeldTask[]): void {
    const unwritten = this.unwritten();
    for (const { id, fence, hasParent, workflowId } of tasks) {
      if (this.attempts.get(id)?.row.fence === fence || unwritten.get(id) === fence) continue;
      this.logger.warn({ message: 'held without knowing: released', jobId: id });
      this.settler.giveBack({ id, fence, hasParent, workflowId, reason: 'released', delayMs: 0, processed: 0 });
    }
  }

  /** The attempts whose outcomes are still to be written: task → fence. */
  private unwritten(): Map<string, number> {
    return new Map([...this.settler.unwritten(), ...this.leftOver.unwritten()]);
  }

  private async settled(): Promise<void> {
    await Promise.all([this.settler.flush(), this.leftOver.flush()]);
  }

  private stopAll(why: StopReason): void {
    for (const attempt of this.attempts.values()) attempt.stop(why);
  }

  private lost(): void {
    this.isLost = true;
    const alibi = this.alibi();
    this.settler.abandon();
    this.leftOver.abandon();
    this.stopAll('lease-lost');
    clearInterval(this.sweeper);
    this.progress.stop();
    for (const loop of this.loops.values()) void loop.stop();
    this.idle?.();
    this.onLost(alibi);
  }

  private alibi(): Held | undefined {
    if (!this.wakefulness.awakeFor(this.options.leaseMs)) return undefined;
    const tasks = this.unwritten();
    for (const [id, { row }] of this.attempts) tasks.set(id, row.fence);
    return { workerId: this.id, tasks: [...tasks].map(([id, fence]) => ({ id, fence })) };
  }

  private async untilIdle(): Promise<void> {
    if (this.attempts.size === 0 || this.isLost) return;
    await new Promise<void>((resolve) => (this.idle = resolve));
  }
}
