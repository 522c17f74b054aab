import { ApiProperty } from '@nestjs/swagger';
import {
  CATCH_UP_POLICIES,
  type CatchUp,
  type LastTask,
  OVERLAP_POLICIES,
  type Overlap,
  type ScheduleView,
  type Tick,
  TICK_OUTCOMES,
  type TickOutcome,
} from '../../schedules/schedule.js';
import { TASK_STATUSES, type TaskStatus } from '../../task-state.js';

const CAUSES = ['tick', 'manual'] as const;

/** What became of a tick. */
export class ScheduleTickDto {
  /** When it was due; of a run by hand, when it was asked for. */
  at: Date;
  @ApiProperty({ enum: CAUSES })
  cause: (typeof CAUSES)[number];
  /**
   * `started` a task; `joined` an unfinished one with the same dedup key; `waiting` for the task before it; `overlapped` that
   * one, and was left out; `missed`, because nobody was there; `refused`, see `error_code`.
   */
  @ApiProperty({ enum: TICK_OUTCOMES })
  outcome: TickOutcome;
  task_id: string | null;
  /** With `missed`: the first of all the ticks, up to this one, that were missed. */
  missed_from: Date | null;
  error_code: string | null;
  error_message: string | null;
  decided_at: Date;
}

export class ScheduleTickPageDto {
  items: ScheduleTickDto[];
  next_cursor: string | null;
}

export class ScheduleTaskDto {
  id: string;
  @ApiProperty({ enum: TASK_STATUSES })
  status: TaskStatus;
  created_at: Date;
  completed_at: Date | null;
  error_code: string | null;
  error_message: string | null;
}

export class ScheduleProblemDto {
  code: string;
  message: string;
}

/** Starts a task again and again. */
export class ScheduleDto {
  id: string;
  name: string;
  description: string | null;
  /** Which kind of task it starts. */
  type: string;
  /** The same as `type`. */
  @ApiProperty({ deprecated: true })
  task_type: string;
  /** The input of each task. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  params: object;
  cron: string;
  time_zone: string;
  @ApiProperty({ enum: CATCH_UP_POLICIES })
  catch_up: CatchUp['policy'];
  catch_up_max: number;
  @ApiProperty({ enum: OVERLAP_POLICIES })
  overlap: Overlap;
  /** Of its tasks; null: that of their type. */
  priority: number | null;
  /** How long a task may wait for its start before it fails with `deadline_passed`; null: for ever. */
  start_within_ms: number | null;
  paused: boolean;
  paused_at: Date | null;
  paused_by: string | null;
  /** The next five; none while it is paused. */
  next_fire_times: Date[];
  last_tick: ScheduleTickDto | null;
  /** The last task that it has started, as it stands. */
  last_task: ScheduleTaskDto | null;
  /** Ticks that wait for the task before them. */
  waiting_ticks: number;
  /** Why its next tick would be refused: the task type is gone, or no longer takes these params. */
  problem: ScheduleProblemDto | null;
  created_at: Date;
  created_by: string;
  updated_at: Date;
  updated_by: string;
}

export class SchedulePageDto {
  items: ScheduleDto[];
  next_cursor: string | null;
}

export class SchedulePreviewDto {
  cron: string;
  time_zone: string;
  fire_times: Date[];
}

export function toScheduleDto(view: ScheduleView): ScheduleDto {
  return {
    id: view.id,
    name: view.name,
    description: view.description,
    type: view.taskType,
    task_type: view.taskType,
    params: view.params,
    cron: view.cron,
    time_zone: view.timeZone,
    catch_up: view.catchUp.policy,
    catch_up_max: view.catchUp.max,
    overlap: view.overlap,
    priority: view.priority,
    start_within_ms: view.startWithinMs,
    paused: view.pausedAt !== null,
    paused_at: view.pausedAt,
    paused_by: view.pausedBy,
    next_fire_times: [...view.nextTicks],
    last_tick: view.lastTick ? toTickDto(view.lastTick) : null,
    last_task: view.lastTask ? toScheduleTaskDto(view.lastTask) : null,
    waiting_ticks: view.waiting,
    problem: view.problem ?? null,
    created_at: view.createdAt,
    created_by: view.createdBy,
    updated_at: view.updatedAt,
    updated_by: view.updatedBy,
  };
}

export const toTickDto = (tick: Tick): ScheduleTickDto => ({
  at: tick.at,
  cause: tick.cause,
  outcome: tick.outcome,
  task_id: tick.taskId,
  missed_from: tick.missedFrom,
  error_code: tick.errorCode,
  error_message: tick.errorMessage,
  decided_at: tick.decidedAt,
});

const toScheduleTaskDto = (task: LastTask): ScheduleTaskDto => ({
  id: task.id,
  status: task.status,
  created_at: task.createdAt,
  completed_at: task.completedAt,
  error_code: task.errorCode,
  error_message: task.errorMessage,
});
