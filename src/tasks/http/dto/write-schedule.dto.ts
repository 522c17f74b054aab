import { ApiProperty, ApiPropertyOptional, IntersectionType, PartialType } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  type ValidationArguments,
} from 'class-validator';
import { MaxLength } from '../../../platform/http/max-length.js';
import { IsPointInTime } from '../../../platform/http/is-point-in-time.js';
import { HIGHEST_PRIORITY, LOWEST_PRIORITY } from '../../priority-range.js';
import {
  CATCH_UP_POLICIES,
  type CatchUp,
  LEAST_START_WITHIN_MS,
  MOST_START_WITHIN_MS,
  OVERLAP_POLICIES,
  type Overlap,
} from '../../schedules/schedule.js';

const trimmed = ({ value }: { value: unknown }): unknown => (typeof value === 'string' ? value.trim() : value);

interface TypeFields {
  readonly type?: unknown;
  readonly task_type?: unknown;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** Which of two types is meant nobody can tell; which of two letter cases does not matter. */
const IsNoOtherThanType = (): PropertyDecorator =>
  ValidateBy({
    name: 'noOtherThanType',
    validator: {
      validate: (value: unknown, of?: ValidationArguments) => {
        const { type } = (of?.object ?? {}) as TypeFields;
        return typeof type !== 'string' || String(value).toLowerCase() === type.toLowerCase();
      },
      defaultMessage: () => 'differs from type, whose old name it is: give only type',
    },
  });

/** An expression and the clocks that it is read on. */
class TimetableDto {
  /**
   * When it fires: minute, hour, day of month, month, day of week; with six fields, seconds come first. Or `@daily` and its like.
   * @example "30 3 * * mon-fri"
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  cron: string;

  /**
   * The zone whose clocks it goes by, as the IANA database names it; UTC when left out.
   * @example "Europe/Berlin"
   */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(100)
  time_zone?: string;
}

export class CreateScheduleDto extends TimetableDto {
  /**
   * What it is called, unlike any other in whatever letter case; its tasks are asked for by `schedule:<name>`.
   * @example "nightly thumbnails"
   */
  @Transform(trimmed)
  @IsString()
  @IsNotEmpty()
  @MaxLength(100)
  @Matches(/^[^\p{C}]*$/u)
  name: string;

  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  description?: string | null;

  /**
   * Which kind of task it starts, in any letter case; `/task-types` lists them. Needed, unless its old name is used.
   * @example "thumbnails"
   */
  @ValidateIf(({ type, task_type: oldName }: TypeFields) => isGiven(type) || !isGiven(oldName))
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  type?: string;

  /** The old name of `type`. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  @IsNoOtherThanType()
  @ApiPropertyOptional({ deprecated: true })
  task_type?: string;

  /** The input of each task, by the rules of its type. */
  @IsOptional()
  @IsObject()
  @ApiProperty({ type: 'object', additionalProperties: true })
  params?: Record<string, unknown>;

  /**
   * Ticks that nobody was there for: `skip` leaves them out, `latest` makes up for them with one task, `all` with one each,
   * up to `catch_up_max`. `latest` when left out.
   */
  @IsOptional()
  @IsIn(CATCH_UP_POLICIES)
  @ApiProperty({ enum: CATCH_UP_POLICIES })
  catch_up?: CatchUp['policy'];

  /** With `all`: only the last so many; 10 when left out. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1_000)
  catch_up_max?: number;

  /** A tick while the task of an earlier one is unfinished: `skip` leaves it out, `queue` lets it wait. `skip` when left out. */
  @IsOptional()
  @IsIn(OVERLAP_POLICIES)
  @ApiProperty({ enum: OVERLAP_POLICIES })
  overlap?: Overlap;

  /** Of its tasks: higher goes first. That of their type when left out or null. */
  @IsOptional()
  @IsInt()
  @Min(LOWEST_PRIORITY)
  @Max(HIGHEST_PRIORITY)
  priority?: number | null;

  /**
   * Fails a task with `deadline_passed` that has not started so long after it was added. It may wait for ever when left out
   * or null.
   */
  @IsOptional()
  @IsInt()
  @Min(LEAST_START_WITHIN_MS)
  @Max(MOST_START_WITHIN_MS)
  start_within_ms?: number | null;
}

/**
 * What is to change; what is left out or null stays. But null removes what a schedule may be without: description, priority,
 * start_within_ms.
 */
export class UpdateScheduleDto extends PartialType(CreateScheduleDto) {}

export class PreviewQueryDto {
  /** How many fire times. */
  @ApiPropertyOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000)
  count = 5;

  /** Those after this time; now when left out. */
  @IsOptional()
  @IsPointInTime()
  @Matches(/^(19[7-9]|2)\d+-/, { message: 'must lie between 1970 and 2999' })
  @ApiProperty({ format: 'date-time' })
  after?: string;
}

/** An expression that need not belong to a schedule. */
export class PreviewScheduleDto extends IntersectionType(TimetableDto, PreviewQueryDto) {}
