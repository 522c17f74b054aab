import { Type } from 'class-transformer';
import { IsInt, IsUUID, Max, Min } from 'class-validator';

export class ThumbnailParamsDto {
  @IsUUID()
  id: string;

  /** Longest side in pixels; `thumbnails` of an image lists those that are there. */
  @Type(() => Number)
  @IsInt()
  @Min(16)
  @Max(4_096)
  size: number;
}
