import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  IsUUID,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { JOB_TYPES } from '../rebuild.service.js';

/** What every job takes. */
export class StartJobDto {
  /** The catalogue; may be left out when there is only one. */
  @IsOptional()
  @IsUUID()
  catalog_id?: string;

  /** Do it all again, not only what is missing. */
  @IsOptional()
  @IsBoolean()
  force?: boolean;
}

export class StartThumbnailsDto extends StartJobDto {
  /** Longest sides in pixels; as configured when left out. */
  @IsOptional()
  @IsInt({ each: true })
  @Min(16, { each: true })
  @Max(4_096, { each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(8)
  @ArrayUnique()
  sizes?: number[];

  /** JPEG quality; as configured when left out. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  quality?: number;
}

export class ListJobsDto {
  /** Only jobs of this type. */
  @IsOptional()
  @IsIn(JOB_TYPES)
  @ApiProperty({ enum: JOB_TYPES })
  type?: (typeof JOB_TYPES)[number];

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
}
