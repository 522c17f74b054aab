/** Index images_imported. What was found at another image's path is not an image yet. */
export const COUNT_BY_STATE = `
  SELECT catalog_id, state, count(*)::int AS count FROM images
  WHERE catalog_id = ANY($1::uuid[]) AND replaces IS NULL GROUP BY catalog_id, state`;

/** Forgets a page of a catalogue's images; the blobs of their thumbnails are left to be swept (index images_imported). */
export const FORGET_IMAGES = `
  WITH page AS (
    SELECT id FROM images WHERE catalog_id = $1 ORDER BY id LIMIT $2
  ), discarded AS (
    INSERT INTO discarded_blobs (blob_key)
    SELECT r.blob_key FROM image_renditions r JOIN page ON page.id = r.image_id
    ON CONFLICT DO NOTHING
  )
  DELETE FROM images WHERE id IN (SELECT id FROM page) RETURNING id`;
