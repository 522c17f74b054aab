/** Problems that are about what the image holds now, or about reading it. */
const CURRENT_PROBLEMS = `p.image_id = i.id AND (p.source_checksum IS NULL OR p.source_checksum = i.checksum)`;

export const IMAGE_COLUMNS = `
  i.id, i.catalog_id, i.root_id, i.path, i.state, i.state_since, i.due, i.seen_size_bytes AS size_bytes,
  i.seen_modified_at AS modified_at, encode(i.checksum, 'hex') AS checksum, i.format, i.mime_type, i.width, i.height, i.orientation,
  to_char(i.taken_local, CASE WHEN i.sub_second THEN 'YYYY-MM-DD"T"HH24:MI:SS.MS' ELSE 'YYYY-MM-DD"T"HH24:MI:SS' END) AS taken_local,
  i.taken_at, i.time_zone, i.zone_source, i.sub_second, i.date_source, i.date_confidence, i.camera_make, i.camera_model,
  i.camera_serial, i.lens, i.exposure_seconds, i.f_number, i.iso, i.focal_length_mm, i.focal_length_35_mm, i.flash_fired,
  i.latitude, i.longitude, i.altitude_m, i.geohash, i.burst_key, i.description, i.keywords, i.rating, i.thumbhash,
  i.last_change, i.last_change_at, i.last_change_by, i.created_at,
  ARRAY(SELECT r.size FROM image_renditions r WHERE r.image_id = i.id AND r.source_checksum = i.checksum ORDER BY r.size) AS thumbnails,
  ARRAY(SELECT DISTINCT p.code FROM image_problems p WHERE ${CURRENT_PROBLEMS} AND p.severity = 'error' ORDER BY p.code) AS errors,
  ARRAY(SELECT DISTINCT p.code FROM image_problems p WHERE ${CURRENT_PROBLEMS} AND p.severity = 'warning' ORDER BY p.code) AS warnings`;

/** Primary key. What was found at another image's path is not an image yet. */
export const IMAGE_BY_ID = `
  SELECT ${IMAGE_COLUMNS}, i.sidecars, i.tags, i.date_candidates, i.analyzed_at, i.analyzed_by, i.analysis_type, i.analysis_version
  FROM images i WHERE i.id = $1 AND i.replaces IS NULL`;

export const PROBLEMS_OF_IMAGE = `
  SELECT p.phase, p.code, p.severity, p.message, p.task_id, p.task_type, p.task_version, p.created_at
  FROM image_problems p JOIN images i ON i.id = p.image_id
  WHERE i.id = $1 AND ${CURRENT_PROBLEMS} ORDER BY p.severity, p.phase, p.code`;

export const RENDITIONS_OF_IMAGE = `
  SELECT r.size, r.width, r.height, r.mime_type, r.size_bytes, r.quality, r.blob_key, encode(r.source_checksum, 'hex') AS source_checksum,
    r.source_checksum = i.checksum AS current, r.task_id, r.task_type, r.task_version, r.created_at
  FROM image_renditions r JOIN images i ON i.id = r.image_id WHERE i.id = $1 ORDER BY r.size`;

/** Where an image's file lies. Primary key. */
export const PLACE_OF_IMAGE = `
  SELECT i.state, i.path, i.mime_type, i.size_bytes, i.modified_at, encode(i.checksum, 'hex') AS checksum,
    r.path AS root_path, r.state AS root_state
  FROM images i LEFT JOIN catalog_roots r ON r.id = i.root_id WHERE i.id = $1 AND i.replaces IS NULL`;

/** A rendition whose blob is lost, as a power failure may do, is to be made again. Primary key. */
export const FORGET_RENDITION = `DELETE FROM image_renditions WHERE image_id = $1 AND size = $2 AND blob_key = $3`;
