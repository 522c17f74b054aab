import { Logger } from '@nestjs/common';
import { WakeablePause } from '../../platform/clock/wakeable-pause.js';
import type { ClaimedRow } from '../worker/attempt.js';

const RETRY_MS = 500;
/** How soon to look again whether claiming is allowed, and whether there is another suspect. */
const LOOK_MS = 100;
/** The same after a while without any: notices come as well. */
const IDLE_LOOK_MS = 500;
const IDLE_AFTER_MS = 2_000;
/**
 * A cell without work goes away after this long. Processes seldom die alone: shorter starts one anew for each of a series of
 * deaths, which on a busy machine takes longer than all else that recovery takes; longer keeps its memory for nothing.
 */
const IDLE_MS = 30_000;

export interface SuspectLoopOptions {
  /** Claims a suspect for the worker, if there is one. */
  readonly claim: () => Promise<ClaimedRow | undefined>;
  readonly start: (row: ClaimedRow) => void;
  readonly mayClaim: () => boolean;
  /** Resolves when the outcomes of all attempts so far are in the database. */
  readonly settled: () => Promise<void>;
  /** There has been nothing to do for a while: nothing more will be claimed. */
  readonly onIdle: () => void;
}

/**
 * Claims suspects one at a time. The next one is taken only when the outcome of the last one is committed: otherwise it
 * could take an innocent's result down with it.
 */
export class SuspectLoop {
  private readonly logger = new Logger(SuspectLoop.name);
  private stopped = false;
  private readonly pause = new WakeablePause();
  private ended: (() => void) | undefined;
  private done: Promise<void> | undefined;

  constructor(private readonly options: SuspectLoopOptions) {}

  start(): void {
    this.done = this.loop();
  }

  hint(): void {
    this.pause.wake();
  }

  /** The attempt has ended. */
  release(): void {
    this.ended?.();
  }

  /** Claims no more. Does not wait for an attempt that is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.pause.wake();
    this.ended?.();
    await this.done;
  }

  private async loop(): Promise<void> {
    let idleSinceMs = performance.now();
    while (this.going()) {
      const row = this.options.mayClaim() ? await this.claim() : undefined;
      if (row) {
        await this.run(row);
        idleSinceMs = performance.now();
      } else {
        const idleMs = performance.now() - idleSinceMs;
        if (idleMs > IDLE_MS) {
          this.options.onIdle();
          return;
        }
        await this.sleep(idleMs > IDLE_AFTER_MS ? IDLE_LOOK_MS : LOOK_MS);
      }
    }
  }

  private going(): boolean {
    return !this.stopped;
  }

  private async run(row: ClaimedRow): Promise<void> {
    const ended = new Promise<void>((resolve) => (this.ended = resolve));
    this.options.start(row);
    if (this.going()) await ended;
    if (this.going()) await this.options.settled();
  }

  private async claim(): Promise<ClaimedRow | undefined> {
    try {
      return await this.options.claim();
    } catch (error) {
      if (!this.stopped) this.logger.warn({ message: 'claim of a suspect failed, trying again', err: error });
      await this.sleep(RETRY_MS);
      return undefined;
    }
  }

  private async sleep(ms: number): Promise<void> {
    if (!this.stopped) await this.pause.for(ms);
  }
}
