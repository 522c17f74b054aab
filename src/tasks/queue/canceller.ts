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
import { HOLD_WORKFLOW_OF_TASK } from '../workflows/advance.sql.js';
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
      await sql.query(HOLD_WORKFLOW_OF_TASK, [taskId]);
      return [taskId];
    });
  }

  /** The same for all tasks that `choose` gives, at once; it holds their workflows, if they have any. */
  async cancelAll(actor: string, choose: (sql: Sql) => Promise<readonly string[]>): Promise<void> {
    const { queues, held } = await this.pool.transaction(async (sql) => {
      const taskIds = await choose(sql);
      const family = await holdFamily(sql, taskIds);
      const ended = await sql.query<EndedChild>(CANCEL_UNHELD, [family, actor, taskIds]);
      const asked = await sql.query<{ id: string }>(REQUEST_CANCEL, [family, actor]);
      return { queues: await this.settlement.advanceParents(sql, ended), held: asked.map((row) => row.id) };
    });
    for (const queue of queues) this.wakeup.queued(queue);
    for (const id of held) this.wakeup.cancelled(id);
  }
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
