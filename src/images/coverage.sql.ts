/**
 * Counts for each kind of metadata in one pass over a catalogue's images (index images_imported): how many could have it,
 * have it, were looked at without finding it, and failed. $2: the thumbnail sizes that count.
 */
export const COVERAGE = `
  WITH image AS (
    SELECT i.format, i.taken_local, i.taken_at, i.camera_model, i.latitude, i.geohash, i.checksum IS NOT NULL AND NOT i.due AS read,
      EXISTS (SELECT 1 FROM image_problems p WHERE p.image_id = i.id AND p.phase = 'analyze' AND p.severity = 'error') AS faulty,
      EXISTS (SELECT 1 FROM image_problems p WHERE p.image_id = i.id AND p.phase = 'thumbnails' AND p.severity = 'error'
        AND p.source_checksum = i.checksum) AS unrendered,
      (SELECT count(*) FROM image_renditions r
        WHERE r.image_id = i.id AND r.source_checksum = i.checksum AND r.size = ANY($2::int[])) = cardinality($2::int[]) AS rendered
    FROM images i
    WHERE i.catalog_id = $1 AND i.replaces IS NULL AND i.state IN ('active', 'pending')
  ), judged AS (
    SELECT *, faulty AND NOT read AS unreadable, (read AND format IS NULL) OR (faulty AND NOT read) AS no_picture FROM image
  ), kind AS (
    SELECT 1 AS position, 'checksum' AS kind, true AS eligible, read AS done, false AS absent, unreadable AS failed FROM judged
    UNION ALL SELECT 2, 'metadata', true, read AND NOT faulty, false, faulty FROM judged
    UNION ALL SELECT 3, 'dates', NOT no_picture, taken_local IS NOT NULL, read AND taken_local IS NULL, false FROM judged
    UNION ALL SELECT 4, 'instants', NOT no_picture AND taken_local IS NOT NULL, taken_at IS NOT NULL, read AND taken_at IS NULL, false
      FROM judged
    UNION ALL SELECT 5, 'camera', NOT no_picture, camera_model IS NOT NULL, read AND camera_model IS NULL, false FROM judged
    UNION ALL SELECT 6, 'gps', NOT no_picture, latitude IS NOT NULL, read AND latitude IS NULL, false FROM judged
    UNION ALL SELECT 7, 'geohash', latitude IS NOT NULL, geohash IS NOT NULL, false, false FROM judged
    UNION ALL SELECT 8, 'thumbnails', NOT no_picture, rendered, false, NOT rendered AND unrendered FROM judged
  )
  SELECT kind, count(*) FILTER (WHERE eligible)::int AS eligible, count(*) FILTER (WHERE eligible AND done)::int AS done,
    count(*) FILTER (WHERE eligible AND absent)::int AS absent, count(*) FILTER (WHERE eligible AND failed)::int AS failed
  FROM kind GROUP BY kind, position ORDER BY position`;

/** Images that a thumbnail error or an analysis error stands against, by phase and code. */
export const FAILURES = `
  SELECT p.phase, p.code, count(*)::int AS count
  FROM image_problems p JOIN images i ON i.id = p.image_id
  WHERE i.catalog_id = $1 AND p.severity = 'error' AND i.state IN ('active', 'pending')
  GROUP BY p.phase, p.code ORDER BY p.phase, count(*) DESC, p.code`;
