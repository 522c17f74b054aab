import { ApiProperty } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import { PageQueryDto } from '../../../platform/http/dto/page.dto.js';
import {
  NODE_STATUSES,
  type NodeStatus,
  type Workflow,
  WORKFLOW_STATUSES,
  type WorkflowNode,
  type WorkflowStatus,
} from '../../workflows/workflow.js';
import { IsTextOfStatuses } from '../status-words.js';
import { WorkflowDependencyDto } from './start-workflow.dto.js';

export class RetryWorkflowDto {
  /** The node to run again with all below it; every node that failed or was cancelled, when left out. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  node?: string;
}

export class ListWorkflowsDto extends PageQueryDto {
  /**
   * Only workflows in this status; several with commas, old words too, any letter case. None is ever created or queued.
   * @example "running"
   */
  @IsOptional()
  @IsTextOfStatuses()
  status?: string;
}

/** How many nodes there are of each kind; `open` have not ended. */
export class WorkflowCountsDto {
  total: number;
  open: number;
  completed: number;
  failed: number;
  cancelled: number;
  skipped: number;
}

/** Tasks that wait for each other, as a whole. */
export class WorkflowDto {
  id: string;
  name: string;
  /** It runs until every node has ended; then one failed node makes it failed. */
  @ApiProperty({ enum: WORKFLOW_STATUSES })
  status: WorkflowStatus;
  /** 0–100, weighted; never goes back, but for a retry. */
  progress: number;
  /** When it should be done at the rate so far. */
  @ApiProperty({ type: Date, nullable: true })
  eta: Date | null;
  counts: WorkflowCountsDto;
  requested_by: string;
  @ApiProperty({ type: Date, nullable: true })
  cancel_requested_at: Date | null;
  created_at: Date;
  updated_at: Date;
  @ApiProperty({ type: Date, nullable: true })
  completed_at: Date | null;
}

export class WorkflowNodeDto {
  name: string;
  task_id: string;
  type: string | null;
  /** That of its task, or `skipped`; `created` waits for others. */
  @ApiProperty({ enum: NODE_STATUSES })
  status: NodeStatus;
  /** The longest way to it from a node that waits for none. */
  level: number;
  weight: number;
  after: WorkflowDependencyDto[];
  attempt: number;
  error_code: string | null;
  error_message: string | null;
  @ApiProperty({ type: Date, nullable: true })
  started_at: Date | null;
  @ApiProperty({ type: Date, nullable: true })
  completed_at: Date | null;
}

export class WorkflowGraphDto extends WorkflowDto {
  /** In the order in which they were given. */
  nodes: WorkflowNodeDto[];
}

export class WorkflowPageDto {
  items: WorkflowDto[];
  next_cursor: string | null;
}

const fieldsOf = (workflow: Workflow) => ({
  id: workflow.id,
  name: workflow.name,
  status: workflow.status,
  progress: workflow.progress,
  eta: workflow.eta,
  counts: workflow.counts,
  requested_by: workflow.requestedBy,
  cancel_requested_at: workflow.cancelRequestedAt,
  created_at: workflow.createdAt,
  updated_at: workflow.updatedAt,
  completed_at: workflow.completedAt,
});

export const toWorkflowDto = (workflow: Workflow): WorkflowDto => fieldsOf(workflow);

export const toWorkflowGraphDto = (workflow: Workflow, nodes: readonly WorkflowNode[]): WorkflowGraphDto => ({
  ...fieldsOf(workflow),
  nodes: nodes.map((node) => ({
    name: node.name,
    task_id: node.taskId,
    type: node.type,
    status: node.status,
    level: node.level,
    weight: node.weight,
    after: node.after.map(({ node: name, onFailure }) => ({ node: name, on_failure: onFailure })),
    attempt: node.attempt,
    error_code: node.errorCode,
    error_message: node.errorMessage,
    started_at: node.startedAt,
    completed_at: node.completedAt,
  })),
});
