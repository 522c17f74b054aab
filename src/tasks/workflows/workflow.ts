import type { TaskStatus } from '../task-state.js';
import type { FailurePolicy } from './ripple.js';

export const WORKFLOW_STATUSES = ['running', 'completed', 'failed', 'cancelled'] as const;
export type WorkflowStatus = (typeof WORKFLOW_STATUSES)[number];

/** Where a node stands: its task's status, or `skipped`. `created` means that it waits for others. */
export const NODE_STATUSES = ['created', 'queued', 'running', 'completed', 'failed', 'cancelled', 'skipped'] as const;
export type NodeStatus = TaskStatus | 'skipped';

/** How many nodes there are of each kind; `open` have not ended. */
export interface NodeCounts {
  readonly total: number;
  readonly open: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly skipped: number;
}

/** Tasks that wait for each other, as a whole. */
export interface Workflow {
  readonly id: string;
  readonly name: string;
  readonly status: WorkflowStatus;
  /** 0–100, weighted; never goes back, but for a retry. */
  readonly progress: number;
  /** When it should be done at the rate so far; only while it runs. */
  readonly eta: Date | null;
  readonly counts: NodeCounts;
  readonly requestedBy: string;
  readonly cancelRequestedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly completedAt: Date | null;
}

export interface WorkflowNode {
  readonly taskId: string;
  readonly name: string;
  readonly type: string | null;
  readonly status: NodeStatus;
  readonly level: number;
  readonly weight: number;
  readonly after: readonly { readonly node: string; readonly onFailure: FailurePolicy }[];
  readonly attempt: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly startedAt: Date | null;
  readonly completedAt: Date | null;
}

/** A row of `workflows`, with what its running nodes add. */
export interface WorkflowRow extends NodeCounts {
  readonly id: string;
  readonly name: string;
  readonly requested_by: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly completed_at: Date | null;
  readonly cancel_requested_at: Date | null;
  readonly weight: string;
  readonly weight_ended: string;
  readonly progress: number;
  /** Weight of what running nodes have done. */
  readonly weight_running: number;
}

export function workflowOf(row: WorkflowRow, now: Date): Workflow {
  const { total, open, completed, failed, cancelled, skipped } = row;
  return {
    id: row.id,
    name: row.name,
    status: statusOf(row),
    progress: Math.max(row.progress, progressOf(row)),
    eta: etaOf(row, now),
    counts: { total, open, completed, failed, cancelled, skipped },
    requestedBy: row.requested_by,
    cancelRequestedAt: row.cancel_requested_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    completedAt: row.completed_at,
  };
}

/** It runs until every node has ended; then one failed node makes it failed, whatever others made of that. */
function statusOf({ open, failed, cancelled }: NodeCounts): WorkflowStatus {
  if (open > 0) return 'running';
  if (failed > 0) return 'failed';
  return cancelled > 0 ? 'cancelled' : 'completed';
}

const doneOf = (row: WorkflowRow): number => Number(row.weight_ended) + row.weight_running;

/** Whole percent, rounded down. Nodes that ended count in full, however they did. */
function progressOf(row: WorkflowRow): number {
  if (row.open === 0) return 100;
  const weight = Number(row.weight);
  return weight === 0 ? 0 : Math.min(99, Math.floor((100 * doneOf(row)) / weight));
}

function etaOf(row: WorkflowRow, now: Date): Date | null {
  const done = doneOf(row);
  if (row.open === 0 || done <= 0) return null;
  const elapsedMs = Math.max(0, now.getTime() - row.created_at.getTime());
  const eta = new Date(now.getTime() + (elapsedMs / done) * Math.max(0, Number(row.weight) - done));
  return Number.isNaN(eta.getTime()) ? null : eta;
}
