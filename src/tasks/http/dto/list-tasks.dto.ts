import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, IsString, IsUUID, Max, MaxLength, Min } from 'class-validator';
import { TaskFilterDto } from './task-filter.dto.js';

export class ListTasksDto extends TaskFilterDto {
  /** The same as `type`, which goes before it. */
  @IsOptional()
  @IsString()
  @MaxLength(2_000)
  @ApiPropertyOptional({ deprecated: true })
  task_type?: string;

  /** Only the batches of this task. */
  @IsOptional()
  @IsUUID()
  parent?: string;

  /** Only tasks that are not batches of another. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  top_level?: boolean;

  /** At most this many items. */
  @ApiPropertyOptional()
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

  /**
   * Skips this many of the newest; not beside `cursor`, which is quicker on long lists. Refused where a page does not come
   * so far with a filter that matches few of many.
   */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  offset?: number;
}
