import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  Validate,
  ValidateNested,
  type ValidationArguments,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { PageQueryDto } from '../../../platform/http/dto/page.dto.js';
import { type Condition, CONDITION_SHAPE, conditionProblem } from '../../workflows/condition.js';
import { FAILURE_POLICIES, type FailurePolicy } from '../../workflows/ripple.js';
import { MAX_NODES, type WorkflowSpec } from '../../workflows/workflow-plan.js';
import {
  NODE_STATUSES,
  type NodeStatus,
  type Workflow,
  WORKFLOW_STATUSES,
  type WorkflowNode,
  type WorkflowStatus,
} from '../../workflows/workflow.js';
import { HIGHEST_PRIORITY, LOWEST_PRIORITY } from '../../priority-range.js';
import { IsTextOfStatuses } from '../status-words.js';

/** That a node runs after another one. */
export class WorkflowDependencyDto {
  node: string;
  /** What becomes of this node when that one fails or is cancelled. */
  @ApiProperty({ enum: FAILURE_POLICIES, required: false, default: 'fail' })
  on_failure?: FailurePolicy;
}

@ValidatorConstraint({ name: 'dependency' })
class DependencyRule implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return dependencyProblem(value) === undefined;
  }

  /** Of the whole list: the rule is for each entry, the field that is refused is `after`. */
  defaultMessage({ value }: ValidationArguments): string {
    const problems = (Array.isArray(value) ? value : []).map(dependencyProblem);
    const nth = problems.findIndex((problem) => problem !== undefined);
    return nth < 0 ? 'must be a list' : `has an entry, number ${String(nth)}, that ${String(problems[nth])}`;
  }
}

/** What is wrong with an entry of `after`. */
function dependencyProblem(value: unknown): string | undefined {
  if (typeof value === 'string') return undefined;
  if (typeof value !== 'object' || value === null) return 'is neither the name of a node nor an object';
  const { node, on_failure: policy = 'fail', ...more } = value as Record<string, unknown>;
  const [unknown] = Object.keys(more);
  if (typeof node !== 'string') return 'names no node: "node" must be the name of one';
  if (unknown !== undefined) return `has the unknown field ${shown(unknown)}; it may have "node" and "on_failure"`;
  if (FAILURE_POLICIES.some((one) => one === policy)) return undefined;
  return `has the on_failure ${shown(policy)}; it must be one of ${FAILURE_POLICIES.join(', ')}`;
}

const shown = (value: unknown): string => JSON.stringify(value).slice(0, 100);

const DEPENDENCY_SHAPE = `the name of a node, or {"node": …, "on_failure": one of ${FAILURE_POLICIES.join(', ')}}`;

@ValidatorConstraint({ name: 'condition' })
class ConditionRule implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return conditionProblem(value) === undefined;
  }

  defaultMessage(): string {
    return `must be ${CONDITION_SHAPE}`;
  }
}

/** One task of a workflow. */
@ApiExtraModels(WorkflowDependencyDto)
export class WorkflowNodeInputDto {
  /**
   * Unique within the workflow.
   * @example "thumbnails"
   */
  @IsString()
  @MaxLength(100)
  name: string;

  /** Which kind of work, in any letter case; `/task-types` lists them. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  type: string;

  /**
   * The input; what it may hold is up to the type. `{"$from": "node", "path": "/json/pointer"}`, at any depth, stands for
   * something out of the result of a node that this one runs after.
   */
  @IsOptional()
  @IsObject()
  @ApiProperty({ type: 'object', additionalProperties: true })
  params?: Record<string, unknown>;

  /** The nodes that must have ended before it starts: names, or objects that say what their failure means. */
  @IsOptional()
  @IsArray()
  @Validate(DependencyRule, { each: true, context: { allowed: DEPENDENCY_SHAPE } })
  @ApiProperty({
    type: 'array',
    items: { oneOf: [{ type: 'string' }, { $ref: getSchemaPath(WorkflowDependencyDto) }] },
  })
  after?: (string | WorkflowDependencyDto)[];

  /** It is skipped when this holds of the result of a node that it runs after: `{"node": "scan", "path": "/found", "equals": 0}`. */
  @IsOptional()
  @Validate(ConditionRule, { context: { allowed: CONDITION_SHAPE } })
  @ApiProperty({ type: 'object', additionalProperties: true })
  skip_if?: Record<string, unknown>;

  /** Its share of the workflow's progress. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  weight?: number = 1;

  /** Higher goes first. */
  @IsOptional()
  @IsInt()
  @Min(LOWEST_PRIORITY)
  @Max(HIGHEST_PRIORITY)
  priority?: number;

  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  description?: string;
}

export class StartWorkflowDto {
  /** For people. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  name?: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_NODES)
  @ValidateNested({ each: true })
  @Type(() => WorkflowNodeInputDto)
  nodes: WorkflowNodeInputDto[];
}

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

export const toWorkflowSpec = ({ name, nodes }: StartWorkflowDto): WorkflowSpec => ({
  name,
  nodes: nodes.map((node) => ({
    name: node.name,
    type: node.type,
    params: node.params ?? undefined,
    after: node.after?.map((one) => (typeof one === 'string' ? one : { node: one.node, onFailure: one.on_failure })),
    skipIf: (node.skip_if ?? undefined) as Condition | undefined,
    weight: node.weight,
    priority: node.priority,
    description: node.description,
  })),
});

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
