import { Injectable } from '@nestjs/common';
import {
  CANCEL_UNHELD,
  HOLD_FAMILY_FAN_OUTS,
  HOLD_TASKS,
  HOLD_WAITING,
  LIVE_FAMILY,
  NOTE_LEFT_BEHIND,
  REQUEST_CANCEL,
} from './cancel.sql.js';
import type { Sql } from '../../platform/database/transaction.js';
import { EnginePool } from './engine-pool.js';
import { HOLD_WORKFLOWS_OF_TASKS } from '../workflows/advance.sql.js';
import { type EndedChild, Settlement } from './settlement.js';
import { Wakeup } from './wakeup.js';

/**
 * Cancels a task with everything below it, whoever holds it: at once, as far as one transaction can. What is left of a
 * larger family is noted with it, and follows (see CancelCascade).
 */
@Injectable()
export class Canceller {
  /** Tasks below those that are cancelled, in one transaction. More takes longer than a request may; less is seen half done. */
  mostBelow = 5_000;

  constructor(
    private readonly pool: EnginePool,
    private readonly settlement: Settlement,
    private readonly wakeup: Wakeup,
  ) {}

  /**
   * What nobody holds ends at once; workers that hold one are told and settle it themselves, within a second if its
   * handler listens to its signal. Idempotent; a finished task is left as it is.
   */
  async cancel(taskId: string, actor: string): Promise<void> {
    await this.cancelAll(actor, async (sql) => {
      await sql.query(HOLD_WORKFLOWS_OF_TASKS, [[taskId]]);
      return [taskId];
    });
  }

  /** The same for all tasks that `choose` gives, at once; it holds their workflows, if they have any. */
  async cancelAll(actor: string, choose: (sql: Sql) => Promise<readonly string[]>): Promise<void> {
    this.announce(await this.pool.patientTransaction(async (sql) => this.cancelWithin(sql, await choose(sql), actor)));
  }

  /**
   * The same in the caller's transaction, which holds the workflows of these tasks; it calls {@link announce} once it has
   * committed.
   */
  cancelWithin(sql: Sql, taskIds: readonly string[], actor: string): Promise<Cancelled> {
    return this.cancelFamily(sql, { taskIds, wanted: taskIds, actor });
  }

  /** The same for children of a task that is cancelled. */
  cancelChildrenWithin(sql: Sql, taskIds: readonly string[], actor: string): Promise<Cancelled> {
    return this.cancelFamily(sql, { taskIds, wanted: [], actor });
  }

  private async cancelFamily(sql: Sql, { taskIds, wanted, actor }: Cancellation): Promise<Cancelled> {
    const most = taskIds.length + this.mostBelow;
    const family = await holdFamily(sql, taskIds, most);
    const ended = await sql.query<EndedChild>(CANCEL_UNHELD, [family, actor, wanted]);
    const asked = await sql.query<{ id: string }>(REQUEST_CANCEL, [family, actor]);
    if (family.length >= most) await sql.query(NOTE_LEFT_BEHIND, [family, actor]);
    const queues = await this.settlement.advanceParents(sql, ended);
    return { queues, ended: ended.map((row) => row.id), asked: asked.map((row) => row.id) };
  }

  announce({ queues, asked }: Cancelled): void {
    for (const queue of queues) this.wakeup.queued(queue);
    for (const id of asked) this.wakeup.cancelled(id);
  }
}

interface Cancellation {
  readonly taskIds: readonly string[];
  /** Those of them that somebody named; the others go with their parents. */
  readonly wanted: readonly string[];
  readonly actor: string;
}

export interface Cancelled {
  /** Of parents whose last child this was. */
  readonly queues: ReadonlySet<string>;
  readonly ended: readonly string[];
  /** Held by workers, which will end them. */
  readonly asked: readonly string[];
}

/**
 * Takes tasks and what is below them, `most` of them all, so that none can change its status between being looked at and
 * being ended or flagged; looks again until all are held, because a task may split before it is.
 */
async function holdFamily(sql: Sql, taskIds: readonly string[], most: number): Promise<string[]> {
  const held = new Set<string>();
  for (;;) {
    const family = (await sql.query<{ id: string }>(LIVE_FAMILY, [taskIds, most])).map((row) => row.id);
    const loose = family.filter((id) => !held.has(id));
    if (loose.length === 0) return family;
    const tasks = await sql.query<{ id: string }>(HOLD_TASKS, [loose]);
    await sql.query(HOLD_FAMILY_FAN_OUTS, [loose, taskIds]);
    const waiting = await sql.query<{ id: string }>(HOLD_WAITING, [loose]);
    for (const { id } of [...tasks, ...waiting]) held.add(id);
  }
}
