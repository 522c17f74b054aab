import { Logger } from '@nestjs/common';
import type { EnginePool } from '../queue/engine-pool.js';
import { CLAIM } from '../queue/claim.sql.js';
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

export interface QueueLoopOptions {
  readonly queue: string;
  /** How many attempts of this queue run at once in this process. */
  readonly concurrency: number;
  /** The types it works on, each up to a version. */
  readonly types: readonly { readonly name: string; readonly version: number }[];
  readonly workerId: string;
  readonly pollMs: number;
  readonly start: (row: ClaimedRow) => void;
  /** false while nothing may be claimed: lease in doubt, or outcomes not written faster than they come in. */
  readonly mayClaim: () => boolean;
  /** What is next, where not just the line of ready tasks decides that. Gives nothing when the database did not answer. */
  readonly claim?: (limit: number) => Promise<ClaimedRow[] | undefined>;
}

/** Claims tasks of one queue whenever there is room, and sleeps until there may be some. */
export class QueueLoop {
  private readonly logger = new Logger(QueueLoop.name);
  private inFlight = 0;
  private hinted = false;
  private stopped = false;
  private wake: (() => void) | undefined;
  private done: Promise<void> | undefined;

  constructor(
    private readonly pool: EnginePool,
    private readonly options: QueueLoopOptions,
  ) {}

  start(): void {
    this.done = this.loop();
  }

  /** There may be something to claim. */
  hint(): void {
    this.hinted = true;
    this.wake?.();
  }

  /** A slot is free again. */
  release(): void {
    this.inFlight -= 1;
    this.wake?.();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wake?.();
    await this.done;
  }

  private async loop(): Promise<void> {
    let asked: Asked | undefined;
    while (this.going()) {
      this.hinted = false;
      asked ??= this.next();
      if (!asked) {
        await this.sleep(this.isFull() ? this.options.pollMs : DOUBT_MS);
        continue;
      }
      const { limit } = asked;
      const rows = await asked.rows;
      this.inFlight += rows?.length ?? 0;
      // More than these are waiting: the next are being claimed while these are started.
      asked = rows?.length === limit && this.going() ? this.next() : undefined;
      if (rows) this.startAll(rows);
      const isDrained = asked === undefined && (rows?.length ?? 0) < limit;
      if (isDrained && !this.wasHinted() && this.going()) await this.sleep(rows ? this.options.pollMs : RETRY_MS);
    }
    this.startAll((await asked?.rows) ?? []);
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
  private next(): Asked | undefined {
    if (this.isFull() || !this.options.mayClaim()) return undefined;
    const limit = Math.min(this.options.concurrency - this.inFlight, CLAIM_BATCH);
    return { limit, rows: this.options.claim ? this.options.claim(limit) : this.claim(limit) };
  }

  /** The next in the line of ready tasks. Gives nothing when the database did not answer. */
  claim(limit: number, types = this.options.types): Promise<ClaimedRow[] | undefined> {
    const names = types.map((type) => type.name);
    const versions = types.map((type) => type.version);
    return this.ask(CLAIM, [this.options.workerId, this.options.queue, names, limit, versions]);
  }

  /** Gives nothing when the database did not answer. */
  async ask(claim: string, values: readonly unknown[]): Promise<ClaimedRow[] | undefined> {
    try {
      return await this.pool.prepared.query<ClaimedRow>(claim, values);
    } catch (error) {
      if (!this.stopped)
        this.logger.warn({ message: 'claim failed, trying again', queue: this.options.queue, err: error });
      return undefined;
    }
  }

  private startAll(rows: ClaimedRow[]): void {
    // RETURNING has no order of its own.
    rows.sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
    for (const row of rows) this.options.start(row);
  }

  private async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        // Slots that are freed in one tick make one claim.
        setImmediate(resolve);
      };
    });
    this.wake = undefined;
  }
}
