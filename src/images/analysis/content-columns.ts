import type { PhotoFacts, PhotoProblem } from '../photo-facts.js';
import type { ListedPhoto } from '../scan/sidecars.js';

/** What reading a file gives, and their types in the database. One list, so that no copy of a row forgets a column. */
const FACT_TYPES = {
  format: 'text',
  mime_type: 'text',
  width: 'int',
  height: 'int',
  orientation: 'smallint',
  taken_local: 'timestamp',
  taken_at: 'timestamptz',
  time_zone: 'text',
  zone_source: 'text',
  sub_second: 'boolean',
  date_source: 'text',
  date_confidence: 'smallint',
  camera_make: 'text',
  camera_model: 'text',
  camera_serial: 'text',
  lens: 'text',
  exposure_seconds: 'double precision',
  f_number: 'double precision',
  iso: 'double precision',
  focal_length_mm: 'double precision',
  focal_length_35_mm: 'double precision',
  flash_fired: 'boolean',
  latitude: 'double precision',
  longitude: 'double precision',
  altitude_m: 'double precision',
  geohash: 'text',
  burst_key: 'text',
  description: 'text',
  keywords: 'text[]',
  rating: 'smallint',
  tags: 'jsonb',
  date_candidates: 'jsonb',
} as const;

export type FactColumn = keyof typeof FACT_TYPES;

export const FACT_COLUMNS = Object.keys(FACT_TYPES) as readonly FactColumn[];

/** Columns that follow the content when it is found to belong to another image. */
export const CONTENT_COLUMNS = [
  ...FACT_COLUMNS,
  ...['checksum', 'size_bytes', 'modified_at', 'analyzed_at', 'analyzed_by', 'analysis_type', 'analysis_version'],
] as const;

/** Columns that say what the scan saw at a path. */
export const SEEN_COLUMNS = ['seen_size_bytes', 'seen_modified_at', 'sidecars', 'sidecar_stamp'] as const;

/** `format text, mime_type text, …` for jsonb_to_recordset. */
export const FACT_DEFINITIONS = FACT_COLUMNS.map((column) => `${column} ${FACT_TYPES[column]}`).join(', ');

/** What one file turned out to hold. */
export interface Reading {
  readonly checksum: Buffer;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  readonly facts: PhotoFacts | undefined;
  readonly problems: readonly PhotoProblem[];
}

/** Facts as one JSON object whose keys are the columns. */
export function factsRow(facts: PhotoFacts | undefined): Record<FactColumn, unknown> {
  const { captured, exposure, position } = facts ?? {};
  return {
    format: facts?.format,
    mime_type: facts?.mimeType,
    width: facts?.width,
    height: facts?.height,
    orientation: facts?.orientation,
    taken_local: captured?.local,
    taken_at: captured?.instant,
    time_zone: captured?.zone,
    zone_source: captured?.zoneSource,
    sub_second: captured?.subSecond,
    date_source: captured?.source,
    date_confidence: rounded(captured?.confidence),
    camera_make: facts?.cameraMake,
    camera_model: facts?.cameraModel,
    camera_serial: facts?.cameraSerial,
    lens: facts?.lens,
    exposure_seconds: exposure?.timeSeconds,
    f_number: exposure?.fNumber,
    iso: exposure?.iso,
    focal_length_mm: exposure?.focalLengthMm,
    focal_length_35_mm: exposure?.focalLength35Mm,
    flash_fired: exposure?.flashFired,
    latitude: position?.latitude,
    longitude: position?.longitude,
    altitude_m: position?.altitudeM,
    geohash: position?.geohash,
    burst_key: facts?.burstId,
    description: facts?.description,
    keywords: facts?.keywords ?? [],
    rating: rounded(facts?.rating),
    tags: facts?.tags,
    date_candidates: facts?.dateCandidates,
  };
}

const rounded = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.round(value);

/** What the scan saw of a file, under the names of {@link SEEN_COLUMNS}' sources in the SQL. */
export const seenRow = (photo: ListedPhoto): Record<string, unknown> => ({
  size_bytes: photo.sizeBytes,
  modified_us: String(photo.modifiedUs),
  sidecars: photo.sidecars,
  sidecar_stamp: photo.sidecarStamp,
});

/**
 * JSON that PostgreSQL takes: NUL and half surrogate pairs, which cameras and broken files do write, are left out and
 * replaced, in keys as well. JSON.stringify escapes exactly those. Bytes are not JSON: pass them as hexadecimal text.
 */
export const databaseJson = (value: unknown): string =>
  JSON.stringify(value).replace(/\\(\\|u0000|ud[89a-f][0-9a-f]{2})/g, (escape, what: string) =>
    what === '\\' ? escape : what === 'u0000' ? '' : '\ufffd',
  );
