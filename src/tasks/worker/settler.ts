import { Injectable, Logger } from '@nestjs/common';
import { AsyncResource } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { sqlState } from '../../platform/database/sql-state.js';
import { type Ending, type Return, Settlement } from '../queue/settlement.js';

/** A statement's size: larger ones hold row locks longer, smaller ones cost a commit more often. */
const BATCH = 1_000;
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 2_000;

/** Data exceptions, constraints, limits: the statement is refused for what is in it, now and every time. */
const REFUSED_FOR_CONTENT = /^(22|23|54)...$/;

/** How outcomes of one kind are written, and what is written instead of one that the database refuses. */
interface Writing<T> {
  readonly write: (batch: readonly T[]) => Promise<void>;
  readonly instead: (refused: T, why: string) => T;
}

/**
 * Collects the outcomes of one worker's attempts and writes them in batches: whatever gathers while one batch is being
 * written is the next. A batch that cannot be written is tried again until it can, or until the lease is lost: then
 * the tasks belong to others, and the fence would refuse it anyway. One outcome that the database refuses does not
 * stand in the way of the others: it is singled out, and its task fails.
 */
export class Settler {
  private readonly logger = new Logger(Settler.name);
  private endings: Ending[] = [];
  private returns: Return[] = [];
  private writing: readonly (Ending | Return)[] = [];
  private draining: Promise<void> | undefined;
  /**
   * One macrotask later, so that what ends in this tick shares a statement. In the settler's own context: log lines of a batch
   * are not those of the attempt that ended first.
   */
  private readonly drainApart = AsyncResource.bind(() =>
    new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.drain()),
  );
  private abandoned = false;

  constructor(
    private readonly workerId: string,
    private readonly settlement: Settlement,
  ) {}

  get backlog(): number {
    return this.endings.length + this.returns.length;
  }

  /** The attempts whose outcomes are still to be written: task → fence. */
  unwritten(): Map<string, number> {
    const outcomes = [...this.writing, ...this.endings, ...this.returns];
    return new Map(outcomes.map(({ id, fence }) => [id, fence]));
  }

  end(ending: Ending): void {
    if (this.abandoned) return;
    this.endings.push(ending);
    this.beginDraining();
  }

  giveBack(back: Return): void {
    if (this.abandoned) return;
    this.returns.push(back);
    this.beginDraining();
  }

  /** Resolves when everything handed in so far has been written, or given up. */
  async flush(): Promise<void> {
    while (this.draining) await this.draining;
  }

  /** The lease is gone: nothing of this worker can be settled any more. */
  abandon(): void {
    this.abandoned = true;
    endSpans([...this.endings, ...this.returns], 'the lease was lost');
    this.endings = [];
    this.returns = [];
  }

  private beginDraining(): void {
    this.draining ??= this.drainApart();
  }

  private async drain(): Promise<void> {
    while (this.backlog > 0) {
      const endings = this.endings.splice(0, BATCH);
      const returns = this.returns.splice(0, BATCH);
      this.writing = returns.length === 0 ? endings : [...endings, ...returns];
      await this.persist(endings, { write: (some) => this.writeEndings(some), instead: failedInstead });
      await this.persist(returns, { write: (some) => this.writeReturns(some), instead: returnedInstead });
      endSpans(this.writing, this.abandoned ? 'the lease was lost' : undefined);
    }
    this.writing = [];
    this.draining = undefined;
  }

  private async writeEndings(endings: readonly Ending[]): Promise<void> {
    this.warnOfRefused(endings, await this.settlement.finish(this.workerId, endings));
  }

  private async writeReturns(returns: readonly Return[]): Promise<void> {
    this.warnOfRefused(returns, await this.settlement.giveBack(this.workerId, returns));
  }

  private warnOfRefused(outcomes: readonly (Ending | Return)[], settled: Set<string>): void {
    if (settled.size === outcomes.length) return;
    for (const { id, span } of outcomes) {
      if (settled.has(id)) continue;
      span?.end({}, 'late result refused');
      this.logger.warn({ message: 'late result refused: the task is no longer held by this attempt', jobId: id });
    }
  }

  private async persist<T extends Ending | Return>(batch: readonly T[], writing: Writing<T>): Promise<void> {
    if (batch.length === 0) return;
    for (let wait = RETRY_FIRST_MS; !this.abandoned; wait = Math.min(RETRY_MAX_MS, wait * 2)) {
      try {
        await writing.write(batch);
        return;
      } catch (error) {
        if (REFUSED_FOR_CONTENT.test(sqlState(error) ?? '')) {
          await this.persistApart(batch, writing, error);
          return;
        }
        this.logger.warn({ message: 'outcomes not written, trying again', err: error, retryInMs: wait });
        await sleep(wait);
      }
    }
  }

  /** Something in the batch is refused: halves it until that is alone, and writes a failure in its place. */
  private async persistApart<T extends Ending | Return>(
    batch: readonly T[],
    writing: Writing<T>,
    error: unknown,
  ): Promise<void> {
    const [one] = batch;
    if (one !== undefined && batch.length === 1) {
      this.logger.error({ message: 'outcome refused by the database', jobId: one.id, err: error });
      const last = writing.instead(one, error instanceof Error ? error.message : String(error));
      // Refused once more, it is dropped: the worker finds that it has lost track of the task, and releases it.
      if (one.code !== REFUSED_CODE) await this.persist([last], writing);
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.persist(batch.slice(0, middle), writing);
    await this.persist(batch.slice(middle), writing);
  }
}

/** Those that ended before, because their outcome was refused, stay as they are. */
function endSpans(outcomes: readonly (Ending | Return)[], error?: string): void {
  for (const { span } of outcomes) span?.end({}, error);
}

const REFUSED_CODE = 'result_not_storable';
const refusal = (why: string) => ({
  code: REFUSED_CODE,
  category: 'permanent',
  message: `the database refused the outcome: ${why.replaceAll('\0', '')}`,
  processed: 0,
});

const failedInstead = ({ id, fence, hasParent, workflowId }: Ending, why: string): Ending => ({
  ...{ id, fence, hasParent, workflowId, status: 'failed' },
  ...refusal(why),
});
const returnedInstead = ({ id, fence, hasParent, workflowId, reason }: Return, why: string): Return => ({
  ...{ id, fence, hasParent, workflowId, reason, delayMs: 1_000 },
  ...refusal(why),
});

/** Makes the settler of each life of a worker. */
@Injectable()
export class Settlers {
  constructor(private readonly settlement: Settlement) {}

  for(workerId: string): Settler {
    return new Settler(workerId, this.settlement);
  }
}
