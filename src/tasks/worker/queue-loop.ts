import { Logger } from '@nestjs/common';
import { AsyncResource } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WakeablePause } from '../../platform/clock/wakeable-pause.js';
import type { TaskType } from '../define-task.js';
import type { Opening } from '../queue/wakeup.js';
import type { ClaimedRow } from './attempt.js';

const RETRY_MS = 500;
/** How soon to look again whether claiming is allowed. */
const DOUBT_MS = 50;

/** A statement's size. While one batch is being started the next is being claimed: larger ones overlap less. */
const CLAIM_BATCH = 500;

/** A claim that is on its way. */
interface Asked {
  readonly limit: number;
  readonly rows: Promise<ClaimedRow[] | undefined>;
}

/** Claims tasks of the queue for the worker. */
export interface Claims {
  claim(limit: number): Promise<ClaimedRow[]>;
  /** There may be something that goes before what was claimed last. */
  startAgain(): void;
  /** The revision of limits under which a new task of this type may start at once; undefined when it may not. */
  straight(type: Pick<TaskType, 'name' | 'version'>): string | undefined;
  /** When something that was refused may be possible without anybody saying so. */
  readonly retryInMs: number | undefined;
}

export interface QueueLoopOptions {
  readonly queue: string;
  readonly workerId: string;
  /** How many attempts of this queue run at once in this process. */
  readonly concurrency: number;
  /** Where its tasks come from. */
  readonly claims: Claims;
  readonly pollMs: number;
  readonly start: (row: ClaimedRow) => void;
  /** false while nothing may be claimed: lease in doubt, or outcomes not written faster than they come in. */
  readonly mayClaim: () => boolean;
}

/** Claims tasks of one queue whenever there is room, and sleeps until there may be some. */
export class QueueLoop {
  private readonly logger = new Logger(QueueLoop.name);
  private inFlight = 0;
  private hinted = false;
  private stopped = false;
  /** The last claim found less than there was room for, and nothing has come since. */
  private isIdle = false;
  /** Openings that were given out, and neither taken nor declined yet. */
  private reserved = 0;
  private onNoneReserved: (() => void) | undefined;
  private readonly pause = new WakeablePause();
  private done: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  /** Starts in the loop's own context: log lines and traces of a task are not those of whoever added it. */
  private readonly startApart: (row: ClaimedRow) => void;

  constructor(private readonly options: QueueLoopOptions) {
    this.startApart = AsyncResource.bind(options.start);
  }

  start(): void {
    this.done = this.loop();
  }

  /** There may be something to claim. */
  hint(): void {
    this.hinted = true;
    this.options.claims.startAgain();
    this.pause.wake();
  }

  /** A slot is free again. */
  release(): void {
    this.inFlight -= 1;
    // An idle loop has claimed all there was with room to spare: a free slot is no news to it.
    if (!this.isIdle) this.pause.wake();
  }

  /** A slot for a new task of this type, while there is nothing else to do. */
  opening(type: Pick<TaskType, 'name' | 'version'>): Opening | undefined {
    const { claims, workerId, mayClaim } = this.options;
    if (!this.isIdle || this.hinted || this.stopped || this.isFull() || !mayClaim()) return undefined;
    const limitsRevision = claims.straight(type);
    if (limitsRevision === undefined) return undefined;
    this.inFlight += 1;
    this.reserved += 1;
    return {
      workerId,
      limitsRevision,
      take: (row) => {
        this.startApart(row);
        this.unreserve();
      },
      decline: () => {
        this.release();
        this.unreserve();
      },
    };
  }

  /** Whoever asks waits until it is done: a lease may be lost while its worker stops. */
  stop(): Promise<void> {
    return (this.stopping ??= this.finish());
  }

  private async finish(): Promise<void> {
    this.stopped = true;
    this.pause.wake();
    await this.done;
    if (this.reserved > 0) await new Promise<void>((resolve) => (this.onNoneReserved = resolve));
  }

  private unreserve(): void {
    this.reserved -= 1;
    if (this.reserved === 0) this.onNoneReserved?.();
  }

  private async loop(): Promise<void> {
    let asked: Asked | undefined;
    while (this.going()) {
      this.hinted = false;
      asked ??= this.ask();
      if (!asked) {
        await this.sleep(this.isFull() ? this.options.pollMs : DOUBT_MS);
        continue;
      }
      const { limit } = asked;
      const rows = await asked.rows;
      this.inFlight += rows?.length ?? 0;
      // More than these are waiting: the next are being claimed while these are started.
      asked = rows?.length === limit && this.going() ? this.ask() : undefined;
      if (asked) await nextTurn(); // it is sent then; starting keeps this process busy
      if (rows) this.startAll(rows);
      const isDrained = asked === undefined && (rows?.length ?? 0) < limit;
      if (isDrained && !this.wasHinted() && this.going()) await this.rest(rows);
    }
    this.startAll((await asked?.rows) ?? []);
  }

  private nextLookMs(): number {
    return Math.min(this.options.pollMs, this.options.claims.retryInMs ?? Infinity);
  }

  private isFull(): boolean {
    return this.inFlight >= this.options.concurrency;
  }

  // Methods, because these change while the loop awaits.
  private going(): boolean {
    return !this.stopped;
  }

  private wasHinted(): boolean {
    return this.hinted;
  }

  /** Claims as many as there is room for, if anything may be claimed at all. */
  private ask(): Asked | undefined {
    if (this.isFull() || !this.options.mayClaim()) return undefined;
    const limit = Math.min(this.options.concurrency - this.inFlight, CLAIM_BATCH);
    return { limit, rows: this.claim(limit) };
  }

  /** Gives nothing when the database did not answer. */
  private async claim(limit: number): Promise<ClaimedRow[] | undefined> {
    const { queue, claims } = this.options;
    try {
      return await claims.claim(limit);
    } catch (error) {
      if (!this.stopped) this.logger.warn({ message: 'claim failed, trying again', queue, err: error });
      return undefined;
    }
  }

  private startAll(rows: ClaimedRow[]): void {
    // RETURNING has no order of its own.
    rows.sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
    for (const row of rows) this.options.start(row);
  }

  private async rest(found: readonly ClaimedRow[] | undefined): Promise<void> {
    this.isIdle = found !== undefined;
    await this.sleep(found ? this.nextLookMs() : RETRY_MS);
    this.isIdle = false;
  }

  private async sleep(ms: number): Promise<void> {
    await this.pause.for(ms);
    await nextTurn(); // slots that are freed in one tick make one claim
  }
}
