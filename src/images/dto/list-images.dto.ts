import { Transform } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  MaxLength,
  Validate,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { type BoundingBox, IMAGE_SORTS, type ImageFilter, type ImageOrder, type ImageSort } from '../image-query.js';
import { IMAGE_STATES, isImageState } from '../scan/compare-folder.js';

const STATES = new RegExp(`^(${IMAGE_STATES.join('|')})(,(${IMAGE_STATES.join('|')}))*$`);

const yesOrNo = ({ value }: { value: unknown }): unknown =>
  value === 'true' ? true : value === 'false' ? false : value;

/** A day or a wall-clock time, ISO without a zone. */
const LOCAL_TIME = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?)?$/;
const LOCAL_TIME_ALLOWED = {
  context: { allowed: 'a day (2024-05-01) or a local time without a zone (2024-05-01T18:30:00)' },
};

const boxOf = (text: string): readonly number[] =>
  text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));

@ValidatorConstraint({ name: 'boundingBox' })
class IsBoundingBox implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    const box = typeof value === 'string' ? boxOf(value) : [];
    const [west = Number.NaN, south = Number.NaN, east = Number.NaN, north = Number.NaN] = box;
    return (
      box.length === 4 &&
      Math.abs(west) <= 180 &&
      Math.abs(east) <= 180 &&
      south >= -90 &&
      north <= 90 &&
      south <= north
    );
  }

  defaultMessage(): string {
    return 'must be west,south,east,north in degrees';
  }
}

@ValidatorConstraint({ name: 'realDay' })
class IsRealDay implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    const day = typeof value === 'string' ? value.slice(0, 10) : '';
    const date = new Date(`${day}T00:00:00Z`);
    return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
  }

  defaultMessage(): string {
    return 'is a day that does not exist';
  }
}

export class ListImagesDto extends PageQueryDto {
  /** Images of this catalogue; left out: of the only one, or of all. */
  @IsOptional()
  @IsUUID()
  catalog_id?: string;

  /**
   * Where they stand; several with commas.
   * @example "active,offline"
   */
  @IsOptional()
  @Matches(STATES, { context: { allowed: `${IMAGE_STATES.join(', ')}; several with commas` } })
  state?: string;

  /**
   * By content; several with commas.
   * @example "jpeg,heic"
   */
  @IsOptional()
  @Matches(/^[a-z0-9-]{1,40}(,[a-z0-9-]{1,40})*$/i, { context: { allowed: 'names of formats, with commas' } })
  @MaxLength(1_000)
  format?: string;

  /** In the camera's make or model, any letter case. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  camera?: string;

  /** Taken at this local time or later; a day means its beginning. */
  @IsOptional()
  @Matches(LOCAL_TIME, LOCAL_TIME_ALLOWED)
  @Validate(IsRealDay)
  taken_from?: string;

  /** Taken before this local time; a day is included. */
  @IsOptional()
  @Matches(LOCAL_TIME, LOCAL_TIME_ALLOWED)
  @Validate(IsRealDay)
  taken_to?: string;

  /** Only images that have a position, or that have none. */
  @IsOptional()
  @Transform(yesOrNo)
  @IsBoolean()
  has_gps?: boolean;

  /**
   * West, south, east, north in degrees; west above east crosses the antimeridian.
   * @example "5.9,45.8,10.5,47.8"
   */
  @IsOptional()
  @Validate(IsBoundingBox, { context: { allowed: 'west,south,east,north in degrees: 5.9,45.8,10.5,47.8' } })
  bbox?: string;

  /** With this error or warning, by code. */
  @IsOptional()
  @Matches(/^[a-z_]{1,60}$/)
  problem?: string;

  /** Only images with an error, or without one. */
  @IsOptional()
  @Transform(yesOrNo)
  @IsBoolean()
  failed?: boolean;

  /** In the path, any letter case. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  text?: string;

  /** `taken` is the local time of the photo; images without one sort as the oldest. */
  @IsOptional()
  @IsIn(IMAGE_SORTS)
  sort?: ImageSort = 'taken';

  /** `desc` unless sorted by path. */
  @IsOptional()
  @IsIn(['asc', 'desc'])
  order?: 'asc' | 'desc';

  /** Also count all images that the filter lets through. */
  @IsOptional()
  @Transform(yesOrNo)
  @IsBoolean()
  with_total?: boolean = false;
}

export function filterOf(query: ListImagesDto): ImageFilter {
  return {
    catalogId: query.catalog_id,
    states: query.state?.split(',').filter(isImageState),
    formats: query.format?.toLowerCase().split(','),
    camera: query.camera,
    takenFrom: query.taken_from,
    takenTo: query.taken_to === undefined ? undefined : endOf(query.taken_to),
    hasGps: query.has_gps,
    boundingBox: query.bbox === undefined ? undefined : (boxOf(query.bbox) as unknown as BoundingBox),
    problem: query.problem,
    failed: query.failed,
    text: query.text,
  };
}

export const orderOf = ({ sort = 'taken', order }: ListImagesDto): ImageOrder => ({
  sort,
  descending: order === undefined ? sort !== 'path' : order === 'desc',
});

/** A day ends where the next one begins. */
function endOf(time: string): string {
  if (time.includes('T')) return time;
  const next = new Date(`${time}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}
