import { ApiProperty } from '@nestjs/swagger';
import { ANY_JSON } from '../../../platform/http/any-json.js';
import { TASK_STATUSES, type TaskStatus } from '../../task-state.js';

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
  @ApiProperty(ANY_JSON)
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
  /** How many there are; on the first page of lists that count. */
  total?: number;
  /** true: `total` was too large to count, and is estimated. */
  total_is_estimate?: boolean;
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
  @ApiProperty(ANY_JSON)
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
  /** Why: `claimed`, `backoff`, `released`, `parked`, `worker_lost`, … */
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
  /** How it ended: `completed`, `failed`, `cancelled`, `backoff`, `released`, `parked`, `worker_lost`, `quarantined`; null while it runs. */
  outcome: string | null;
  error_code: string | null;
  error_category: string | null;
  error_message: string | null;
}

export class TaskAttemptListDto {
  items: TaskAttemptDto[];
}
