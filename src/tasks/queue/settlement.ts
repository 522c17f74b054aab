import { Injectable } from '@nestjs/common';
import { Settings } from '../../platform/config/settings.js';
import { jsonArray, numberArray, unlessNull, uuidArray } from '../../platform/database/array-literal.js';
import type { Sql } from '../../platform/database/transaction.js';
import type { OpenSpan } from '../../platform/tracing/tracing.js';
import { EnginePool } from './engine-pool.js';
import type { FinishedStatus } from '../task-state.js';
import { WorkflowAdvancer } from '../workflows/workflow-advancer.js';
import { ADVANCE, FINISH, HOLD_FAN_OUTS, REQUEUE } from './settle.sql.js';
import { Wakeup } from './wakeup.js';

/** An attempt's end as `completed`, `failed` or `cancelled`. */
export interface Ending {
  readonly id: string;
  readonly fence: number;
  readonly hasParent: boolean;
  /** The workflow that it is a node of. */
  readonly workflowId: string | null;
  readonly status: 'completed' | 'failed' | 'cancelled';
  /** JSON text, or null. */
  readonly result?: string | null;
  readonly code?: string;
  readonly category?: string;
  readonly message?: string;
  readonly processed: number;
  readonly total?: number;
  /** Who ended it; the worker when left out. */
  readonly actor?: string;
  /** Open until it is written, where traces are on. */
  readonly span?: OpenSpan;
  /** The queue in which another may start in its place, where limits hold. */
  readonly wakes?: string;
}

/** An attempt that gives its task back to the queue. */
export interface Return {
  readonly id: string;
  readonly fence: number;
  readonly hasParent: boolean;
  readonly workflowId: string | null;
  readonly reason: 'backoff' | 'released' | 'parked';
  readonly span?: OpenSpan;
  readonly delayMs: number;
  readonly code?: string;
  readonly category?: string;
  readonly message?: string;
  readonly processed: number;
  readonly total?: number;
  readonly wakes?: string;
}

/** A task that has just ended, as far as its parent and its workflow must know. */
export interface EndedChild {
  readonly id: string;
  readonly parent_id: string | null;
  readonly parent_round: number | null;
  readonly workflow_id: string | null;
  readonly status: FinishedStatus;
  readonly contribution: string;
}

/** What {@link FINISH} answers: all were settled, unless it names those that were; and those that something hangs on. */
interface Finished {
  readonly settled: number;
  readonly ids: string[] | null;
  readonly followed: EndedChild[] | null;
}

interface ReturnedTask {
  readonly id: string;
  readonly queue: string;
  readonly ready: boolean;
}

/** The statements that end or return attempts, and what follows from an end for the parent and the workflow. */
@Injectable()
export class Settlement {
  constructor(
    private readonly pool: EnginePool,
    private readonly wakeup: Wakeup,
    private readonly workflows: WorkflowAdvancer,
    private readonly settings: Settings,
  ) {}

  /** Ends a batch of attempts: one statement, and more in one transaction when some have parents or a workflow. */
  async finish(workerId: string, endings: readonly Ending[]): Promise<Set<string>> {
    if (!endings.some(({ hasParent, workflowId }) => hasParent || workflowId !== null)) {
      const settled = settledOf(
        endings,
        await this.pool.byKey.query<Finished>(FINISH, finishValues(workerId, endings)),
      );
      this.wake(queuesToWake(endings));
      return settled;
    }
    const { settled, queues } = await this.pool.transaction((sql) => this.finishWithin(sql, workerId, endings));
    this.wake([...queues, ...queuesToWake(endings)]);
    return settled;
  }

  /** Tells workers that tasks of these queues may start. */
  wake(queues: Iterable<string>): void {
    for (const queue of new Set(queues)) this.wakeup.queued(queue);
  }

  /** Ends attempts inside the caller's transaction; wake `queues` when it has committed. */
  async finishWithin(
    sql: Sql,
    workerId: string,
    endings: readonly Ending[],
  ): Promise<{ settled: Set<string>; queues: Set<string> }> {
    await this.workflows.hold(
      sql,
      endings.flatMap(({ workflowId }) => workflowId ?? []),
    );
    const rows = await sql.query<Finished>(FINISH, finishValues(workerId, endings));
    return { settled: settledOf(endings, rows), queues: await this.advanceParents(sql, rows[0]?.followed ?? []) };
  }

  /**
   * What follows whenever tasks end, however they do: their parents count them, and what hangs below them in a workflow
   * moves (the caller holds the workflow). Gives the queues in which tasks may start.
   */
  async advanceParents(sql: Sql, ended: readonly EndedChild[]): Promise<Set<string>> {
    const queues = await this.advanceFanOuts(sql, ended);
    const nodes = ended.filter((row) => row.workflow_id !== null);
    if (nodes.length === 0) return queues;
    const outcomes = nodes.map(({ id, status }) => ({ id, outcome: status }));
    return new Set([...queues, ...(await this.workflows.advance(sql, outcomes))]);
  }

  /** Counts ended children for their parents; gives the queues of parents whose last child this was. */
  private async advanceFanOuts(sql: Sql, ended: readonly EndedChild[]): Promise<Set<string>> {
    const children = ended.filter((row) => row.parent_id !== null);
    if (children.length === 0) return new Set();
    const parentIds = children.map((row) => row.parent_id);
    const rounds = children.map((row) => row.parent_round);
    if (new Set(parentIds).size > 1) await sql.query(HOLD_FAN_OUTS, [parentIds, rounds]);
    const woken = await sql.query<{ queue: string }>(ADVANCE, [
      parentIds,
      rounds,
      children.map((row) => row.status),
      children.map((row) => row.contribution),
    ]);
    return new Set(woken.map((row) => row.queue));
  }

  /**
   * Gives attempts back; those of tasks that somebody wants cancelled end so instead. Gives the ids that were really
   * settled.
   */
  async giveBack(workerId: string, given: readonly Return[]): Promise<Set<string>> {
    const returns = inLockOrder(given);
    const rows = await this.pool.byKey.query<ReturnedTask>(REQUEUE, [
      workerId,
      returns.map((r) => r.id),
      returns.map((r) => r.fence),
      returns.map((r) => r.delayMs),
      returns.map((r) => r.reason),
      returns.map((r) => r.code ?? null),
      returns.map((r) => r.category ?? null),
      returns.map((r) => r.message ?? null),
      returns.map((r) => r.processed),
      returns.map((r) => r.total ?? null),
      this.settings.prioritySeconds,
    ]);
    this.wake([...rows.filter((row) => row.ready).map((row) => row.queue), ...queuesToWake(returns)]);
    const settled = new Set(rows.map((row) => row.id));
    const kept = returns.filter(({ id }) => !settled.has(id));
    if (kept.length === 0) return settled;
    // Wanted cancelled, or not ours any more: the fence tells.
    const cancelled = await this.finish(workerId, kept.map(cancelledInstead));
    return new Set([...settled, ...cancelled]);
  }
}

const queuesToWake = (outcomes: readonly (Ending | Return)[]): string[] => outcomes.flatMap(({ wakes }) => wakes ?? []);

const cancelledInstead = ({ id, fence, hasParent, workflowId, processed, total }: Return): Ending => ({
  ...{ id, fence, hasParent, workflowId, processed, total },
  status: 'cancelled',
});

/** Statements that lock the same rows in the same order cannot wait for each other. */
function inLockOrder<T extends { readonly id: string }>(outcomes: readonly T[]): T[] {
  return [...outcomes].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function settledOf(endings: readonly Ending[], [finished]: readonly Finished[]): Set<string> {
  return finished?.settled === endings.length ? new Set(endings.map(({ id }) => id)) : new Set(finished?.ids);
}

/** What is usual is left out: the statement knows it. */
function finishValues(workerId: string, ended: readonly Ending[]): unknown[] {
  const endings = inLockOrder(ended);
  return [
    workerId,
    uuidArray(endings.map((e) => e.id)),
    numberArray(endings.map((e) => e.fence)),
    unlessNull(endings.map((e) => (e.status === 'completed' ? null : e.status))),
    endings.some((e) => typeof e.result === 'string') ? jsonArray(endings.map((e) => e.result ?? null)) : [],
    unlessNull(endings.map((e) => e.code ?? null)),
    unlessNull(endings.map((e) => e.category ?? null)),
    unlessNull(endings.map((e) => e.message ?? null)),
    unlessNull(endings.map((e) => e.processed || null)),
    unlessNull(endings.map((e) => e.total ?? null)),
    unlessNull(endings.map((e) => e.actor ?? null)),
  ];
}
