import { ApiProperty } from '@nestjs/swagger';
import {
  IsBoolean,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { AnyText } from '../../../platform/http/any-text.js';
import { IsPointInTime } from '../../../platform/http/is-point-in-time.js';
import { HIGHEST_PRIORITY, LOWEST_PRIORITY } from '../../priority-range.js';

export class CreateTaskDto {
  /**
   * Which kind of work, in any letter case; `/task-types` lists them.
   * @example "analyze"
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  type: string;

  /** The input; what it may hold is up to the type. */
  @IsOptional()
  @IsObject()
  @AnyText()
  @ApiProperty({ type: 'object', additionalProperties: true })
  params?: Record<string, unknown>;

  /** For people; the type's title when left out. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  name?: string;

  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  description?: string;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  domain?: string;

  @IsOptional()
  @IsNumber({ allowInfinity: false, allowNaN: false })
  drift_score?: number;

  /** false: it waits, `created`, until it is run. */
  @IsOptional()
  @IsBoolean()
  run_immediately?: boolean = true;

  /** Higher goes first. */
  @IsOptional()
  @IsInt()
  @Min(LOWEST_PRIORITY)
  @Max(HIGHEST_PRIORITY)
  priority?: number;

  /** Not before this time. */
  @IsOptional()
  @IsPointInTime()
  @ApiProperty({ format: 'date-time' })
  run_at?: string;

  /** Fails it with `deadline_passed` when it has not started by this time, which lies in the future and after `run_at`. */
  @IsOptional()
  @IsPointInTime()
  @ApiProperty({ format: 'date-time' })
  start_by?: string;

  /** Admits one unfinished task of this type: a second request gets the first one's id. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(500)
  dedup_key?: string;

  /** Kept with the task, not looked at. */
  @IsOptional()
  @IsObject()
  @ApiProperty({ type: 'object', additionalProperties: true })
  task_metadata?: Record<string, unknown>;
}
