import { Injectable } from '@nestjs/common';
import { Settings } from '../platform/config/settings.js';
import { conflict } from '../platform/errors/app-error.js';
import { Tracing } from '../platform/tracing/tracing.js';
import { FORGET_LEFT_BEHIND, HOLD_LEFT_BEHIND } from './queue/cancel.sql.js';
import { EnginePool } from './queue/engine-pool.js';
import {
  CHILD_CONTRIBUTION,
  HOLD_FAN_OUTS,
  MOVE_TRACE,
  MOVE_TRACE_OF_NODES,
  PARENT_WAITS,
  REOPEN_FAN_OUT,
  REVIVE,
  RUN_CREATED,
  UNSUCCESSFUL_CHILDREN,
} from './queue/rerun.sql.js';
import { Wakeup } from './queue/wakeup.js';
import type { Sql } from '../platform/database/transaction.js';
import type { Task } from './task.js';
import { type RetryRequest, WorkflowRetrier } from './workflows/workflow-retrier.js';

interface UnsuccessfulChild {
  id: string;
  round: number;
  status: 'failed' | 'cancelled';
  contribution: string;
  has_children: boolean;
}

interface RevivedTask {
  id: string;
  queue: string;
  was: 'failed' | 'cancelled';
}

interface Reopened {
  readonly count: number;
  readonly queues: Set<string>;
  readonly revived: readonly RevivedTask[];
}

/** Starts tasks that wait for a person, and finished ones again. */
@Injectable()
export class TaskStarter {
  constructor(
    private readonly pool: EnginePool,
    private readonly wakeup: Wakeup,
    private readonly workflows: WorkflowRetrier,
    private readonly tracing: Tracing,
    private readonly settings: Settings,
  ) {}

  /** @throws conflict `dependencies_unmet` for a task that waits for others of its workflow. */
  async runCreated(task: Task, actor: string): Promise<void> {
    if (task.workflowId !== null) {
      throw conflict('dependencies_unmet', `task ${task.id} waits for others of its workflow ${task.workflowId}`);
    }
    const rows = await this.pool.query<{ queue: string }>(RUN_CREATED, [[task.id], actor]);
    for (const { queue } of rows) this.wakeup.queued(queue);
  }

  /** Runs nodes of a workflow again, with everything below them. */
  async rerunNodes(request: RetryRequest): Promise<void> {
    const queues = await this.pool.transaction(async (sql) => {
      const woken = await this.workflows.retry(sql, request);
      const traceParent = this.tracing.spans?.active();
      if (traceParent !== undefined) await sql.query(MOVE_TRACE_OF_NODES, [request.workflowId, traceParent]);
      return woken;
    });
    for (const queue of queues) this.wakeup.queued(queue);
  }

  /**
   * A new series of attempts for a failed or cancelled task.
   * @throws conflict `dedup_key_taken` when an unfinished task has the same dedup key, `child_of_finished_parent`; for a
   * node of a workflow, which takes all below it along, what {@link WorkflowRetrier.retry} throws.
   */
  async rerun(task: Task, actor: string, reason: 'run' | 'retry'): Promise<void> {
    const { workflowId } = task;
    if (workflowId !== null) return this.rerunNodes({ workflowId, nodeIds: [task.id], actor, reason });
    const rows = await this.pool.transaction(async (sql) => {
      if (task.parentId !== null) await holdWaitingParent(sql, task, task.parentId);
      const revived = await this.revive(sql, [task.id], { actor, reason, waiting: false });
      await reopenAbove(sql, task, revived);
      return revived;
    });
    for (const { queue } of rows) this.wakeup.queued(queue);
  }

  /**
   * Runs again only the batches of a failed or cancelled task that did not complete; what completed is kept, and the
   * final step follows when they have ended. Works at any depth of nested fan-outs. Gives how many tasks were queued.
   * @throws conflict `nothing_to_retry`, `child_of_finished_parent`.
   */
  async retryFailedBatches(task: Task, actor: string): Promise<number> {
    const { workflowId } = task;
    const { count, queues } = await this.pool.transaction(async (sql) => {
      if (workflowId !== null) await this.workflows.hold(sql, workflowId);
      if (task.parentId !== null) await holdWaitingParent(sql, task, task.parentId);
      const { revived, ...reopened } = await this.reopen(sql, task.id, actor);
      if (reopened.count === 0) {
        throw conflict('nothing_to_retry', `task ${task.id} has no failed or cancelled batches`);
      }
      await reopenAbove(sql, task, revived);
      const again = workflowId !== null && revived.length > 0;
      if (again) await this.workflows.reopenBelow(sql, { workflowId, nodeId: task.id, actor });
      return reopened;
    });
    for (const queue of queues) this.wakeup.queued(queue);
    return count;
  }

  private async reopen(sql: Sql, parentId: string, actor: string): Promise<Reopened> {
    const queues = new Set<string>();
    await sql.query(HOLD_LEFT_BEHIND, [parentId]);
    const children = await sql.query<UnsuccessfulChild>(UNSUCCESSFUL_CHILDREN, [parentId]);
    const [first] = children;
    if (!first) return { count: 0, queues, revived: [] };
    await sql.query(FORGET_LEFT_BEHIND, [parentId]); // those that were still to be cancelled are wanted as well
    const parents = await this.revive(sql, [parentId], { actor, reason: 'retry', waiting: true });
    if (parents.length === 0) {
      throw conflict(
        'nothing_to_retry',
        `task ${parentId} has not failed and was not cancelled, so its batches cannot be retried`,
      );
    }
    const by = (status: string): number => children.filter((child) => child.status === status).length;
    const contributed = children.reduce((sum, child) => sum + Number(child.contribution), 0);
    await sql.query(REOPEN_FAN_OUT, [parentId, first.round, by('failed'), by('cancelled'), contributed]);
    let count = 0;
    const again: string[] = [];
    for (const child of children) {
      const nested = child.has_children ? await this.reopen(sql, child.id, actor) : { count: 0, queues: [] };
      count += nested.count;
      for (const queue of nested.queues) queues.add(queue);
      if (nested.count === 0) again.push(child.id);
    }
    for (const row of await this.revive(sql, again, { actor, reason: 'retry', waiting: false })) queues.add(row.queue);
    return { count: count + again.length, queues, revived: parents };
  }

  private async revive(sql: Sql, ids: readonly string[], how: Revival): Promise<RevivedTask[]> {
    if (ids.length === 0) return [];
    const { prioritySeconds } = this.settings;
    const values = [ids, how.actor, how.waiting, how.reason, prioritySeconds];
    const revived = await sql.query<RevivedTask>(REVIVE, values).catch(asConflict);
    const traceParent = this.tracing.spans?.active();
    if (traceParent !== undefined) await sql.query(MOVE_TRACE, [ids, traceParent]);
    return revived;
  }
}

/** Takes the fan-out before the parent, as an ending child does, so that neither can wait for the other. */
async function holdWaitingParent(sql: Sql, task: Task, parentId: string): Promise<void> {
  await sql.query(HOLD_FAN_OUTS, [parentId]);
  const [parent] = await sql.query<{ waiting: boolean }>(PARENT_WAITS, [parentId]);
  if (!parent?.waiting) {
    const message = `task ${task.id} is a batch of task ${parentId}, which does not wait for it any more; retry that one's failed batches`;
    throw conflict('child_of_finished_parent', message);
  }
}

/** Takes a batch that was brought back into the open ones of the task that it is a part of. */
async function reopenAbove(sql: Sql, task: Task, [revived]: readonly RevivedTask[]): Promise<void> {
  if (task.parentId === null || revived === undefined) return;
  const [child] = await sql.query<{ round: number; contribution: string }>(CHILD_CONTRIBUTION, [task.id]);
  const failed = revived.was === 'failed' ? 1 : 0;
  await sql.query(REOPEN_FAN_OUT, [task.parentId, child?.round, failed, 1 - failed, child?.contribution ?? 0]);
}

interface Revival {
  readonly actor: string;
  readonly reason: 'run' | 'retry';
  readonly waiting: boolean;
}

function asConflict(error: unknown): never {
  if ((error as { constraint?: string }).constraint !== 'live_tasks_dedup') throw error;
  const message = 'an unfinished task with the same dedup key exists; wait for it or cancel it';
  throw conflict('dedup_key_taken', message, { cause: error });
}
