/** What is known of some folders of a root (index images_place). */
export const KNOWN_IN_FOLDERS = `
  SELECT id, folder, name, state, due, checksum IS NULL AS unread, seen_size_bytes AS size_bytes,
    (extract(epoch FROM seen_modified_at) * 1000000)::bigint AS modified_us, sidecar_stamp
  FROM images WHERE root_id = $1 AND folder = ANY($2::text[]) AND holds_path`;

/** A page of a root's folders that have images: skips from one to the next in index images_place, not over its rows. */
export const KNOWN_FOLDERS = `
  WITH RECURSIVE folders AS (
    (SELECT folder, 1 AS n FROM images WHERE root_id = $1 AND holds_path AND folder > $2 ORDER BY folder LIMIT 1)
    UNION ALL
    SELECT (SELECT i.folder FROM images i WHERE i.root_id = $1 AND i.holds_path AND i.folder > f.folder ORDER BY i.folder LIMIT 1),
      f.n + 1
    FROM folders f WHERE f.folder IS NOT NULL AND f.n < $3
  )
  SELECT folder FROM folders WHERE folder IS NOT NULL`;

/** Files seen for the first time: they wait, due, for the analysis. Concurrent scans add a file once. */
export const ADD_IMAGES = `
  INSERT INTO images (id, catalog_id, root_id, folder, name, state, due, seen_size_bytes, seen_modified_at, sidecars, sidecar_stamp)
  SELECT f.id, $1, $2, f.folder, f.name, 'pending', true, f.size_bytes,
    'epoch'::timestamptz + f.modified_us * interval '1 microsecond', f.sidecars, f.sidecar_stamp
  FROM jsonb_to_recordset($3::jsonb)
    AS f(id uuid, folder text, name text, size_bytes bigint, modified_us bigint, sidecars text[], sidecar_stamp text)
  ORDER BY f.id
  ON CONFLICT (root_id, folder, name) WHERE holds_path DO NOTHING`;

/** Files that were saved again are due. */
export const MARK_CHANGED = `
  UPDATE images i SET due = true, seen_size_bytes = f.size_bytes,
    seen_modified_at = 'epoch'::timestamptz + f.modified_us * interval '1 microsecond',
    sidecars = f.sidecars, sidecar_stamp = f.sidecar_stamp
  FROM jsonb_to_recordset($1::jsonb)
    AS f(id uuid, size_bytes bigint, modified_us bigint, sidecars text[], sidecar_stamp text)
  WHERE i.id = f.id AND i.holds_path`;

export const MARK_RESTORED = `
  UPDATE images SET state = 'active', state_since = now(), last_change = 'restored', last_change_at = now(), last_change_by = $2
  WHERE id = ANY($1::uuid[]) AND state = 'missing' AND holds_path`;

/** Files that have gone before anything was learnt of them, and what was found at the path of another that has gone. */
export const FORGET_UNREAD = `
  DELETE FROM images WHERE (id = ANY($1::uuid[]) AND state = 'pending') OR replaces = ANY($1::uuid[])`;

export const MARK_MISSING = `
  UPDATE images SET state = 'missing', due = false, state_since = now(), last_change = 'missing', last_change_at = now(),
    last_change_by = $2
  WHERE id = ANY($1::uuid[]) AND state = 'active'`;

/** A page of images whose analysis is to be made again: all ($3), or those of an older version than $2 (index images_imported). */
export const MARK_OUTDATED = `
  WITH page AS (
    SELECT id, state = 'active' AND NOT due AND ($3 OR analysis_version < $2) AS outdated FROM images
    WHERE catalog_id = $1 AND id > $4 ORDER BY id LIMIT $5
  ), marked AS (
    UPDATE images SET due = true WHERE id IN (SELECT id FROM page WHERE outdated)
  )
  SELECT max(id::text) AS last FROM page`;

/** A page of files that are to be read: not those that were, and now wait to be told apart (index images_due). */
export const DUE_IMAGES = `
  SELECT i.id FROM images i JOIN catalog_roots r ON r.id = i.root_id AND r.state = 'online'
  WHERE i.catalog_id = $1 AND i.due AND i.holds_path AND i.state <> 'offline' AND i.id > $2
    AND NOT EXISTS (
      SELECT 1 FROM images a
      WHERE a.replaces = i.id AND a.seen_size_bytes = i.seen_size_bytes AND a.seen_modified_at = i.seen_modified_at
        AND a.sidecar_stamp = i.sidecar_stamp)
  ORDER BY i.id LIMIT $3`;
