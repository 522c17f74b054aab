import { ApiProperty } from '@nestjs/swagger';
import { TASK_STATUSES, type TaskStatus } from '../../task-state.js';
import type { Task, TaskEvent } from '../../task.js';

/** A task: a unit of background work. */
export class TaskDto {
  /** UUID v7: later tasks have greater ids. */
  id: string;
  /** Which kind of work; see `/task-types`. */
  type: string;
  /** The same as `type`. */
  @ApiProperty({ deprecated: true })
  task_type: string;
  /** Version of the type that the input was written for. */
  version: number;
  /** For people. */
  name: string;
  description: string | null;
  domain: string | null;
  drift_score: number;
  /** The input. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  params: unknown;
  queue: string;
  @ApiProperty({ enum: TASK_STATUSES })
  status: TaskStatus;
  /** Running, but held by no worker: its batches are at work. */
  waiting: boolean;
  /** Higher goes first. */
  priority: number;
  /** Percent, rounded down. */
  progress: number;
  /** Items done. */
  processed: number;
  /** Items there are; null while that is not known. */
  total: number | null;
  /** When it should be done at the present rate. */
  eta: Date | null;
  /** What the work gave; any JSON. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  result: unknown;
  /** Where the result is when it is too large for a row. */
  result_ref: string | null;
  /** Stable code of the last failure. */
  error_code: string | null;
  /** `transient` is tried again, `permanent` is not. */
  error_category: string | null;
  error_message: string | null;
  /** The same as `error_message`. */
  @ApiProperty({ deprecated: true })
  error: string | null;
  /** Attempts begun in the present series; releases and crashes do not count. */
  attempt: number;
  max_attempts: number;
  /** How often the process that worked on it died. */
  crash_count: number;
  /** Not before this time. */
  run_at: Date;
  /** Fails if not started by this time. */
  start_by: Date | null;
  /** How long one attempt may take. */
  timeout_ms: number;
  dedup_key: string | null;
  parent_id: string | null;
  workflow_id: string | null;
  /** Who asked for it: `token:…`, `cli:…`, `schedule:…`, `task:…`. */
  requested_by: string;
  cancel_requested_at: Date | null;
  @ApiProperty({ type: 'object', additionalProperties: true })
  task_metadata: unknown;
  created_at: Date;
  queued_at: Date | null;
  started_at: Date | null;
  /** When it finished, however it ended. */
  completed_at: Date | null;
  updated_at: Date;
}

export class TaskPageDto {
  items: TaskDto[];
  /** For the query parameter `cursor`; null on the last page. */
  next_cursor: string | null;
}

export class TaskStatusDto {
  id: string;
  @ApiProperty({ enum: TASK_STATUSES })
  status: TaskStatus;
  updated_at: Date;
  error: string | null;
}

export class TaskResultDto {
  id: string;
  @ApiProperty({ enum: TASK_STATUSES })
  status: TaskStatus;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  result: unknown;
  result_ref: string | null;
}

/** One row of a task's audit trail. */
export class TaskEventDto {
  id: string;
  at: Date;
  @ApiProperty({ enum: TASK_STATUSES, nullable: true })
  from: TaskStatus | null;
  @ApiProperty({ enum: TASK_STATUSES })
  to: TaskStatus;
  /** Why: `claimed`, `backoff`, `released`, `worker_lost`, … */
  reason: string;
  /** Who did it. */
  actor: string;
  attempt: number;
  /** The attempt's fencing number. */
  fence: number;
  worker_id: string | null;
  error_code: string | null;
  error_category: string | null;
  error_message: string | null;
}

export class TaskEventPageDto {
  items: TaskEventDto[];
  next_cursor: string | null;
}

/** One attempt, from being claimed to being settled. */
export class TaskAttemptDto {
  attempt: number;
  fence: number;
  worker_id: string | null;
  started_at: Date;
  ended_at: Date | null;
  /** How it ended: `completed`, `failed`, `cancelled`, `backoff`, `released`, `worker_lost`, `quarantined`; null while it runs. */
  outcome: string | null;
  error_code: string | null;
  error_category: string | null;
  error_message: string | null;
}

export class TaskAttemptListDto {
  items: TaskAttemptDto[];
}

export function toTaskDto(task: Task): TaskDto {
  return {
    id: task.id,
    type: task.type,
    task_type: task.type,
    version: task.version,
    name: task.name,
    description: task.description,
    domain: task.domain,
    drift_score: task.driftScore,
    params: task.params,
    queue: task.queue,
    status: task.status,
    waiting: task.waiting,
    priority: task.priority,
    progress: task.progress,
    processed: task.processed,
    total: task.total,
    eta: task.eta,
    result: task.result,
    result_ref: task.resultRef,
    error_code: task.errorCode,
    error_category: task.errorCategory,
    error_message: task.errorMessage,
    error: task.errorMessage,
    attempt: task.attempt,
    max_attempts: task.maxAttempts,
    crash_count: task.crashCount,
    run_at: task.runAt,
    start_by: task.startBy,
    timeout_ms: task.timeoutMs,
    dedup_key: task.dedupKey,
    parent_id: task.parentId,
    workflow_id: task.workflowId,
    requested_by: task.requestedBy,
    cancel_requested_at: task.cancelRequestedAt,
    task_metadata: task.metadata,
    created_at: task.createdAt,
    queued_at: task.queuedAt,
    started_at: task.startedAt,
    completed_at: task.completedAt,
    updated_at: task.updatedAt,
  };
}

export const toTaskStatusDto = (task: Task): TaskStatusDto => ({
  id: task.id,
  status: task.status,
  updated_at: task.updatedAt,
  error: task.errorMessage,
});

export const toTaskEventDto = (event: TaskEvent): TaskEventDto => ({
  id: event.id,
  at: event.at,
  from: event.from,
  to: event.to,
  reason: event.reason,
  actor: event.actor,
  attempt: event.attempt,
  fence: event.fence,
  worker_id: event.workerId,
  error_code: event.errorCode,
  error_category: event.errorCategory,
  error_message: event.errorMessage,
});

/** Attempts as the audit trail tells them: a claim, and the next move of the task, which ends it. */
export function toAttemptDtos(events: readonly TaskEvent[]): TaskAttemptDto[] {
  return events.flatMap((event, i) => {
    if (event.reason !== 'claimed') return [];
    const end = events[i + 1];
    return [
      {
        attempt: event.attempt,
        fence: event.fence,
        worker_id: event.workerId,
        started_at: event.at,
        ended_at: end?.at ?? null,
        outcome: end?.reason ?? null,
        error_code: end?.errorCode ?? null,
        error_category: end?.errorCategory ?? null,
        error_message: end?.errorMessage ?? null,
      },
    ];
  });
}
