import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  Allow,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  type ValidationArguments,
} from 'class-validator';
import { ANY_JSON } from '../../../platform/http/any-json.js';
import { AnyText } from '../../../platform/http/any-text.js';
import { type AttemptRef, attemptIdOf } from '../../external/attempt-ref.js';
import type { ExternalOutcome, Heartbeat, Report } from '../../external/external-attempts.service.js';
import type { Failure } from '../../retry-policy.js';

const LARGEST_COUNT = 1e12;
const DAY_MS = 86_400_000;

/** Only of totals in the same report: another may follow. */
const IsNoMoreThanTotal = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'noMoreThanTotal',
      validator: {
        validate: (value: unknown, of?: ValidationArguments) => {
          const { total } = (of?.object ?? {}) as ReportDto;
          return typeof total !== 'number' || Number(value) <= total;
        },
        defaultMessage: () => 'must not be more than total',
      },
    },
    { context: { allowed: 'at most total' } },
  );

/** Whatever is left out stays as it was. */
export class ReportDto {
  /** Items done so far; never goes backwards. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(LARGEST_COUNT)
  @IsNoMoreThanTotal()
  processed?: number;

  /** Items there are. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(LARGEST_COUNT)
  total?: number;

  /** Any JSON; reaches the next attempt, should there be one. */
  @Allow()
  @AnyText()
  @ApiPropertyOptional(ANY_JSON)
  checkpoint?: unknown;
}

export class HeartbeatDto {
  attempt_id: string;
  /** Somebody wants this task cancelled: stop, clean up, and release it. */
  cancel_requested: boolean;
  /** Every attempt of the same claim that is to be stopped so. */
  cancelled: string[];
  /** When the tasks of the claim go to others unless a heartbeat comes before. */
  lease_expires_at: Date;
  /** When the attempt is ended with `timeout`, heartbeats or not. */
  deadline_at: Date;
}

export class CompleteDto {
  /** Any JSON that fits the `result_schema` of the type. */
  @Allow()
  @AnyText()
  @ApiPropertyOptional(ANY_JSON)
  result?: unknown;
}

export class FailDto {
  /** `transient` is tried again while there are attempts, `permanent` is not. */
  @IsIn(['transient', 'permanent'])
  @ApiProperty({ enum: ['transient', 'permanent'] })
  category: 'transient' | 'permanent';

  /**
   * Stable, for machines.
   * @example "raster_unreadable"
   */
  @IsString()
  @Matches(/^[\w.-]+$/)
  @MaxLength(64)
  code: string;

  /** For people. */
  @IsString()
  @MaxLength(2_000)
  @AnyText()
  message: string;

  /** Not before this many milliseconds. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(DAY_MS)
  retry_after_ms?: number;
}

export class AttemptOutcomeDto {
  attempt_id: string;
  task_id: string;
  /** What became of the attempt. `retry`: the task will be tried again; `cancelled`: somebody had asked for that. */
  @ApiProperty({ enum: ['completed', 'failed', 'retry', 'released', 'cancelled'] })
  outcome: ExternalOutcome;
}

export const reportIn = ({ processed, total, checkpoint }: ReportDto): Report => ({
  processed: processed ?? undefined,
  total: total ?? undefined,
  checkpoint,
});

export const failureIn = ({ category, code, message, retry_after_ms }: FailDto): Failure => ({
  ...{ category, code, message },
  retryAfterMs: retry_after_ms ?? undefined,
});

export function toHeartbeatDto(ref: AttemptRef, beat: Heartbeat): HeartbeatDto {
  const cancelled = beat.cancelled.map(attemptIdOf);
  return {
    attempt_id: attemptIdOf(ref),
    cancel_requested: cancelled.includes(attemptIdOf(ref)),
    cancelled,
    lease_expires_at: beat.leaseExpiresAt,
    deadline_at: beat.deadlineAt,
  };
}

export const toOutcomeDto = (ref: AttemptRef, outcome: ExternalOutcome): AttemptOutcomeDto => ({
  attempt_id: attemptIdOf(ref),
  task_id: ref.taskId,
  outcome,
});
