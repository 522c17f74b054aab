import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { Json, TaskContext } from '../task-handler.js';
import { type ExpiredBatch, ExpiredTasks } from './expired-tasks.js';
import { RetentionPolicies } from './retention-policies.js';
import type { Sweep } from './retention-policy.js';
import { advanced, countsOf, keyOf, type RetentionRun, runFrom, startOf, WORKFLOWS_KEY } from './retention-run.js';
import { NOTE_PROGRESS, REMOVE_IDEMPOTENCY_KEYS } from './retention.sql.js';
import { type ArchiveWriter, TaskArchive } from './task-archive.js';

export interface RetentionOptions {
  /** Only count. */
  readonly dryRun: boolean;
  /** Write tasks to a file before they are removed. */
  readonly archive: boolean;
}

const ROWS_A_STATEMENT = 10_000;
const HOUR_MS = 3_600_000;

/**
 * Removes finished tasks whose time is over, a batch a transaction. Each transaction is fenced by the attempt and notes how
 * far the run has come, so that an interrupted run goes on where it was and counts nothing twice.
 */
@Injectable()
export class RetentionService {
  /** Tasks a transaction, batches included. Larger holds locks and the files of archives longer, smaller commits more often. */
  batchTasks = 2_000;

  constructor(
    private readonly policies: RetentionPolicies,
    private readonly expired: ExpiredTasks,
    private readonly archive: TaskArchive,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Gives what was removed, or with `dryRun` what would be. */
  async run(options: RetentionOptions, context: TaskContext): Promise<Json> {
    const sweeps = await this.policies.sweeps();
    if (options.archive && !options.dryRun) await this.archive.removeStrays(writerOf(context), this.clock.now());
    let run = runFrom(context.checkpoint);
    for (const pass of this.passes(sweeps)) run = await this.sweep(pass, run, { options, context });
    const { tasks, workflows, events, files, sizeBytes } = run;
    return {
      dry_run: options.dryRun,
      ...{ tasks, workflows, events, by_type: countsOf(run) },
      ...(options.dryRun
        ? { orphans: 0, event_batches: 0, idempotency_keys: 0 }
        : await this.removeLoose(context.signal)),
      archive: options.archive ? { files, size_bytes: sizeBytes } : null,
    };
  }

  /** In the order of their keys. */
  private passes(sweeps: readonly Sweep[]): Pass[] {
    return [
      ...sweeps.map((sweep): Pass => {
        return { key: keyOf(sweep), find: (after) => this.expired.find(sweep, after, this.batchTasks) };
      }),
      { key: WORKFLOWS_KEY, find: (after) => this.expired.findWorkflows(sweeps, after, this.batchTasks) },
    ];
  }

  private async sweep({ key, find }: Pass, before: RetentionRun, work: Work): Promise<RetentionRun> {
    let run = before;
    for (let after = startOf(run, key); after !== undefined; after = startOf(run, key)) {
      work.context.signal.throwIfAborted();
      const batch = await find(after);
      if (batch === undefined) break;
      const next = work.options.dryRun
        ? advanced(run, key, { ...sizeOf(batch), events: 0 })
        : await this.removeBatch({ key, run, batch }, work);
      if (next === undefined) continue; // something was run again meanwhile: look anew
      run = next;
      work.context.progress(run.tasks);
    }
    return run;
  }

  /** Undefined, and nothing done, when a task of the batch has been run again since it was found. */
  private async removeBatch(
    { key, run, batch }: { key: string; run: RetentionRun; batch: ExpiredBatch },
    { options, context }: Work,
  ): Promise<RetentionRun | undefined> {
    const { ids } = batch;
    const done = sizeOf(batch);
    if (ids.length + batch.workflows.length === 0) return advanced(run, key, { ...done, events: 0 });
    const file =
      options.archive && ids.length > 0 ? await this.archive.write(ids, run.files + 1, writerOf(context)) : undefined;
    const next = await context.transaction(async (tx) => {
      const events = await this.expired.remove(tx, batch);
      if (events === undefined) return undefined;
      if (file) await this.archive.keep(tx, file);
      const progress = advanced(run, key, { ...done, events, archivedBytes: file?.sizeBytes });
      await tx.query(NOTE_PROGRESS, [context.task.id, JSON.stringify(progress)]);
      return progress;
    });
    // Not after an error: the answer to a commit may have been lost, and then the file is all there is of these tasks.
    if (next === undefined && file) await this.archive.discard(file);
    return next;
  }

  /** What belongs to no task any more, and what goes by age once no task holds it. No task is removed before that age. */
  private async removeLoose(signal: AbortSignal) {
    const before = new Date(this.clock.now().getTime() - this.policies.idempotencyKeyHours * HOUR_MS);
    return {
      orphans: await this.expired.removeOrphans(signal),
      event_batches: await this.expired.removeEventBatches(before, signal),
      idempotency_keys: await this.removeOlder(REMOVE_IDEMPOTENCY_KEYS, before, signal),
    };
  }

  /** Rows that go by their age alone, in pieces. Gives how many went. */
  private async removeOlder(statement: string, before: Date, signal: AbortSignal): Promise<number> {
    for (let sum = 0; ;) {
      signal.throwIfAborted();
      const [piece] = await this.database.query<{ removed: number }>(statement, [before, ROWS_A_STATEMENT]);
      sum += piece?.removed ?? 0;
      if ((piece?.removed ?? 0) < ROWS_A_STATEMENT) return sum;
    }
  }
}

/** One way to find what may go: of a type and outcome, or workflows. */
interface Pass {
  readonly key: string;
  readonly find: (after: string) => Promise<ExpiredBatch | undefined>;
}

interface Work {
  readonly options: RetentionOptions;
  readonly context: TaskContext;
}

const writerOf = ({ task }: TaskContext): ArchiveWriter => ({ taskId: task.id, fence: task.fence });

const sizeOf = ({ ids, workflows, last }: ExpiredBatch) => ({ last, tasks: ids.length, workflows: workflows.length });
