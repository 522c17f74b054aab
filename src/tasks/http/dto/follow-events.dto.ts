import { PickType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsOptional, IsUUID } from 'class-validator';
import type { EventFilter } from '../../events/event-filter.js';
import { TaskFilterDto, toTaskFilter } from './task-filter.dto.js';

/** More ids are better asked for by their parent, workflow or type. */
const MOST_TASKS = 100;

const isTrue = ({ value }: { value: unknown }): unknown =>
  value === 'true' ? true : value === 'false' ? false : value;

/** Which events somebody wants. */
export class FollowEventsDto extends PickType(TaskFilterDto, ['status', 'type', 'queue'] as const) {
  /** Only these tasks: up to 100 ids, with commas. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase().split(',') : value))
  @IsArray()
  @ArrayMaxSize(MOST_TASKS)
  @IsUUID(undefined, { each: true })
  task?: string[];

  /** Only the batches of this task. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))
  @IsUUID()
  parent?: string;

  /** Only the nodes of this workflow. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))
  @IsUUID()
  workflow?: string;

  /** Only tasks that are not batches of another. */
  @IsOptional()
  @Transform(isTrue)
  @IsBoolean()
  top_level?: boolean;

  /** Also `task.progress` of running tasks, once a second at most. */
  @IsOptional()
  @Transform(isTrue)
  @IsBoolean()
  progress?: boolean;
}

export function toEventFilter({ task, parent, workflow, top_level: topLevel, ...asked }: FollowEventsDto): EventFilter {
  const { statuses, types, queue } = toTaskFilter(asked);
  return { statuses, types, queue, taskIds: task, parentId: parent, workflowId: workflow, topLevel };
}
