import { Transform, Type } from 'class-transformer';
import {
  IsBoolean,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  IsUUID,
  Max,
  MaxLength,
  Min,
  Validate,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { STATUS_WORDS, statusesMeantBy } from '../../task-state.js';

@ValidatorConstraint({ name: 'statusWords' })
class StatusWords implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'string' && value.split(',').every((word) => statusesMeantBy(word.trim()) !== undefined);
  }

  defaultMessage(): string {
    return `must be one of ${STATUS_WORDS.join(', ')}, or several of them with commas`;
  }
}

export class ListTasksDto {
  /**
   * Only tasks in this status; several with commas, any letter case. `pending` means created or queued, `succeeded` completed.
   * @example "running"
   */
  @IsOptional()
  @Validate(StatusWords)
  status?: string;

  /** Only tasks of this type; several with commas. */
  @IsOptional()
  @IsString()
  @MaxLength(2_000)
  type?: string;

  /** The same as `type`. */
  @IsOptional()
  @IsString()
  @MaxLength(2_000)
  task_type?: string;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  queue?: string;

  /** Only the batches of this task. */
  @IsOptional()
  @IsUUID()
  parent?: string;

  /** Only tasks that are not batches of another. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  top_level?: boolean;

  /** In name or description, any letter case. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  text?: string;

  /** Created at this time or later. */
  @IsOptional()
  @IsISO8601({ strict: true })
  created_from?: string;

  /** Created before this time. */
  @IsOptional()
  @IsISO8601({ strict: true })
  created_to?: string;

  /** At most this many items. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit = 20;

  /** `next_cursor` of the page before; left out for the first page. */
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  cursor?: string;

  /** Skips this many; `cursor` is quicker on long lists. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  offset?: number;
}
