import type { Image } from './image.js';
import type { ImageState } from './scan/compare-folder.js';

/** A row of IMAGE_COLUMNS. */
export interface ImageRow {
  id: string;
  catalog_id: string;
  root_id: string | null;
  path: string;
  state: ImageState;
  state_since: Date;
  due: boolean;
  size_bytes: string;
  modified_at: Date;
  checksum: string | null;
  format: string | null;
  mime_type: string | null;
  width: number | null;
  height: number | null;
  orientation: number | null;
  taken_local: string | null;
  taken_at: Date | null;
  time_zone: string | null;
  zone_source: string | null;
  sub_second: boolean | null;
  date_source: string | null;
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
  latitude: number | null;
  longitude: number | null;
  altitude_m: number | null;
  geohash: string | null;
  burst_key: string | null;
  description: string | null;
  keywords: string[];
  rating: number | null;
  thumbhash: Buffer | null;
  last_change: string | null;
  last_change_at: Date | null;
  last_change_by: string | null;
  created_at: Date;
  thumbnails: number[];
  errors: string[];
  warnings: string[];
}

export const imageOf = (row: ImageRow): Image => ({
  id: row.id,
  catalogId: row.catalog_id,
  rootId: row.root_id,
  path: row.path,
  state: row.state,
  stateSince: row.state_since,
  due: row.due,
  sizeBytes: Number(row.size_bytes),
  modifiedAt: row.modified_at,
  checksum: row.checksum,
  format: row.format,
  mimeType: row.mime_type,
  width: row.width,
  height: row.height,
  orientation: row.orientation,
  takenLocal: row.taken_local,
  takenAt: row.taken_at,
  timeZone: row.time_zone,
  zoneSource: row.zone_source,
  subSecond: row.sub_second,
  dateSource: row.date_source,
  dateConfidence: row.date_confidence,
  cameraMake: row.camera_make,
  cameraModel: row.camera_model,
  cameraSerial: row.camera_serial,
  lens: row.lens,
  exposureSeconds: row.exposure_seconds,
  fNumber: row.f_number,
  iso: row.iso,
  focalLengthMm: row.focal_length_mm,
  focalLength35Mm: row.focal_length_35_mm,
  flashFired: row.flash_fired,
  latitude: row.latitude,
  longitude: row.longitude,
  altitudeM: row.altitude_m,
  geohash: row.geohash,
  burstKey: row.burst_key,
  description: row.description,
  keywords: row.keywords,
  rating: row.rating,
  thumbhash: row.thumbhash,
  lastChange: row.last_change,
  lastChangeAt: row.last_change_at,
  lastChangeBy: row.last_change_by,
  createdAt: row.created_at,
  thumbnails: row.thumbnails,
  errors: row.errors,
  warnings: row.warnings,
});
