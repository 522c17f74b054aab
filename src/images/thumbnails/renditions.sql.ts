const HAS_ALL_SIZES = `
  (SELECT count(*) FROM image_renditions r WHERE r.image_id = i.id AND r.source_checksum = i.checksum AND r.size = ANY($2::int[]))
    = cardinality($2::int[])`;

/** An error over this very content that left it without any picture. Files that could not be read are tried again. */
const HAS_FAILED = `
  EXISTS (SELECT 1 FROM image_problems p WHERE p.image_id = i.id AND p.phase = 'thumbnails' AND p.severity = 'error'
      AND p.code <> 'unreadable' AND p.source_checksum = i.checksum)
    AND NOT EXISTS (SELECT 1 FROM image_renditions r WHERE r.image_id = i.id AND r.source_checksum = i.checksum)`;

const CAN_BE_RENDERED = `i.state = 'active' AND NOT i.due AND i.format IS NOT NULL`;

/** A page of images without all of the sizes ($2), or with $3 all that have a picture (index images_imported). */
export const IMAGES_TO_RENDER = `
  SELECT i.id FROM images i
  WHERE i.catalog_id = $1 AND i.id > $4 AND ${CAN_BE_RENDERED} AND ($3 OR NOT (${HAS_ALL_SIZES}) AND NOT (${HAS_FAILED}))
  ORDER BY i.id LIMIT $5`;

/** Where the files of a batch lie, and the sizes that each already has, from whatever task or (with $2) from this one. */
export const FILES_TO_RENDER = `
  SELECT i.id, c.path AS root_path, i.path, i.format, i.orientation, i.checksum, i.size_bytes, i.modified_at,
    ARRAY(SELECT r.size FROM image_renditions r
      WHERE r.image_id = i.id AND r.source_checksum = i.checksum AND ($2::uuid IS NULL OR r.task_id = $2)) AS present
  FROM images i JOIN catalog_roots c ON c.id = i.root_id AND c.state = 'online'
  WHERE i.id = ANY($1::uuid[]) AND ${CAN_BE_RENDERED}
  ORDER BY i.id`;

const NEW_ROWS = `
  jsonb_to_recordset($1::jsonb) AS n(image_id uuid, size int, width int, height int, mime_type text, size_bytes bigint,
    blob_key text, checksum text)`;

/** Blobs that the rows about to be written let go of. Primary key. */
export const DISCARD_REPLACED = `
  INSERT INTO discarded_blobs (blob_key)
  SELECT r.blob_key FROM ${NEW_ROWS} JOIN image_renditions r ON r.image_id = n.image_id AND r.size = n.size AND r.blob_key <> n.blob_key
  ON CONFLICT DO NOTHING
  RETURNING blob_key`;

/** Renditions of what the images hold now; of an image that has other content meanwhile, or is gone, nothing. Primary key. */
export const WRITE_RENDITIONS = `
  INSERT INTO image_renditions (image_id, size, width, height, mime_type, size_bytes, quality, blob_key, source_checksum, task_id,
    task_type, task_version)
  SELECT n.image_id, n.size, n.width, n.height, n.mime_type, n.size_bytes, $2, n.blob_key, i.checksum, $3, $4, $5
  FROM ${NEW_ROWS} JOIN images i ON i.id = n.image_id AND i.checksum = decode(n.checksum, 'hex')
  ORDER BY n.image_id, n.size
  ON CONFLICT (image_id, size) DO UPDATE SET width = excluded.width, height = excluded.height, mime_type = excluded.mime_type,
    size_bytes = excluded.size_bytes, quality = excluded.quality, blob_key = excluded.blob_key,
    source_checksum = excluded.source_checksum, task_id = excluded.task_id, task_type = excluded.task_type,
    task_version = excluded.task_version, created_at = now()`;

/** New blobs that got no row are waste; those that did are none, whatever was decided about their key before. */
export const DISCARD_UNUSED = `
  INSERT INTO discarded_blobs (blob_key)
  SELECT key FROM unnest($1::text[]) AS key WHERE NOT EXISTS (SELECT 1 FROM image_renditions r WHERE r.blob_key = key)
  ON CONFLICT DO NOTHING`;
export const KEEP_USED = `
  DELETE FROM discarded_blobs d USING image_renditions r WHERE d.blob_key = ANY($1::text[]) AND r.blob_key = d.blob_key`;

export const WRITE_THUMBHASHES = `
  UPDATE images i SET thumbhash = decode(h.thumbhash, 'hex')
  FROM jsonb_to_recordset($1::jsonb) AS h(image_id uuid, thumbhash text, checksum text)
  WHERE i.id = h.image_id AND i.checksum = decode(h.checksum, 'hex') AND i.thumbhash IS DISTINCT FROM decode(h.thumbhash, 'hex')`;

/** What was found wrong is recorded against the image only while it has the content that was looked at. */
export const WITH_CONTENT = `
  SELECT i.id FROM images i JOIN jsonb_to_recordset($1::jsonb) AS n(image_id uuid, checksum text)
    ON i.id = n.image_id AND i.checksum = decode(n.checksum, 'hex')`;

/** What a batch has come to, whatever attempts there were (index image_renditions_task; primary keys). */
export const BATCH_COUNTS = `
  SELECT (SELECT count(DISTINCT image_id) FROM image_renditions WHERE task_id = $2)::int AS rendered,
    (SELECT count(*) FROM image_renditions WHERE task_id = $2)::int AS renditions,
    (SELECT coalesce(sum(size_bytes), 0) FROM image_renditions WHERE task_id = $2)::bigint AS bytes,
    (SELECT count(DISTINCT p.image_id) FROM image_problems p
      WHERE p.image_id = ANY($1::uuid[]) AND p.phase = 'thumbnails' AND p.severity = 'error')::int AS failed`;

/** A page of blobs to delete, some time after they were let go of (see {@link KEEP_USED}). Primary key. */
export const DISCARDED_BLOBS = `
  SELECT d.blob_key FROM discarded_blobs d
  WHERE d.discarded_at <= now() - $1 * interval '1 millisecond'
    AND NOT EXISTS (SELECT 1 FROM image_renditions r WHERE r.blob_key = d.blob_key)
  ORDER BY d.blob_key LIMIT $2`;
export const FORGET_BLOBS = `DELETE FROM discarded_blobs WHERE blob_key = ANY($1::text[])`;
