import { ApiProperty } from '@nestjs/swagger';
import type { Image, ImageDetails, MadeBy, RecordedProblem, RecordedRendition } from '../image.js';
import { IMAGE_STATES, type ImageState } from '../scan/compare-folder.js';
import { shownText } from '../stored-path.js';

/** An image: its id outlives moves, renames and edits of its file. */
export class ImageDto {
  /** UUID v7: images found later have greater ids. */
  id: string;
  catalog_id: string;
  /** null: the folder it was in has been taken out of the catalogue. */
  root_id: string | null;
  /** Relative to its root. */
  path: string;
  file_name: string;
  /** `pending`: found, not analysed yet; `missing`: the file has gone; `offline`: its root is not there. */
  @ApiProperty({ enum: IMAGE_STATES })
  state: ImageState;
  state_since: Date;
  /** Its file is to be read (again) by the next analysis. */
  due: boolean;
  /** Of the file. */
  size_bytes: number;
  /** Of the file. */
  modified_at: Date;
  /** SHA-256, hexadecimal. */
  checksum: string | null;
  /** By content, not by name: `jpeg`, `heic`, `dng`, …; null: no picture that is known. */
  format: string | null;
  mime_type: string | null;
  /** Pixels as stored, before the orientation is applied. */
  width: number | null;
  height: number | null;
  /** EXIF orientation, 1 to 8. */
  orientation: number | null;
  /** The wall clock at the place, ISO without a zone. */
  taken_local: string | null;
  /** The instant; null when no zone is known. */
  taken_at: Date | null;
  /** `America/Denver` or `UTC-06:00`. */
  time_zone: string | null;
  /** Where the zone comes from: `offset-tag`, `gps-position`, `gps-time`, `sidecar`, `in-date`. */
  zone_source: string | null;
  /** Fractions of the second are known. */
  sub_second: boolean | null;
  /** Where the date comes from. */
  date_source: string | null;
  /** 0 to 100. */
  date_confidence: number | null;
  camera_make: string | null;
  camera_model: string | null;
  camera_serial: string | null;
  lens: string | null;
  exposure_seconds: number | null;
  f_number: number | null;
  iso: number | null;
  focal_length_mm: number | null;
  focal_length_35_mm: number | null;
  flash_fired: boolean | null;
  /** Degrees, WGS84. */
  latitude: number | null;
  longitude: number | null;
  /** Metres above sea level. */
  altitude_m: number | null;
  /** Precision 7; shorter ones are its prefixes. */
  geohash: string | null;
  /** The same for all frames of a burst. */
  burst_key: string | null;
  description: string | null;
  keywords: string[];
  rating: number | null;
  /** Base64 of a thumbhash: https://evanw.github.io/thumbhash/ */
  thumbhash: string | null;
  /** Sizes of the thumbnails that are there, for `/images/{id}/thumbnail/{size}`. */
  @ApiProperty({ type: [Number] })
  thumbnails: number[];
  /** Codes of what makes it a failure. */
  @ApiProperty({ type: [String] })
  errors: string[];
  /** Codes of what is odd about it. */
  @ApiProperty({ type: [String] })
  warnings: string[];
  /** What the last change was: `new`, `changed`, `moved`, `restored`, `missing`, `offline`, `online`. */
  last_change: string | null;
  last_change_at: Date | null;
  /** The task that noticed it. */
  last_change_by: string | null;
  created_at: Date;
}

/** Which task made it. */
export class MadeByDto {
  task_id: string;
  task_type: string;
  task_version: number;
  created_at: Date;
}

/** Something wrong with an image's file. */
export class ImageProblemDto extends MadeByDto {
  /** The step that found it: `analyze`, `thumbnails`. */
  phase: string;
  code: string;
  @ApiProperty({ enum: ['error', 'warning'] })
  severity: 'error' | 'warning';
  message: string;
}

export class RenditionDto extends MadeByDto {
  /** Longest side that was asked for; a smaller picture is not enlarged. */
  size: number;
  width: number;
  height: number;
  mime_type: string;
  size_bytes: number;
  quality: number;
  /** SHA-256 of the file it was made from. */
  source_checksum: string;
  /** Made from what the image holds now. */
  current: boolean;
}

/** One image with everything that is known. */
export class ImageDetailsDto extends ImageDto {
  /** Names of the sidecar files that speak about it. */
  @ApiProperty({ type: [String] })
  sidecars: string[];
  /** All tags that were read, by group. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  tags: unknown;
  /** Every source that offered a date, best first. */
  @ApiProperty({ type: 'array', items: { type: 'object', additionalProperties: true }, nullable: true })
  date_candidates: unknown;
  /** The task that read it; null while it has not been read. */
  analysis: MadeByDto | null;
  problems: ImageProblemDto[];
  renditions: RenditionDto[];
}

export class ImagePageDto {
  items: ImageDto[];
  /** Of all pages; only with `with_total=true`. */
  total?: number;
  /** For the query parameter `cursor`; null on the last page. */
  next_cursor: string | null;
}

/** A DTO as a plain object, which may be spread. */
type Plain<Dto> = Pick<Dto, keyof Dto>;

export const toImageDto = (image: Image): Plain<ImageDto> => ({
  id: image.id,
  catalog_id: image.catalogId,
  root_id: image.rootId,
  path: image.path,
  file_name: shownText(image.path.slice(image.path.lastIndexOf('/') + 1)),
  state: image.state,
  state_since: image.stateSince,
  due: image.due,
  size_bytes: image.sizeBytes,
  modified_at: image.modifiedAt,
  checksum: image.checksum,
  format: image.format,
  mime_type: image.mimeType,
  width: image.width,
  height: image.height,
  orientation: image.orientation,
  taken_local: image.takenLocal,
  taken_at: image.takenAt,
  time_zone: image.timeZone,
  zone_source: image.zoneSource,
  sub_second: image.subSecond,
  date_source: image.dateSource,
  date_confidence: image.dateConfidence,
  camera_make: image.cameraMake,
  camera_model: image.cameraModel,
  camera_serial: image.cameraSerial,
  lens: image.lens,
  exposure_seconds: image.exposureSeconds,
  f_number: image.fNumber,
  iso: image.iso,
  focal_length_mm: image.focalLengthMm,
  focal_length_35_mm: image.focalLength35Mm,
  flash_fired: image.flashFired,
  latitude: image.latitude,
  longitude: image.longitude,
  altitude_m: image.altitudeM,
  geohash: image.geohash,
  burst_key: image.burstKey,
  description: image.description,
  keywords: [...image.keywords],
  rating: image.rating,
  thumbhash: image.thumbhash?.toString('base64') ?? null,
  thumbnails: [...image.thumbnails],
  errors: [...image.errors],
  warnings: [...image.warnings],
  last_change: image.lastChange,
  last_change_at: image.lastChangeAt,
  last_change_by: image.lastChangeBy,
  created_at: image.createdAt,
});

export const toImageDetailsDto = (image: ImageDetails): ImageDetailsDto => ({
  ...toImageDto(image),
  sidecars: [...image.sidecars],
  tags: image.tags,
  date_candidates: image.dateCandidates,
  analysis: image.analysis === null ? null : toMadeByDto(image.analysis),
  problems: image.problems.map(toProblemDto),
  renditions: image.renditions.map(toRenditionDto),
});

const toMadeByDto = ({ taskId, taskType, taskVersion, at }: MadeBy): Plain<MadeByDto> => ({
  task_id: taskId,
  task_type: taskType,
  task_version: taskVersion,
  created_at: at,
});

const toProblemDto = (problem: RecordedProblem): ImageProblemDto => ({
  ...toMadeByDto(problem),
  phase: problem.phase,
  code: problem.code,
  severity: problem.severity,
  message: problem.message,
});

const toRenditionDto = (rendition: RecordedRendition): RenditionDto => ({
  ...toMadeByDto(rendition),
  size: rendition.size,
  width: rendition.width,
  height: rendition.height,
  mime_type: rendition.mimeType,
  size_bytes: rendition.sizeBytes,
  quality: rendition.quality,
  source_checksum: rendition.sourceChecksum,
  current: rendition.current,
});
