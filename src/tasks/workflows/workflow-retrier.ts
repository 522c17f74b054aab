import { Injectable } from '@nestjs/common';
import { Settings } from '../../platform/config/settings.js';
import type { Sql } from '../../platform/database/transaction.js';
import { conflict } from '../../platform/errors/app-error.js';
import type { TaskStatus } from '../task-state.js';
import {
  ENDED_PARENTS,
  HOLD_LIVE,
  NODES_BELOW,
  OUTCOMES,
  RECOUNT,
  REOPEN_NODE,
  RESET_NODES,
  RESET_TASKS,
  UNSUCCESSFUL_NODES,
} from './retry.sql.js';
import { type FailurePolicy, type Outcome, Ripple, type RippleNode } from './ripple.js';
import { WorkflowAdvancer } from './workflow-advancer.js';

/** Which nodes are to run again; all that failed or were cancelled when `nodeIds` is left out. */
export interface RetryRequest {
  readonly workflowId: string;
  readonly nodeIds?: readonly string[];
  readonly actor: string;
  readonly reason: 'run' | 'retry';
}

interface EndedRoot {
  readonly id: string;
  readonly outcome: Outcome | null;
}

interface EndedParent {
  readonly childId: string;
  readonly onFailure: FailurePolicy;
  readonly name: string;
  readonly outcome: Outcome;
}

/**
 * Runs nodes again with all that hangs below them; those above keep their results. Everything below waits for its
 * dependencies anew, also what had completed: it was made of what is made again.
 */
@Injectable()
export class WorkflowRetrier {
  constructor(
    private readonly advancer: WorkflowAdvancer,
    private readonly settings: Settings,
  ) {}

  /**
   * Gives the queues in which tasks may start once the transaction has committed.
   * @throws conflict `nothing_to_retry`, `nodes_at_work`, `dependencies_unmet`, `tasks_removed`.
   */
  async retry(sql: Sql, request: RetryRequest): Promise<Set<string>> {
    await this.advancer.hold(sql, [request.workflowId]);
    const roots = await rootsOf(sql, request);
    if (roots.length === 0) return new Set(); // someone else was quicker
    const ids = await below(sql, roots);
    const ripple = await this.reset(sql, { ids, roots, ...request });
    // Of all that did not complete, what runs after a skipped node is skipped now; only one that is named must run.
    const asked = new Set(request.nodeIds && roots);
    const unmet = ripple.ended.find(({ id }) => asked.has(id));
    if (unmet !== undefined) {
      const message = `node "${unmet.name}" runs after "${unmet.blamed ?? ''}", which did not complete; retry that one`;
      throw conflict('dependencies_unmet', message);
    }
    return this.advancer.follow(sql, ripple, [...ripple.ended]);
  }

  /** Before a task of the workflow is locked in the transaction. */
  hold(sql: Sql, workflowId: string): Promise<void> {
    return this.advancer.hold(sql, [workflowId]);
  }

  /** The same for all below a node whose own task the caller has brought back; its workflow is held. */
  async reopenBelow(sql: Sql, { workflowId, nodeId, actor }: { workflowId: string; nodeId: string; actor: string }) {
    const ids = (await below(sql, [nodeId])).filter((id) => id !== nodeId);
    await sql.query(REOPEN_NODE, [nodeId]);
    const ripple = await this.reset(sql, { workflowId, ids, roots: [], actor, reason: 'retry' });
    await this.advancer.follow(sql, ripple, [...ripple.ended]);
  }

  private async reset(
    sql: Sql,
    { ids, roots, ...by }: RetryRequest & { readonly ids: readonly string[]; readonly roots: readonly string[] },
  ): Promise<Ripple> {
    const live = await sql.query<{ id: string; status: TaskStatus }>(HOLD_LIVE, [ids]);
    const atWork = live.filter(({ status }) => status === 'running').length;
    if (atWork > 0) {
      const message = `${String(atWork)} nodes below are running; cancel them or wait for their end, then retry`;
      throw conflict('nodes_at_work', message);
    }
    const [reset] = await sql.query<{ revived: number }>(RESET_TASKS, [
      ...[ids, roots, by.actor, by.reason],
      this.settings.prioritySeconds,
    ]);
    if ((reset?.revived ?? 0) + live.length < ids.length) {
      throw conflict('tasks_removed', 'tasks of this workflow are not kept any more; start the workflow anew');
    }
    const ripple = new Ripple();
    const nodes = await sql.query<RippleNode>(RESET_NODES, [ids]);
    for (const node of nodes) ripple.touched.add(ripple.add(node));
    await sql.query(RECOUNT, [by.workflowId]);
    const byId = new Map(nodes.map((node) => [node.id, node]));
    for (const parent of await sql.query<EndedParent>(ENDED_PARENTS, [ids])) {
      const child = byId.get(parent.childId);
      if (child !== undefined) ripple.parentEnded(child, parent, parent.onFailure);
    }
    for (const node of nodes) ripple.decide(node);
    return ripple;
  }
}

async function rootsOf(sql: Sql, { workflowId, nodeIds }: RetryRequest): Promise<string[]> {
  const nodes =
    nodeIds === undefined
      ? await sql.query<EndedRoot>(UNSUCCESSFUL_NODES, [workflowId])
      : await sql.query<EndedRoot>(OUTCOMES, [nodeIds]);
  const ended = nodes.filter(({ outcome }) => outcome !== 'completed');
  if (ended.length === 0) throw conflict('nothing_to_retry', 'nothing of this has failed or was cancelled or skipped');
  return ended.flatMap(({ id, outcome }) => (outcome === null ? [] : [id]));
}

const below = async (sql: Sql, ids: readonly string[]): Promise<string[]> =>
  (await sql.query<{ id: string }>(NODES_BELOW, [ids])).map(({ id }) => id);
