import { encodeCursor } from '../../platform/http/cursor.js';
import type { TaskPage } from '../listing/task-lister.js';
import type { Task, TaskEvent } from '../task.js';
import type { TaskAttemptDto, TaskDto, TaskEventDto, TaskPageDto, TaskStatusDto } from './dto/task.dto.js';

// Apart from the classes, which bring their documentation along: commands print the same JSON and start quicker without.

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

export const toTaskPageDto = ({ tasks, after, total, totalIsEstimate }: TaskPage): TaskPageDto => ({
  items: tasks.map(toTaskDto),
  total,
  total_is_estimate: totalIsEstimate,
  next_cursor: after === null ? null : encodeCursor([after]),
});

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
