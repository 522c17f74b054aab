import { IsOptional, IsString, MaxLength } from 'class-validator';
import { IsPointInTime } from '../../../platform/http/is-point-in-time.js';
import type { TaskFilter } from '../../listing/task-filter.js';
import { IsTextOfStatuses, statusesOf } from '../status-words.js';

/** Which tasks: what lists and bulk operations have in common. */
export class TaskFilterDto {
  /**
   * Only tasks in this status; several with commas, any letter case. `pending` means created or queued, `succeeded` completed.
   * @example "running"
   */
  @IsOptional()
  @IsTextOfStatuses()
  status?: string;

  /** Only tasks of this type, in any letter case; several with commas. */
  @IsOptional()
  @IsString()
  @MaxLength(2_000)
  type?: string;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  queue?: string;

  /** In name or description, any letter case. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  text?: string;

  /** Created at this time or later. */
  @IsOptional()
  @IsPointInTime()
  created_from?: string;

  /** Created before this time. */
  @IsOptional()
  @IsPointInTime()
  created_to?: string;
}

/** What only lists take. */
interface Selection extends TaskFilterDto {
  readonly task_type?: string;
  readonly parent?: string;
  readonly top_level?: boolean;
}

export const toTaskFilter = (asked: Selection): TaskFilter => ({
  statuses: asked.status === undefined ? undefined : statusesOf(asked.status.split(',')),
  types: words(asked.type ?? asked.task_type)?.map((type) => type.toLowerCase()),
  queue: asked.queue,
  parentId: asked.parent,
  topLevel: asked.top_level,
  text: asked.text,
  createdFrom: asked.created_from === undefined ? undefined : new Date(asked.created_from),
  createdTo: asked.created_to === undefined ? undefined : new Date(asked.created_to),
});

const words = (text: string | undefined): string[] | undefined =>
  text === undefined || text === '' ? undefined : text.split(',').map((word) => word.trim());
