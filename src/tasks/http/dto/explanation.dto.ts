import { ApiProperty } from '@nestjs/swagger';
import type { Explanation } from '../../explain/explain.service.js';
import type { Reason } from '../../explain/reason.js';
import { TASK_STATUSES, type TaskStatus } from '../../task-state.js';

export class ReasonDto {
  /** Stable: `workers_busy`, `retry_scheduled`, `waiting_for_children`, … */
  code: string;
  /** One sentence. */
  message: string;
  /** What happens if nobody does anything. */
  next: string | null;
  /** What a person can do. */
  advice: string | null;
  /** The figures behind the sentence; which ones is up to the code. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  facts: unknown;
}

/** Why a task is where it is, and what happens next. */
export class ExplanationDto {
  id: string;
  type: string;
  @ApiProperty({ enum: TASK_STATUSES })
  status: TaskStatus;
  /** The code of the weightiest reason. */
  code: string;
  /** The weightiest reason in one sentence. */
  summary: string;
  next: string | null;
  advice: string | null;
  /** All that holds, the weightiest first. */
  @ApiProperty({ type: [ReasonDto] })
  reasons: ReasonDto[];
  /** When this was so. */
  as_of: Date;
}

export function toExplanationDto({ task, reasons }: Explanation): ExplanationDto {
  const [first] = reasons;
  return {
    id: task.id,
    type: task.type,
    status: task.status,
    code: first.code,
    summary: first.message,
    next: first.next ?? null,
    advice: first.advice ?? null,
    reasons: reasons.map(toReasonDto),
    as_of: task.now,
  };
}

const toReasonDto = ({ code, message, next, advice, facts }: Reason): ReasonDto => ({
  code,
  message,
  next: next ?? null,
  advice: advice ?? null,
  facts,
});
