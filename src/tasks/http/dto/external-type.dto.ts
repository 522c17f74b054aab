import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { AnyText } from '../../../platform/http/any-text.js';
import type { LimitedDeclaration } from '../../external/external-type.js';
import { effectiveLimits } from '../../limits/limits.js';
import { HIGHEST_PRIORITY, LOWEST_PRIORITY } from '../../priority-range.js';
import { LimitsDto, limitsIn } from './limits.dto.js';

const NAME = /^[a-z][a-z0-9_.-]*$/;
const DAY_MS = 86_400_000;

/** Exponential backoff with full jitter: up to `first_delay_ms`, doubled with each attempt, up to `max_delay_ms`. */
export class ExternalRetryDto {
  /** How many attempts in all; 1 = never tried again. */
  @ApiPropertyOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  attempts = 5;

  @ApiPropertyOptional()
  @IsInt()
  @Min(0)
  @Max(DAY_MS)
  first_delay_ms = 10_000;

  /** At least `first_delay_ms`, whatever is sent. */
  @ApiPropertyOptional()
  @IsInt()
  @Min(0)
  @Max(DAY_MS)
  max_delay_ms = 3_600_000;
}

export class DeclareTypeDto {
  /**
   * Lower case; tasks are created with it as their `type`.
   * @example "raster.slope"
   */
  @IsString()
  @Matches(NAME)
  @MaxLength(100)
  name: string;

  /** Another one for another schema: those of a declared version never change. */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  version: number;

  /** For people: the name of a task of this type. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  title: string;

  /** JSON Schema (draft 2020-12, or draft-07 when `$schema` says so) of `params`: `type: object`, at most 64 KiB, no reference out of it. */
  @IsObject()
  @AnyText()
  @ApiProperty({ type: 'object', additionalProperties: true })
  input_schema: Record<string, unknown>;

  /** JSON Schema of the result; anything goes when it is left out. */
  @IsOptional()
  @IsObject()
  @AnyText()
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  result_schema?: Record<string, unknown>;

  @ApiPropertyOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => ExternalRetryDto)
  retry: ExternalRetryDto = new ExternalRetryDto();

  /** How long an attempt may take, however often its worker is heard of. */
  @ApiPropertyOptional()
  @IsInt()
  @Min(1_000)
  @Max(7 * DAY_MS)
  timeout_ms = 3_600_000;

  /** One of its own by default, called as the type is. */
  @IsOptional()
  @IsString()
  @Matches(NAME)
  @MaxLength(100)
  queue?: string;

  /** Higher goes first. */
  @ApiPropertyOptional()
  @IsInt()
  @Min(LOWEST_PRIORITY)
  @Max(HIGHEST_PRIORITY)
  priority = 0;

  /** How much of it may run at once and how fast, over all workers and versions; none when left out. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => LimitsDto)
  @ApiPropertyOptional({ type: LimitsDto })
  limits?: LimitsDto;

  /** The field of `params` whose value is what `limits.concurrency_per_key` counts a task under. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(100)
  concurrency_key?: string;
}

/** A declared type. */
export class DeclaredTypeDto {
  name: string;
  version: number;
  queue: string;
  /** false: this version was declared before. */
  created: boolean;
}

export const declarationIn = (body: DeclareTypeDto): LimitedDeclaration => ({
  name: body.name,
  version: body.version,
  title: body.title,
  queue: body.queue ?? body.name,
  priority: body.priority,
  maxAttempts: body.retry.attempts,
  firstDelayMs: body.retry.first_delay_ms,
  maxDelayMs: Math.max(body.retry.first_delay_ms, body.retry.max_delay_ms),
  timeoutMs: body.timeout_ms,
  inputSchema: body.input_schema,
  resultSchema: body.result_schema ?? null,
  concurrencyKey: body.concurrency_key ?? null,
  limits: effectiveLimits({}, limitsIn(body.limits ?? {})),
});
