import { Injectable, Logger } from '@nestjs/common';
import {
  CHILDREN_LEFT_BEHIND,
  FORGET_LEFT_BEHIND,
  IS_ANY_LEFT_BEHIND,
  SWEPT_TO,
  TAKE_LEFT_BEHIND,
} from './cancel.sql.js';
import { type Cancelled, Canceller } from './canceller.js';
import { EnginePool } from './engine-pool.js';

/** Longer holds up the outcomes of other tasks, and a process that ends; shorter gives up on handlers that write for a moment. */
const LONGEST_WAIT = '1s';

/** A task that is cancelled, and whose children up to a fan-out are to be. */
interface LeftBehind {
  readonly parentId: string;
  readonly round: number;
  readonly sweptTo: string;
  readonly actor: string;
}

/**
 * Goes on with cancellations of families that are too large for one transaction: the children that a cancelled task has left, a
 * batch at a time, with what is below them. How far it has come is committed with each batch, so any process can go on.
 */
@Injectable()
export class CancelCascade {
  /** Tests take fewer. */
  batch = 1_000;
  private readonly logger = new Logger(CancelCascade.name);
  private running: Promise<void> | undefined;
  private stopped = false;
  private failing = false;

  constructor(
    private readonly pool: EnginePool,
    private readonly canceller: Canceller,
  ) {}

  /** Unless it is under way. Not to be waited for: it may have to wait for tasks that handlers hold. */
  begin(): void {
    this.stopped = false;
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      const isAny = (await this.pool.prepared.query(IS_ANY_LEFT_BEHIND)).length > 0;
      while (isAny && !this.stopped && (await this.step()));
      this.failing = false;
    } catch (error) {
      // Once for all the times that it fails in a row: a handler may hold a task for long.
      if (!this.stopped && !this.failing) {
        this.logger.warn({ message: 'children not cancelled, trying again', err: error });
      }
      this.failing = true;
    }
  }

  /** Gives whether there may be more to do. */
  private async step(): Promise<boolean> {
    const cancelled = await this.pool.patientTransaction(async (sql): Promise<Cancelled | undefined> => {
      const [left] = await sql.query<LeftBehind>(TAKE_LEFT_BEHIND, [LONGEST_WAIT]);
      if (!left) return undefined;
      const values = [left.parentId, left.round, left.sweptTo, this.batch];
      const ids = (await sql.query<{ id: string }>(CHILDREN_LEFT_BEHIND, values)).map((row) => row.id);
      const isLast = ids.length < this.batch;
      await sql.query(isLast ? FORGET_LEFT_BEHIND : SWEPT_TO, isLast ? [left.parentId] : [left.parentId, ids.at(-1)]);
      return this.canceller.cancelChildrenWithin(sql, ids, left.actor);
    });
    if (cancelled) this.canceller.announce(cancelled);
    return cancelled !== undefined;
  }
}
