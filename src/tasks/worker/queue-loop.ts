import { Logger } from '@nestjs/common';
import type { EnginePool } from '../queue/engine-pool.js';
import { CLAIM } from '../queue/claim.sql.js';
import type { ClaimedRow } from './attempt.js';

const RETRY_MS = 500;
/** How soon to look again whether claiming is allowed. */
const DOUBT_MS = 50;

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
    while (this.going()) {
      const { concurrency, pollMs } = this.options;
      const free = concurrency - this.inFlight;
      if (free <= 0 || !this.options.mayClaim()) {
        await this.sleep(free <= 0 ? pollMs : DOUBT_MS);
        continue;
      }
      this.hinted = false;
      const claimed = await this.claim(free);
      if (claimed < free && !this.wasHinted() && this.going()) await this.sleep(claimed < 0 ? RETRY_MS : pollMs);
    }
  }

  // Methods, because these change while the loop awaits.
  private going(): boolean {
    return !this.stopped;
  }

  private wasHinted(): boolean {
    return this.hinted;
  }

  /** Gives how many were claimed; −1 when the database did not answer. */
  private async claim(limit: number): Promise<number> {
    const { queue, types, workerId, start } = this.options;
    try {
      const names = types.map((type) => type.name);
      const versions = types.map((type) => type.version);
      const rows = await this.pool.prepared.query<ClaimedRow>(CLAIM, [workerId, queue, names, limit, versions]);
      this.inFlight += rows.length;
      // RETURNING has no order of its own.
      rows.sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
      for (const row of rows) start(row);
      return rows.length;
    } catch (error) {
      if (!this.stopped) this.logger.warn({ message: 'claim failed, trying again', queue, err: error });
      return -1;
    }
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
