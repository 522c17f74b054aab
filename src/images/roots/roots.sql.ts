const COLUMNS = `id, catalog_id, path, state, offline_reason, state_since, file_system_id`;

/** Index catalog_roots_path. */
export const ROOTS_OF = `SELECT ${COLUMNS} FROM catalog_roots WHERE catalog_id = ANY($1::uuid[]) ORDER BY catalog_id, path`;

/** The catalogues that have roots, at most two of them: enough to tell whether there is exactly one. */
export const FIRST_CATALOGS = `SELECT DISTINCT catalog_id FROM catalog_roots ORDER BY catalog_id LIMIT 2`;

/** The oldest catalogue that watches this very folder. */
export const CATALOG_OF_ROOT = `SELECT catalog_id FROM catalog_roots WHERE path = $1 ORDER BY catalog_id LIMIT 1`;

/** Makes changes to one catalogue's roots take turns. */
export const LOCK_ROOTS = `SELECT ${COLUMNS} FROM catalog_roots WHERE catalog_id = $1 ORDER BY id FOR UPDATE`;

export const INSERT_ROOTS = `
  INSERT INTO catalog_roots (id, catalog_id, path) SELECT r.id, $1, r.path FROM unnest($2::uuid[], $3::text[]) AS r(id, path)`;

/** The same library at another place: what stood there is not "another disk". */
export const RELOCATE_ROOT = `
  UPDATE catalog_roots SET path = $2, state = 'online', offline_reason = NULL, state_since = now(), file_system_id = NULL
  WHERE id = $1`;

/** Images of a root that is given up keep their identity: found elsewhere by content, they go on living there. */
export const DETACH_IMAGES = `
  UPDATE images SET root_id = NULL, holds_path = false, state = 'missing', due = false,
    state_since = CASE WHEN state = 'missing' THEN state_since ELSE now() END
  WHERE root_id = ANY($1::uuid[])`;

/** Found, but never told apart: nothing is known of them yet. Before {@link DETACH_IMAGES}. */
export const FORGET_PENDING_IMAGES = `DELETE FROM images WHERE root_id = ANY($1::uuid[]) AND state = 'pending'`;

export const DELETE_ROOTS = `DELETE FROM catalog_roots WHERE id = ANY($1::uuid[])`;

/** Changes nothing where nothing has changed. */
export const SET_ROOT_STATE = `
  UPDATE catalog_roots SET state = $2, offline_reason = $3, file_system_id = coalesce($4, file_system_id),
    state_since = CASE WHEN state = $2 THEN state_since ELSE now() END
  WHERE id = $1
    AND (state, offline_reason, file_system_id) IS DISTINCT FROM ($2, $3, coalesce($4, file_system_id))
  RETURNING id`;

/** A root's images follow it offline and back, so many at a time (index images_place). */
export const MOVE_IMAGES_WITH_ROOT = `
  UPDATE images SET state = $3, state_since = now(), last_change = $4, last_change_at = now(), last_change_by = $5
  WHERE id IN (SELECT id FROM images WHERE root_id = $1 AND state = $2 AND holds_path LIMIT $6 FOR UPDATE)
  RETURNING id`;

/** A page of the paths that should be there, in path order (index images_place). */
export const KNOWN_PATHS = `
  SELECT folder, name FROM images
  WHERE root_id = $1 AND holds_path AND state IN ('active', 'offline') AND (folder, name) > ($2, $3)
  ORDER BY folder, name LIMIT $4`;
