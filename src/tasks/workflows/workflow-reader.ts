import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { conflict, invalid, notFound } from '../../platform/errors/app-error.js';
import { absent, type Identified, idOf } from '../id-prefix.js';
import type { TaskStatus } from '../task-state.js';
import {
  EDGES_OF_WORKFLOW,
  KEEP_PROGRESS,
  NODE_BY_NAME,
  NODES_OF_WORKFLOW,
  WORKFLOW_BY_ID,
  WORKFLOW_IDS_BY_PREFIX,
  WORKFLOWS_PAGE,
} from './read.sql.js';
import type { FailurePolicy } from './ripple.js';
import { type Workflow, type WorkflowNode, workflowOf, type WorkflowRow } from './workflow.js';

export interface WorkflowPage {
  readonly limit: number;
  /** Id of the last workflow of the page before. */
  readonly after?: string;
}

const WORKFLOWS: Identified = {
  noun: 'workflow',
  idsByPrefix: WORKFLOW_IDS_BY_PREFIX,
  malformed: (message, more) => invalid('invalid_workflow_id', message, more),
  absent: (message) => notFound('workflow_not_found', message),
  ambiguous: (message, more) => conflict('ambiguous_workflow_id', message, more),
};

/** Reads of workflows and their graphs. */
@Injectable()
export class WorkflowReader {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * By full id or unique prefix.
   * @throws not-found `workflow_not_found`, conflict `ambiguous_workflow_id`, invalid `invalid_workflow_id`.
   */
  async get(idOrPrefix: string): Promise<Workflow> {
    const id = await idOf(this.database, WORKFLOWS, idOrPrefix);
    const [row] = await this.database.query<WorkflowRow>(WORKFLOW_BY_ID, [id]);
    if (!row) throw absent(WORKFLOWS, idOrPrefix);
    return this.shown(row);
  }

  /** Newest first. Of the statuses of tasks a workflow has those of `WORKFLOW_STATUSES`; the others choose none. */
  async list(statuses: readonly TaskStatus[] | undefined, { limit, after }: WorkflowPage): Promise<Workflow[]> {
    const rows = await this.database.query<WorkflowRow>(WORKFLOWS_PAGE, [after ?? null, statuses ?? null, limit]);
    return Promise.all(rows.map((row) => this.shown(row)));
  }

  /** All nodes with what they wait for, in the order in which they were given. */
  async nodes(workflowId: string): Promise<WorkflowNode[]> {
    const [nodes, edges] = await Promise.all([
      this.database.query<Omit<WorkflowNode, 'after'>>(NODES_OF_WORKFLOW, [workflowId]),
      this.database.query<{ childId: string; node: string; onFailure: FailurePolicy }>(EDGES_OF_WORKFLOW, [workflowId]),
    ]);
    const after = new Map<string, { node: string; onFailure: FailurePolicy }[]>(
      nodes.map(({ taskId }) => [taskId, []]),
    );
    for (const { childId, ...edge } of edges) after.get(childId)?.push(edge);
    return nodes.map((node) => ({ ...node, after: after.get(node.taskId) ?? [] }));
  }

  /** @throws not-found `workflow_node_not_found`. */
  async nodeId(workflowId: string, name: string): Promise<string> {
    const [node] = await this.database.query<{ id: string }>(NODE_BY_NAME, [workflowId, name]);
    if (!node) throw notFound('workflow_node_not_found', `workflow ${workflowId} has no node "${name}"`);
    return node.id;
  }

  private async shown(row: WorkflowRow): Promise<Workflow> {
    const workflow = workflowOf(row, this.clock.now());
    if (workflow.progress > row.progress) {
      await this.database.query(KEEP_PROGRESS, [row.id, workflow.progress, row.weight_ended]);
    }
    return workflow;
  }
}
