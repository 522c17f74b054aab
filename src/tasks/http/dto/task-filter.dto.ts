import { IsOptional, IsString, MaxLength } from 'class-validator';
import { IsPointInTime } from '../../../platform/http/is-point-in-time.js';
import { timeOf } from '../../../platform/http/time-of.js';
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

/** In a body what is null is left out, too. */
type Asked = { readonly [Field in keyof Selection]: Selection[Field] | null };

export const toTaskFilter = (asked: Asked): TaskFilter => ({
  statuses: asked.status ? statusesOf(asked.status.split(',')) : undefined,
  types: words(asked.type ?? asked.task_type)?.map((type) => type.toLowerCase()),
  queue: asked.queue ?? undefined,
  parentId: asked.parent ?? undefined,
  topLevel: asked.top_level ?? undefined,
  text: asked.text ?? undefined,
  createdFrom: timeOf(asked.created_from),
  createdTo: timeOf(asked.created_to),
});

const words = (text: string | null | undefined): string[] | undefined =>
  text ? text.split(',').map((word) => word.trim()) : undefined;
