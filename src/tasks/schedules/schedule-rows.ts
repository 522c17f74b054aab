import type { TaskStatus } from '../task-state.js';
import type { CatchUp, LastTask, Overlap, Schedule, Tick, TickOutcome } from './schedule.js';

export interface ScheduleRow {
  id: string;
  name: string;
  description: string | null;
  task_type: string;
  task_version: number;
  params: object;
  cron: string;
  time_zone: string;
  catch_up: CatchUp['policy'];
  catch_up_max: number;
  overlap: Overlap;
  priority: number | null;
  start_within_ms: number | null;
  next_tick_at: Date | null;
  paused_at: Date | null;
  paused_by: string | null;
  created_at: Date;
  created_by: string;
  updated_at: Date;
  updated_by: string;
}

/** Times are text where the row comes as JSON. */
export interface TickRow {
  schedule_id: string;
  tick_at: Date | string;
  cause: Tick['cause'];
  outcome: TickOutcome;
  task_id: string | null;
  missed_from: Date | string | null;
  error_code: string | null;
  error_message: string | null;
  decided_at: Date | string;
}

export interface ViewRow extends ScheduleRow {
  last_tick: TickRow | null;
  last_task: LastTaskRow | null;
  waiting: number;
}

interface LastTaskRow {
  id: string;
  status: TaskStatus;
  created_at: string;
  completed_at: string | null;
  error_code: string | null;
  error_message: string | null;
}

export const scheduleOf = (row: ScheduleRow): Schedule => ({
  id: row.id,
  name: row.name,
  description: row.description,
  taskType: row.task_type,
  taskVersion: row.task_version,
  params: row.params,
  cron: row.cron,
  timeZone: row.time_zone,
  catchUp: { policy: row.catch_up, max: row.catch_up_max },
  overlap: row.overlap,
  priority: row.priority,
  startWithinMs: row.start_within_ms,
  nextTickAt: row.next_tick_at,
  pausedAt: row.paused_at,
  pausedBy: row.paused_by,
  createdAt: row.created_at,
  createdBy: row.created_by,
  updatedAt: row.updated_at,
  updatedBy: row.updated_by,
});

export const tickOf = (row: TickRow): Tick => ({
  at: new Date(row.tick_at),
  cause: row.cause,
  outcome: row.outcome,
  taskId: row.task_id,
  missedFrom: row.missed_from === null ? null : new Date(row.missed_from),
  errorCode: row.error_code,
  errorMessage: row.error_message,
  decidedAt: new Date(row.decided_at),
});

export const lastTaskOf = (row: LastTaskRow): LastTask => ({
  id: row.id,
  status: row.status,
  createdAt: new Date(row.created_at),
  completedAt: row.completed_at === null ? null : new Date(row.completed_at),
  errorCode: row.error_code,
  errorMessage: row.error_message,
});
