import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import {
  COUNT_ENDED,
  EDGES_BELOW,
  END_BLOCKED,
  END_NODES,
  HOLD_FREE_WORKFLOWS,
  HOLD_WORKFLOWS,
  SAVE_RIPPLE,
} from './advance.sql.js';
import { type Choice, InputResolver } from './input-resolver.js';
import { type FailurePolicy, type Outcome, Ripple, type RippleNode } from './ripple.js';

/** A task of a workflow that has just ended. */
export interface EndedNode {
  readonly id: string;
  readonly outcome: Outcome;
}

/** An edge with its child; a node without children comes as one row of nulls. */
type EdgeRow = RippleNode & { readonly parentId: string; readonly onFailure: FailurePolicy | null };

/** How far the first look ahead of a cascade goes, in levels; each further one goes twice as far. */
const FIRST_LOOK = 1;
/** Tasks that one statement lets start: their inputs travel with it. */
const RELEASES = 2_000;

/** Why a task ended that never started. */
interface BlockedEnd {
  readonly code: string;
  readonly message: string;
  readonly reason: 'dependency_failed' | 'invalid_params' | 'skipped';
}

/**
 * Moves the nodes of workflows when those above them have ended: in the transaction in which these end, so that there is
 * no moment at which a node has ended and its children do not know. All in a number of statements that does not
 * depend on how many nodes move.
 */
@Injectable()
export class WorkflowAdvancer {
  constructor(private readonly resolver: InputResolver) {}

  /** Before any task of these workflows is locked or ended in the transaction. */
  async hold(sql: Sql, workflowIds: readonly string[]): Promise<void> {
    if (workflowIds.length > 0) await sql.query(HOLD_WORKFLOWS, [[...new Set(workflowIds)]]);
  }

  /** The same without waiting for whoever holds some: gives those that are held now. */
  async holdFree(sql: Sql, workflowIds: readonly string[]): Promise<string[]> {
    if (workflowIds.length === 0) return [];
    const held = await sql.query<{ id: string }>(HOLD_FREE_WORKFLOWS, [[...new Set(workflowIds)]]);
    return held.map(({ id }) => id);
  }

  /** Follows the ends of nodes, whose workflows are held; gives the queues in which tasks may start. */
  async advance(sql: Sql, ended: readonly EndedNode[]): Promise<Set<string>> {
    const values = [ended.map(({ id }) => id), ended.map(({ outcome }) => outcome)];
    const wave = await sql.query<RippleNode>(END_NODES, values);
    const ripple = new Ripple();
    for (const node of wave) ripple.add(node);
    return this.follow(sql, ripple, wave);
  }

  /** Carries the ends of `wave` on as far as they go, and writes what came of it. */
  async follow(sql: Sql, ripple: Ripple, wave: readonly RippleNode[]): Promise<Set<string>> {
    const choices = new Map<RippleNode, Choice>();
    let open = [...wave, ...(await this.choose(sql, ripple, choices))];
    for (let look = 0; open.length > 0; look = look === 0 ? FIRST_LOOK : 2 * look) {
      await expand(sql, ripple, { nodes: open, look });
      open = [...ripple.spread(open), ...(await this.choose(sql, ripple, choices))];
    }
    await endBlocked(sql, ripple.ended, choices);
    const queues = await save(sql, ripple, choices);
    await count(sql, [...new Set([...wave, ...ripple.ended])]);
    return queues;
  }

  /** Decides on nodes whose parents let them start; gives those that end instead. */
  private async choose(sql: Sql, ripple: Ripple, choices: Map<RippleNode, Choice>): Promise<RippleNode[]> {
    const ready = ripple.takeReady();
    const chosen = await this.resolver.choose(
      sql,
      ready.filter(({ dynamic }) => dynamic).map(({ id }) => id),
    );
    return ready.filter((node) => {
      const choice = chosen.get(node.id) ?? { kind: 'run' };
      choices.set(node, choice);
      if (choice.kind === 'run') return false;
      ripple.end(node, choice.kind === 'skip' ? 'skipped' : 'failed');
      return true;
    });
  }
}

/** Reads the edges below nodes, `look` levels down; for nodes that did not complete, which may take others along. */
async function expand(sql: Sql, ripple: Ripple, { nodes, look }: { nodes: readonly RippleNode[]; look: number }) {
  const unknown = nodes.filter((node) => !ripple.isExpanded(node));
  if (unknown.length === 0) return;
  const level = look === 0 ? -1 : unknown.reduce((highest, node) => Math.max(highest, node.level), 0) + look;
  const rows = await sql.query<EdgeRow>(EDGES_BELOW, [unknown.map(({ id }) => id), level]);
  const below = new Map<string, EdgeRow[]>();
  for (const row of rows) {
    const siblings = below.get(row.parentId);
    if (siblings) siblings.push(row);
    else below.set(row.parentId, [row]);
  }
  for (const [parentId, edges] of below) {
    ripple.expand(
      parentId,
      edges.flatMap(({ onFailure, parentId: _, ...child }) =>
        onFailure === null ? [] : [{ parentId, child, onFailure }],
      ),
    );
  }
}

async function endBlocked(sql: Sql, nodes: readonly RippleNode[], choices: ReadonlyMap<RippleNode, Choice>) {
  if (nodes.length === 0) return;
  const ends = nodes.map((node) => blockedEnd(node, choices.get(node)));
  await sql.query(END_BLOCKED, [
    nodes.map(({ id }) => id),
    nodes.map(({ outcome }) => (outcome === 'skipped' ? 'cancelled' : outcome)),
    ends.map(({ code }) => code),
    ends.map(({ message }) => message),
    ends.map(({ reason }) => reason),
  ]);
}

function blockedEnd({ verdict, blamed }: RippleNode, choice: Choice | undefined): BlockedEnd {
  if (choice?.kind === 'fail') return { code: choice.code, message: choice.message, reason: 'invalid_params' };
  if (choice?.kind === 'skip') return { code: 'skipped', message: choice.message, reason: 'skipped' };
  const because = `node "${blamed ?? ''}", which it runs after, did not complete`;
  return verdict === 'fail'
    ? { code: 'dependency_failed', message: because, reason: 'dependency_failed' }
    : { code: 'skipped', message: because, reason: 'skipped' };
}

async function save(sql: Sql, ripple: Ripple, choices: ReadonlyMap<RippleNode, Choice>): Promise<Set<string>> {
  const touched = [...ripple.touched];
  const released = [...choices].flatMap(([{ id }, choice]) => (choice.kind === 'run' ? [{ id, ...choice }] : []));
  const queues = new Set<string>();
  for (let start = 0; start === 0 ? touched.length + released.length > 0 : start < released.length; start += RELEASES) {
    const changed = start === 0 ? touched : [];
    const some = released.slice(start, start + RELEASES);
    const rows = await sql.query<{ queue: string }>(SAVE_RIPPLE, [
      changed.map(({ id }) => id),
      changed.map(({ waiting }) => waiting),
      changed.map(({ verdict }) => verdict),
      changed.map(({ blamed }) => blamed),
      changed.map(({ outcome }) => outcome),
      some.map(({ id }) => id),
      some.map(({ params }) => (params === undefined ? null : JSON.stringify(params))),
      some.map(({ key }) => key ?? null),
    ]);
    for (const { queue } of rows) queues.add(queue);
  }
  return queues;
}

async function count(sql: Sql, ended: readonly RippleNode[]): Promise<void> {
  if (ended.length === 0) return;
  await sql.query(COUNT_ENDED, [
    ended.map(({ workflowId }) => workflowId),
    ended.map(({ outcome }) => outcome),
    ended.map(({ weight }) => weight),
  ]);
}
