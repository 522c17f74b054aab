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
import { IsPointInTime } from '../../../platform/http/is-point-in-time.js';
import { timeOf } from '../../../platform/http/time-of.js';
import { HIGHEST_PRIORITY, LOWEST_PRIORITY } from '../../priority-range.js';
import { type Condition, CONDITION_SHAPE, conditionProblem } from '../../workflows/condition.js';
import { FAILURE_POLICIES, type FailurePolicy } from '../../workflows/ripple.js';
import { MAX_NODES, type WorkflowSpec } from '../../workflows/workflow-plan.js';

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

  /** Not before this time, however early those that it runs after have ended. */
  @IsOptional()
  @IsPointInTime()
  @ApiProperty({ format: 'date-time' })
  run_at?: string;

  /** Fails it with `deadline_passed` when it has not started by this time, which lies in the future and after `run_at`. */
  @IsOptional()
  @IsPointInTime()
  @ApiProperty({ format: 'date-time' })
  start_by?: string;

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
    runAt: timeOf(node.run_at),
    startBy: timeOf(node.start_by),
    description: node.description,
  })),
});
