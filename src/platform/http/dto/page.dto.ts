import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

/** Query parameters of every list. */
export class PageQueryDto {
  /** At most this many items. */
  @ApiPropertyOptional()
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  limit = 50;

  /** `next_cursor` of the page before; left out for the first page. */
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  cursor?: string;
}
