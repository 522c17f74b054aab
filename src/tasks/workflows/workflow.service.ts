import { Injectable } from '@nestjs/common';
import { Canceller } from '../queue/canceller.js';
import type { Made } from '../idempotency.js';
import type { TaskStatus } from '../task-state.js';
import { TaskStarter } from '../task-starter.js';
import { OPEN_NODES, REQUEST_WORKFLOW_CANCEL } from './read.sql.js';
import { type StartOptions, WorkflowStarter } from './workflow-starter.js';
import type { WorkflowSpec } from './workflow-plan.js';
import { type WorkflowPage, WorkflowReader } from './workflow-reader.js';
import type { Workflow, WorkflowNode } from './workflow.js';

/** Any graph of tasks without cycles, as one piece of work. */
@Injectable()
export class WorkflowService {
  constructor(
    private readonly starter: WorkflowStarter,
    private readonly reader: WorkflowReader,
    private readonly tasks: TaskStarter,
    private readonly canceller: Canceller,
  ) {}

  /**
   * Adds all tasks of a workflow, or none; those that wait for nothing may start at once.
   * @throws invalid `invalid_workflow`, `workflow_cycle` before anything is written; conflict `idempotency_key_reused`.
   */
  start(spec: WorkflowSpec, options: StartOptions): Promise<Made> {
    return this.starter.start(spec, options);
  }

  /** By full id or unique prefix. @throws not-found `workflow_not_found`, conflict `ambiguous_workflow_id`. */
  get(idOrPrefix: string): Promise<Workflow> {
    return this.reader.get(idOrPrefix);
  }

  /** The nodes of a workflow with what each waits for, in the order in which they were given. */
  async nodes(idOrPrefix: string): Promise<WorkflowNode[]> {
    return this.reader.nodes((await this.reader.get(idOrPrefix)).id);
  }

  /** Newest first. */
  list(statuses: readonly TaskStatus[] | undefined, page: WorkflowPage): Promise<Workflow[]> {
    return this.reader.list(statuses, page);
  }

  /** Ends every node that has not ended; a finished workflow stays as it is. Running nodes end within seconds. */
  async cancel(idOrPrefix: string, actor: string): Promise<Workflow> {
    const { id } = await this.reader.get(idOrPrefix);
    await this.canceller.cancelAll(actor, async (sql) => {
      await sql.query(REQUEST_WORKFLOW_CANCEL, [id]);
      return (await sql.query<{ id: string }>(OPEN_NODES, [id])).map((node) => node.id);
    });
    return this.reader.get(id);
  }

  /**
   * Runs a node that failed, or was cancelled or skipped, again with all that hangs below it; without `node`, every node
   * that failed or was cancelled. Nodes above keep their results.
   * @throws not-found `workflow_node_not_found`, conflict `nothing_to_retry`, `nodes_at_work`, `dependencies_unmet`.
   */
  async retry(
    idOrPrefix: string,
    { node, actor }: { readonly node?: string; readonly actor: string },
  ): Promise<Workflow> {
    const { id: workflowId } = await this.reader.get(idOrPrefix);
    const nodeIds = node === undefined ? undefined : [await this.reader.nodeId(workflowId, node)];
    await this.tasks.rerunNodes({ workflowId, nodeIds, actor, reason: 'retry' });
    return this.reader.get(workflowId);
  }
}
