import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Settings } from '../../platform/config/settings.js';
import { Wakeup, type WakeupListener } from '../queue/wakeup.js';
import { Rescuer } from './rescuer.js';
import { WorkerParts } from './worker-parts.js';
import { Worker, type WorkerOptions } from './worker.js';

/** Renewals within one lease: several may be lost before the lease is. */
const RENEWALS_A_LEASE = 5;
const RESTART_MS = 1_000;

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

  constructor(
    private readonly parts: WorkerParts,
    private readonly settings: Settings,
    private readonly wakeup: Wakeup,
    private readonly rescuer: Rescuer,
  ) {}

  /** Begins to work. `options` are for tests and benchmarks; settings decide otherwise. */
  async start(options: Partial<WorkerOptions> = {}): Promise<void> {
    this.options = {
      concurrency: this.settings.workerConcurrency,
      leaseMs: this.settings.workerLeaseMs,
      renewMs: this.settings.workerLeaseMs / RENEWALS_A_LEASE,
      pollMs: this.settings.workerPollMs,
      shutdownGraceMs: this.settings.shutdownGraceMs,
      ...options,
    };
    await this.wakeup.listen(this);
    this.starting = this.replace();
    await this.starting;
    if (!this.stopped) this.rescuer.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.stop();
  }

  /** Whoever asks waits until it is done. */
  stop(): Promise<void> {
    return (this.stopped ??= this.finish());
  }

  private async finish(): Promise<void> {
    this.wakeup.ignore(this);
    const rescued = this.rescuer.stop();
    await this.starting;
    await this.worker?.stop();
    this.worker = undefined;
    await rescued;
  }

  onQueue(queue: string): void {
    this.worker?.hint(queue);
  }

  onCancel(taskId: string): void {
    this.worker?.cancel(taskId);
  }

  onResync(): void {
    this.worker?.hintAll();
  }

  private async replace(): Promise<void> {
    this.worker = undefined;
    while (!this.stopped && this.options) {
      const worker = new Worker(this.parts, this.options, () => {
        this.starting = this.replace();
      });
      try {
        await worker.start();
        this.worker = worker;
        return;
      } catch (error) {
        this.logger.warn({ message: 'worker could not start, trying again', err: error });
        await sleep(RESTART_MS);
      }
    }
  }
}
