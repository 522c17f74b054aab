import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';
import type { TaskStats, TypeStats } from '../../stats/task-stats.js';

export class TaskStatsQueryDto {
  /** Over how many minutes finished tasks are counted. */
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(44_640)
  @ApiPropertyOptional()
  minutes = 60;
}

/** One type of task: what there is to do, and how it has been going. */
export class TypeStatsDto {
  type: string;
  created: number;
  queued: number;
  /** Of the queued ones: their time has not come. */
  delayed: number;
  running: number;
  /** Of the running ones: they wait for their batches. */
  waiting: number;
  /** Since when the oldest one that could be taken has been in the queue. */
  oldest_queued_at: Date | null;
  oldest_started_at: Date | null;
  completed: number;
  failed: number;
  cancelled: number;
  /** Tasks that ended, a minute. */
  per_minute: number;
  /** From being created to being started, of completed tasks, in seconds. */
  average_wait_s: number | null;
  average_run_s: number | null;
}

export class TaskStatsDto {
  as_of: Date;
  /** Of finished tasks, those that were created since count: what was asked for, or less when there were too many. */
  since: Date;
  types: TypeStatsDto[];
}

export const toTaskStatsDto = ({ now, since, types }: TaskStats): TaskStatsDto => ({
  as_of: now,
  since,
  types: types.map(toTypeStatsDto),
});

const toTypeStatsDto = (stats: TypeStats): TypeStatsDto => ({
  type: stats.type,
  created: stats.created,
  queued: stats.queued,
  delayed: stats.delayed,
  running: stats.running,
  waiting: stats.waiting,
  oldest_queued_at: stats.oldestQueuedAt,
  oldest_started_at: stats.oldestStartedAt,
  completed: stats.completed,
  failed: stats.failed,
  cancelled: stats.cancelled,
  per_minute: stats.perMinute,
  average_wait_s: stats.averageWaitS,
  average_run_s: stats.averageRunS,
});
