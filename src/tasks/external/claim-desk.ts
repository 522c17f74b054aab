import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Metrics } from '../../platform/metrics/metrics.js';
import { Wakeup, type WakeupListener } from '../queue/wakeup.js';
import { ClaimLine, type Waiter } from './claim-line.js';

/**
 * How often those who wait are looked after without a notice: the net beneath them. Shorter costs a query for every kind of
 * claim that waits; longer costs latency when a notice is lost.
 */
const POLL_MS = 2_000;

/** What somebody wants. */
export interface Wanted<T> {
  /** The same for all who can be served with the same tasks. */
  readonly line: string;
  readonly queues: readonly string[];
  /** Tries to get it; undefined while there is none. */
  take(): Promise<T | undefined>;
  /** After a `take` that got nothing: when it may get something without anybody saying so. */
  retryInMs?(): number | undefined;
}

export interface Patience {
  readonly waitMs: number;
  /** Fires when the wait is to end early. */
  readonly signal: AbortSignal;
}

/** Where claims wait for tasks: hears the notices of this and other processes for all of them. */
@Injectable()
export class ClaimDesk implements WakeupListener, OnModuleDestroy {
  private readonly logger = new Logger(ClaimDesk.name);
  private readonly lines = new Map<string, ClaimLine>();
  private readonly cancelWatchers = new Set<(taskId: string) => void>();
  private listening: Promise<void> | undefined;
  private poller: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly wakeup: Wakeup,
    metrics: Metrics,
  ) {
    const waiting = (): number => this.waiting;
    new Gauge({
      name: 'photosafe_external_claims_waiting',
      help: 'Claims of external workers that wait for tasks',
      registers: [metrics.registry],
      collect() {
        this.set(waiting());
      },
    });
  }

  /** How many claims wait for tasks. */
  get waiting(): number {
    return [...this.lines.values()].reduce((sum, line) => sum + line.length, 0);
  }

  /** Undefined when there was nothing for `waitMs`, or `signal` fired. @throws what the first `take` throws. */
  async claim<T>(wanted: Wanted<T>, patience: Patience): Promise<T | undefined> {
    await this.listen();
    if (this.closed || patience.signal.aborted) return undefined;
    const found = await wanted.take();
    return found !== undefined || patience.waitMs === 0 ? found : this.wait(wanted, patience);
  }

  /** Calls `onCancel` for every task that somebody wants cancelled; gives how to end that. */
  async watchCancels(onCancel: (taskId: string) => void): Promise<() => void> {
    await this.listen();
    this.cancelWatchers.add(onCancel);
    return () => this.cancelWatchers.delete(onCancel);
  }

  onQueue(queue: string): void {
    for (const line of this.lines.values()) if (line.queues.includes(queue)) void line.serve();
  }

  onCancel(taskId: string): void {
    for (const watcher of this.cancelWatchers) watcher(taskId);
  }

  onResync(): void {
    for (const line of this.lines.values()) void line.serve();
  }

  /** Sends everybody away, so that the server can stop. */
  onModuleDestroy(): void {
    this.closed = true;
    this.wakeup.ignore(this);
    clearInterval(this.poller);
    for (const line of this.lines.values()) line.close();
  }

  private async wait<T>(wanted: Wanted<T>, { waitMs, signal }: Patience): Promise<T | undefined> {
    let found: T | undefined;
    const line = this.lineFor(wanted);
    await new Promise<void>((resolve) => {
      let again: NodeJS.Timeout | undefined;
      const waiter: Waiter = {
        take: async () => {
          found = await wanted.take().catch(this.sayWhy);
          clearTimeout(again);
          const retryInMs = wanted.retryInMs?.() ?? Infinity;
          if (found === undefined && retryInMs < POLL_MS) again = setTimeout(() => void line.serve(), retryInMs);
          return found !== undefined;
        },
        done: () => {
          clearTimeout(timer);
          clearTimeout(again);
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = (): void => {
        line.leave(waiter);
      };
      const timer = setTimeout(leave, waitMs);
      signal.addEventListener('abort', leave);
      line.join(waiter);
      if (signal.aborted || this.closed) leave();
      void line.serve(); // a task may have come since the first look
    });
    this.dropIfEmpty(wanted.line, line);
    return found;
  }

  private lineFor({ line: key, queues }: Wanted<unknown>): ClaimLine {
    let line = this.lines.get(key);
    if (!line) this.lines.set(key, (line = new ClaimLine(queues)));
    this.poller ??= setInterval(() => {
      this.onResync();
    }, POLL_MS);
    return line;
  }

  private dropIfEmpty(key: string, line: ClaimLine): void {
    if (line.length === 0 && this.lines.get(key) === line) this.lines.delete(key);
    if (this.lines.size > 0) return;
    clearInterval(this.poller);
    this.poller = undefined;
  }

  private listen(): Promise<void> {
    return (this.listening ??= this.wakeup.listen(this));
  }

  private readonly sayWhy = (error: unknown): undefined => {
    this.logger.debug({ message: 'claim failed; it is tried again with the next notice', err: error });
  };
}
