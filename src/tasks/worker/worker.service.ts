import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Settings } from '../../platform/config/settings.js';
import type { Held } from '../isolation/alibi.js';
import { CellDoor, openCellProcess } from '../isolation/cell-process.js';
import type { OpenCell } from '../isolation/cell.js';
import { Isolation } from '../isolation/isolation.js';
import type { TaskType } from '../define-task.js';
import { type Opening, Wakeup, type WakeupListener } from '../queue/wakeup.js';
import { Rescuer } from './rescuer.js';
import { WorkerParts } from './worker-parts.js';
import { Worker, type WorkerOptions } from './worker.js';

/** Renewals within one lease: several may be lost before the lease is. */
const RENEWALS_A_LEASE = 5;
const RESTART_MS = 1_000;

export interface StartOptions extends Partial<WorkerOptions> {
  /** Whether this process is a cell. */
  readonly cell?: boolean;
  /** How cells are started. */
  readonly openCell?: OpenCell;
}

/**
 * The worker of this process. Does nothing until {@link start} is called: a CLI command or an API-only process has the
 * same module without working on tasks. A worker whose lease was lost is replaced by a new one.
 */
@Injectable()
export class WorkerService implements OnModuleDestroy, WakeupListener {
  private readonly logger = new Logger(WorkerService.name);
  private worker: Worker | undefined;
  private stopped: Promise<void> | undefined;
  private options: WorkerOptions | undefined;
  private starting: Promise<void> | undefined;
  private door: CellDoor | undefined;
  private isLeaving = false;

  /** Ends this process as if somebody had asked it to; once, because a second signal would cut short the handing back. */
  private readonly leaveCell = (): void => {
    if (!this.isLeaving) process.kill(process.pid, 'SIGTERM');
    this.isLeaving = true;
  };

  constructor(
    private readonly parts: WorkerParts,
    private readonly settings: Settings,
    private readonly wakeup: Wakeup,
    private readonly rescuer: Rescuer,
    private readonly isolation: Isolation,
  ) {}

  /** Begins to work. `options` are for tests and benchmarks; settings decide otherwise. */
  async start({
    cell = this.settings.workerCell,
    openCell = openCellProcess,
    ...options
  }: StartOptions = {}): Promise<void> {
    if (cell) this.door = new CellDoor(this.leaveCell);
    this.options = {
      concurrency: this.settings.workerConcurrency,
      leaseMs: this.settings.workerLeaseMs,
      renewMs: this.settings.workerLeaseMs / RENEWALS_A_LEASE,
      pollMs: this.settings.workerPollMs,
      shutdownGraceMs: this.settings.shutdownGraceMs,
      ...(cell ? { leaveCell: this.leaveCell } : {}),
      ...options,
    };
    await this.wakeup.listen(this);
    this.starting = this.replace();
    await this.starting;
    // A process that works on what may kill it has nothing else to do.
    if (this.stopped ?? cell) return;
    this.rescuer.start();
    const queues = Object.entries(this.options.concurrency).flatMap(([queue, slots]) => (slots > 0 ? queue : []));
    this.isolation.start({ queues, openCell });
  }

  async onModuleDestroy(): Promise<void> {
    await this.stop();
  }

  /** Whoever asks waits until it is done. */
  stop(): Promise<void> {
    return (this.stopped ??= this.finish());
  }

  private async finish(): Promise<void> {
    this.door?.leaving();
    this.wakeup.ignore(this);
    const others = Promise.all([this.rescuer.stop(), this.isolation.stop()]);
    await this.starting;
    await this.worker?.stop();
    this.worker = undefined;
    await others;
    this.door?.close();
  }

  onQueue(queue: string): void {
    this.worker?.hint(queue);
  }

  opening(type: TaskType): Opening | undefined {
    return this.worker?.opening(type);
  }

  onCancel(taskId: string): void {
    this.worker?.cancel(taskId);
  }

  onResync(): void {
    this.worker?.hintAll();
  }

  private async replace(alibi?: Held): Promise<void> {
    this.worker = undefined;
    while (!this.stopped && this.options) {
      const worker = new Worker(this.parts, this.options, (held) => {
        this.starting = this.replace(held);
      });
      try {
        await worker.start();
        this.worker = worker;
        this.door?.registered(worker.id);
        if (alibi) await this.isolation.clear(alibi);
        return;
      } catch (error) {
        this.logger.warn({ message: 'worker could not start, trying again', err: error });
        await sleep(RESTART_MS);
      }
    }
  }
}
