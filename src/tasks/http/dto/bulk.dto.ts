import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsUUID, Min, ValidateNested } from 'class-validator';
import { BULK_ACTIONS, type Bulk, type BulkAction, CONFIRMABLE_MS } from '../../bulk/bulk.js';
import type { Task } from '../../task.js';
import { toTaskDto } from '../task-json.js';
import { TaskDto } from './task.dto.js';
import { TaskFilterDto } from './task-filter.dto.js';

export class BulkRequestDto {
  /** What to do. `retry` acts on failed and cancelled tasks, `delete` on finished ones, with their history. */
  @IsIn(BULK_ACTIONS)
  @ApiProperty({ enum: BULK_ACTIONS })
  action: BulkAction;

  /**
   * To which tasks, of those that are not batches of another; batches follow their task. At least one field. May be left out
   * with a `token`.
   */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => TaskFilterDto)
  filter?: TaskFilterDto;

  /** true: only show what would be done, and give a token for doing it. */
  @IsOptional()
  @IsBoolean()
  dry_run?: boolean = true;

  /** With `dry_run: false`: of the dry run. What it chose is what is done, as far as it still is as it was. */
  @IsOptional()
  @IsUUID()
  token?: string;

  /** With `dry_run: false`, in the place of a token: how many tasks there must be; with another number nothing is done. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @ApiPropertyOptional()
  expected_count?: number;
}

/** An operation on many tasks, as it is planned, under way or done. */
export class BulkDto {
  /** Confirms the operation, and finds it again. */
  token: string;
  @ApiProperty({ enum: BULK_ACTIONS })
  action: BulkAction;
  /** true: nothing has been done. */
  dry_run: boolean;
  /** How many tasks it acts on. */
  count: number;
  /** false: more match than one operation takes; ask again when it is done. */
  is_complete: boolean;
  /** Some of the tasks, the newest first; of a dry run only. */
  @ApiProperty({ type: [TaskDto] })
  sample: TaskDto[];
  requested_by: string;
  planned_at: Date;
  /** Until when it can be confirmed; null once it was. */
  expires_at: Date | null;
  confirmed_at: Date | null;
  /** Tasks dealt with so far. */
  processed: number;
  /** Those that were changed; the others had changed by themselves since the dry run, or cannot be at present. */
  changed: number;
  finished_at: Date | null;
  /** The task that carries it out, when it is too large for a request. */
  task_id: string | null;
}

export const toBulkDto = (bulk: Bulk, sample: readonly Task[] = [], taskId: string | null = null): BulkDto => ({
  token: bulk.id,
  action: bulk.action,
  dry_run: bulk.confirmedAt === null,
  count: bulk.taskCount,
  is_complete: bulk.isComplete,
  sample: sample.map(toTaskDto),
  requested_by: bulk.plannedBy,
  planned_at: bulk.plannedAt,
  expires_at: bulk.confirmedAt === null ? new Date(bulk.plannedAt.getTime() + CONFIRMABLE_MS) : null,
  confirmed_at: bulk.confirmedAt,
  processed: bulk.processed,
  changed: bulk.changed,
  finished_at: bulk.finishedAt,
  task_id: taskId,
});
