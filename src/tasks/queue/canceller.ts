import { Injectable } from '@nestjs/common';
import {
  CANCEL_UNHELD,
  HOLD_FAMILY_FAN_OUTS,
  HOLD_TASKS,
  HOLD_WAITING,
  LIVE_FAMILY,
  REQUEST_CANCEL,
} from './cancel.sql.js';
import type { Sql } from '../../platform/database/transaction.js';
import { EnginePool } from './engine-pool.js';
import { HOLD_WORKFLOWS_OF_TASKS } from '../workflows/advance.sql.js';
import { type EndedChild, Settlement } from './settlement.js';
import { Wakeup } from './wakeup.js';

/** Cancels a task with everything below it, whoever holds it. */
@Injectable()
export class Canceller {
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
  async cancelWithin(sql: Sql, taskIds: readonly string[], actor: string): Promise<Cancelled> {
    const family = await holdFamily(sql, taskIds);
    const ended = await sql.query<EndedChild>(CANCEL_UNHELD, [family, actor, taskIds]);
    const asked = await sql.query<{ id: string }>(REQUEST_CANCEL, [family, actor]);
    const queues = await this.settlement.advanceParents(sql, ended);
    return { queues, ended: ended.map((row) => row.id), asked: asked.map((row) => row.id) };
  }

  announce({ queues, asked }: Cancelled): void {
    for (const queue of queues) this.wakeup.queued(queue);
    for (const id of asked) this.wakeup.cancelled(id);
  }
}

export interface Cancelled {
  /** Of parents whose last child this was. */
  readonly queues: ReadonlySet<string>;
  readonly ended: readonly string[];
  /** Held by workers, which will end them. */
  readonly asked: readonly string[];
}

/**
 * Takes tasks and everything below them, so that none can change its status between being looked at and being ended or
 * flagged; looks again until all are held, because a task may split before it is.
 */
async function holdFamily(sql: Sql, taskIds: readonly string[]): Promise<string[]> {
  const held = new Set<string>();
  for (;;) {
    const family = (await sql.query<{ id: string }>(LIVE_FAMILY, [taskIds])).map((row) => row.id);
    const loose = family.filter((id) => !held.has(id));
    if (loose.length === 0) return family;
    const tasks = await sql.query<{ id: string }>(HOLD_TASKS, [loose]);
    await sql.query(HOLD_FAMILY_FAN_OUTS, [loose, taskIds]);
    const waiting = await sql.query<{ id: string }>(HOLD_WAITING, [loose]);
    for (const { id } of [...tasks, ...waiting]) held.add(id);
  }
}
