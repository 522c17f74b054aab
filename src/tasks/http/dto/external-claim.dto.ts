import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { ANY_JSON } from '../../../platform/http/any-json.js';
import { AnyText } from '../../../platform/http/any-text.js';
import { ATTEMPT_ID, attemptIdOf, attemptRefOf } from '../../external/attempt-ref.js';
import type { Claimed, ClaimRequest } from '../../external/external-claims.service.js';
import type { ExternalAttempt } from '../../external/external-lanes.js';

/** A type that the worker does, in the versions that it knows. */
export class KnownTypeDto {
  /** @example "raster.slope" */
  @IsString()
  @MaxLength(100)
  name: string;

  /** @example [1] */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @IsInt({ each: true })
  @Min(1, { each: true })
  versions: number[];
}

/** What has a default may be left out, but not be null. */
export class ClaimDto {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @ValidateNested({ each: true })
  @Type(() => KnownTypeDto)
  types: KnownTypeDto[];

  /** At most this many tasks. Those of one answer share a lease, and are all of one queue. */
  @ApiPropertyOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  limit = 1;

  /** How long to wait for the first task; 0 answers at once. */
  @ApiPropertyOptional()
  @IsInt()
  @Min(0)
  @Max(60_000)
  wait_ms = 20_000;

  /** How long the worker may be silent before its tasks go to others. */
  @ApiPropertyOptional()
  @IsInt()
  @Min(2_000)
  @Max(600_000)
  lease_ms = 30_000;

  /** What the worker calls itself, for people: host and process, say. */
  @ApiPropertyOptional({ type: 'string' })
  @IsString()
  @MaxLength(200)
  @AnyText()
  worker = 'external';

  /** Attempts that it works on: when one is cancelled, the answer comes at once and says so in `stopped`; when one is lost, within seconds. */
  @ApiPropertyOptional({ type: [String] })
  @IsArray()
  @ArrayMaxSize(1_000)
  @Matches(ATTEMPT_ID, { each: true })
  holding: string[] = [];
}

/** A task to work on. */
export class ExternalAttemptDto {
  /** Names the attempt in every further call; it holds the fence that tells it from earlier and later ones. */
  attempt_id: string;
  task_id: string;
  type: string;
  /** Version of the type that `params` were checked against. */
  version: number;
  @ApiProperty({ type: 'object', additionalProperties: true })
  params: object;
  /** What the last attempt saved; null when there is none. */
  @ApiProperty(ANY_JSON)
  checkpoint: unknown;
  /** 1 on the first try; releases and crashes do not count. */
  attempt: number;
  max_attempts: number;
  /** How often a worker of it went silent. */
  crash_count: number;
  processed: number;
  total: number | null;
  priority: number;
  requested_by: string;
  timeout_ms: number;
  /** When the attempt is ended with `timeout`. */
  deadline_at: Date;
}

export class ClaimedDto {
  attempts: ExternalAttemptDto[];
  /** When the tasks go to others unless a heartbeat names one of the attempts before; null without any. */
  lease_expires_at: Date | null;
  /** How often to send one, at least. */
  heartbeat_ms: number;
  /** Those of `holding` that were cancelled, or that are not the worker's any more. */
  stopped: string[];
}

export const claimRequestIn = (body: ClaimDto, actor: string): ClaimRequest => ({
  types: body.types.map(({ name, versions }) => ({ name: name.toLowerCase(), versions })),
  limit: body.limit,
  waitMs: body.wait_ms,
  leaseMs: body.lease_ms,
  worker: body.worker.replaceAll('\0', ''),
  holding: body.holding.map(attemptRefOf),
  actor,
});

export const toClaimedDto = ({ attempts, disturbed }: Claimed, leaseMs: number): ClaimedDto => ({
  attempts: attempts.map(toExternalAttemptDto),
  lease_expires_at: attempts[0]?.lease_expires_at ?? null,
  heartbeat_ms: Math.floor(leaseMs / 3),
  stopped: disturbed.map(attemptIdOf),
});

const toExternalAttemptDto = (row: ExternalAttempt): ExternalAttemptDto => ({
  attempt_id: attemptIdOf({ taskId: row.id, fence: row.fence }),
  task_id: row.id,
  type: row.type,
  version: row.version,
  params: row.params,
  checkpoint: row.checkpoint,
  attempt: row.attempt,
  max_attempts: row.max_attempts,
  crash_count: row.crash_count,
  processed: Number(row.processed),
  total: row.total === null ? null : Number(row.total),
  priority: row.priority,
  requested_by: row.requested_by,
  timeout_ms: row.timeout_ms,
  deadline_at: new Date(row.started_at.getTime() + row.timeout_ms),
});
