import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsNotEmpty, IsOptional, IsString } from 'class-validator';
import { MaxLength } from '../../platform/http/max-length.js';

export class CreateCatalogDto {
  /**
   * Unique, whatever the letter case.
   * @example "Family"
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  name: string;

  /**
   * Absolute paths of the folders to watch, with everything beneath them.
   * @example ["/photos"]
   */
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  @MaxLength(4_096, { each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  roots: string[];
}

export class UpdateCatalogDto {
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  name?: string;

  /** All folders to watch from now on. Images of folders that are left out count as missing; they are not forgotten. */
  @IsOptional()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  @MaxLength(4_096, { each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  roots?: string[];
}

export class CatalogRootDto {
  id: string;
  path: string;
  @ApiProperty({ enum: ['online', 'offline'] })
  state: 'online' | 'offline';
  /** `vanished`, `unreadable`, `empty` or `replaced`. */
  @ApiProperty({ type: String, nullable: true })
  offline_reason: string | null;
  state_since: Date;
}

export class ImageCountsDto {
  /** The file is there and has been read. */
  active: number;
  /** Found, not yet read. */
  pending: number;
  /** The file has gone. */
  missing: number;
  /** The folder has gone: its disk may be elsewhere. */
  offline: number;
}

/** A named library of photos under one or more folders. */
export class CatalogDto {
  id: string;
  name: string;
  roots: CatalogRootDto[];
  images: ImageCountsDto;
  created_at: Date;
  updated_at: Date;
}

export class CatalogPageDto {
  items: CatalogDto[];
  /** For the query parameter `cursor`; null on the last page. */
  next_cursor: string | null;
}

/** How far one kind of metadata is, in images whose file is there. */
export class KindCoverageDto {
  /** `checksum`, `metadata`, `dates`, `instants`, `camera`, `gps`, `geohash`, `thumbnails`. */
  kind: string;
  /** Could have it. */
  eligible: number;
  done: number;
  /** Looked at: the file does not say. */
  absent: number;
  /** Tried, with an error recorded. */
  failed: number;
  /** Still to be looked at. */
  gap: number;
  /** How much of what is eligible has been dealt with. */
  percentage: number;
}

export class FailureCountDto {
  @ApiProperty({ enum: ['analyze', 'thumbnails'] })
  phase: string;
  code: string;
  count: number;
}

export class CoverageDto {
  catalog_id: string;
  kinds: KindCoverageDto[];
  failures: FailureCountDto[];
}

export class PlannedPhaseDto {
  type: string;
  items: number;
  @ApiProperty({ type: [String] })
  depends_on: readonly string[];
  /** Phases of one group can run at the same time. */
  group: number;
  /** At the rate of the last runs; null before the first. */
  estimate_seconds: number | null;
}

export class PlanDto {
  catalog_id: string;
  phases: PlannedPhaseDto[];
  @ApiProperty({ type: [String] })
  critical_path: readonly string[];
  estimate_seconds: number | null;
}
