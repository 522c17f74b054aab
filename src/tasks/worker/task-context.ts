import type { Database } from '../../platform/database/database.js';
import type { Transaction } from '../../platform/database/transaction.js';
import type { AnyTaskDefinition, InputOf } from '../define-task.js';
import { IDLE_IN_TRANSACTION_MS } from '../queue/engine-pool.js';
import { HOLD, SAVE_CHECKPOINT } from '../queue/settle.sql.js';
import type { EnqueueRequest, FollowUpTerms, Json, RunningTask, TaskContext } from '../task-handler.js';
import { type Attempt, LeaseLostError } from './attempt.js';
import { toStoredJson } from './stored-json.js';

/** The context of a real attempt: every write is fenced by worker and fencing number. */
export class AttemptContext implements TaskContext {
  readonly followUps: EnqueueRequest[] = [];
  readonly settlementWrites: ((tx: Transaction) => Promise<void>)[] = [];

  constructor(
    private readonly attempt: Attempt,
    private readonly workerId: string,
    private readonly database: Database,
    private readonly onProgress: (attempt: Attempt) => void,
  ) {}

  get task(): RunningTask {
    return this.attempt.describe();
  }

  get signal(): AbortSignal {
    return this.attempt.signal;
  }

  get checkpoint(): Json | undefined {
    return this.attempt.checkpoint;
  }

  progress(processed: number, total?: number): void {
    const { attempt } = this;
    const known = attempt.total ?? wholeCount(Number(attempt.row.total ?? NaN));
    const said = wholeCount(total) ?? known;
    // A batch keeps to the total that it named first: its parent's progress is made of shares, and must not go backwards.
    attempt.total = attempt.row.parent_id === null || !known ? said : known;
    const scale = attempt.total && said ? attempt.total / said : 1;
    attempt.processed = Math.max(attempt.processed, Math.floor((wholeCount(processed) ?? 0) * scale));
    this.onProgress(attempt);
  }

  async saveCheckpoint(value: Json): Promise<void> {
    const text = toStoredJson(value) ?? 'null';
    const rows = this.attempt.closed ? [] : await this.database.query(SAVE_CHECKPOINT, [...this.holder(), text]);
    if (rows.length === 0) throw this.lost();
    this.attempt.checkpoint = JSON.parse(text) as Json;
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    if (this.attempt.closed) throw this.lost();
    return this.database.transaction(async (tx) => {
      const held = await tx.query(HOLD, [...this.holder(), String(IDLE_IN_TRANSACTION_MS)]);
      if (held.length === 0) throw this.lost();
      return work(tx);
    });
  }

  enqueue<D extends AnyTaskDefinition>(task: D, input: InputOf<D>, terms: FollowUpTerms = {}): void {
    this.followUps.push({ task, input, terms });
  }

  onSettle(write: (tx: Transaction) => Promise<void>): void {
    this.settlementWrites.push(write);
  }

  private holder(): [string, string, number] {
    return [this.workerId, this.attempt.row.id, this.attempt.row.fence];
  }

  private lost(): LeaseLostError {
    this.attempt.stop('lease-lost');
    return new LeaseLostError(this.attempt.row.id);
  }
}

/** Larger counts times the weight of a batch would leave the range of a bigint. */
const MAX_COUNT = 1e12;

/** Whatever a handler reports must not make its outcome unwritable: what is no count is no news. */
function wholeCount(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.min(Math.floor(value), MAX_COUNT) : undefined;
}
