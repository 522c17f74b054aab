import { CONTENT_COLUMNS, SEEN_COLUMNS } from './content-columns.js';

/** Analyses of one catalogue settle identities one at a time, each on top of what the other has decided. */
export const LOCK_IDENTITIES = `SELECT pg_advisory_xact_lock(hashtextextended('identities ' || $1::uuid::text, 0))`;

/** A row that is no longer where it was: gone, or its path was found to hold other content. */
const HAS_DEPARTED = `(d.state = 'missing' OR (d.due AND (NOT d.holds_path OR EXISTS (SELECT 1 FROM images x WHERE x.replaces = d.id))))`;

/**
 * Pairs what has arrived with images of the same content that have departed, some contents at a time: first where the
 * file's name is the same, then those gone last, else by path, so that the outcome does not depend on who came first.
 * Indexes images_unsettled, images_checksum, images_replaces.
 */
export const PAIRS = `
  WITH contents AS (
    SELECT DISTINCT a.checksum FROM images a
    WHERE a.catalog_id = $1 AND a.state = 'pending' AND a.checksum IS NOT NULL
      AND EXISTS (SELECT 1 FROM images d WHERE d.catalog_id = $1 AND d.checksum = a.checksum AND d.state <> 'pending' AND ${HAS_DEPARTED})
    ORDER BY a.checksum LIMIT $2
  ), arrived AS (
    SELECT a.id, a.checksum, a.name, a.path, a.replaces FROM contents c
    JOIN images a ON a.catalog_id = $1 AND a.checksum = c.checksum AND a.state = 'pending'
  ), departed AS (
    SELECT d.id, d.checksum, d.name, d.path, d.state_since FROM contents c
    JOIN images d ON d.catalog_id = $1 AND d.checksum = c.checksum AND d.state <> 'pending' AND ${HAS_DEPARTED}
  ), same_name AS (
    SELECT a.id AS arrived_id, d.id AS departed_id, a.replaces FROM
      (SELECT *, row_number() OVER (PARTITION BY checksum, name ORDER BY path, id) AS n FROM arrived) a
      JOIN (SELECT *, row_number() OVER (PARTITION BY checksum, name ORDER BY state_since DESC, path, id) AS n FROM departed) d
        USING (checksum, name, n)
  ), other_name AS (
    SELECT a.id AS arrived_id, d.id AS departed_id, a.replaces FROM
      (SELECT *, row_number() OVER (PARTITION BY checksum ORDER BY path, id) AS n FROM arrived
        WHERE id NOT IN (SELECT arrived_id FROM same_name)) a
      JOIN (SELECT *, row_number() OVER (PARTITION BY checksum ORDER BY state_since DESC, path, id) AS n FROM departed
        WHERE id NOT IN (SELECT departed_id FROM same_name)) d
        USING (checksum, n)
  )
  SELECT * FROM same_name UNION ALL SELECT * FROM other_name`;

export const LOCK_IMAGES = `SELECT id FROM images WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`;

/** Makes way: paths can change hands in any pattern only when nobody holds them meanwhile. */
export const RELEASE_PATHS = `UPDATE images SET holds_path = false WHERE id = ANY($1::uuid[]) AND holds_path`;

const PAIR_ROWS = `unnest($1::uuid[], $2::uuid[]) AS pair(arrived_id, departed_id)`;
const TAKEN = [...SEEN_COLUMNS, ...CONTENT_COLUMNS];

/** Departed images go on living where their content has arrived. $1: arrived, $2: departed. Primary key. */
export const TAKE_OVER = `
  UPDATE images d SET (root_id, folder, name, ${TAKEN.join(', ')}) = (a.root_id, a.folder, a.name, ${TAKEN.map((c) => `a.${c}`).join(', ')}),
    holds_path = true, due = false, state = 'active', state_since = CASE WHEN d.state = 'active' THEN d.state_since ELSE now() END,
    last_change = CASE WHEN (d.root_id, d.folder, d.name) IS NOT DISTINCT FROM (a.root_id, a.folder, a.name) THEN 'restored' ELSE 'moved' END,
    last_change_at = now(), last_change_by = $3
  FROM ${PAIR_ROWS} JOIN images a ON a.id = pair.arrived_id
  WHERE d.id = pair.departed_id`;

/** What the analysis found wrong goes along with the content. $1: arrived, $2: departed. Primary key. */
export const DROP_ANALYSIS_PROBLEMS = `DELETE FROM image_problems WHERE image_id = ANY($1::uuid[]) AND phase = ANY($2::text[])`;
export const MOVE_PROBLEMS = `
  UPDATE image_problems p SET image_id = pair.departed_id FROM ${PAIR_ROWS} WHERE p.image_id = pair.arrived_id`;

export const DELETE_IMAGES = `DELETE FROM images WHERE id = ANY($1::uuid[])`;

/** Images that lost their path to another and were found nowhere else (index images_due). */
export const MARK_DISPLACED = `
  UPDATE images SET state = 'missing', state_since = CASE WHEN state = 'missing' THEN state_since ELSE now() END, due = false,
    last_change = 'missing', last_change_at = now(), last_change_by = $2
  WHERE id IN (SELECT id FROM images WHERE catalog_id = $1 AND due AND NOT holds_path LIMIT $3)
  RETURNING id`;

/** Arrivals whose path's former image lives elsewhere now, and new files: images of their own (index images_unsettled). */
export const ADMIT_NEWCOMERS = `
  UPDATE images SET replaces = NULL, holds_path = true, state = 'active', state_since = now(), last_change = 'new',
    last_change_at = now(), last_change_by = $2
  WHERE id IN (
    SELECT a.id FROM images a LEFT JOIN images r ON r.id = a.replaces
    WHERE a.catalog_id = $1 AND a.state = 'pending' AND a.checksum IS NOT NULL AND (r.id IS NULL OR NOT r.due)
    ORDER BY a.id LIMIT $3)
  RETURNING id`;

/** Arrivals at the path of an image that is nowhere else: that image was edited in place (index images_unsettled). */
export const EDITS = `
  SELECT a.id AS arrived_id, a.replaces AS departed_id, NULL AS replaces
  FROM images a JOIN images r ON r.id = a.replaces AND r.due AND r.holds_path
  WHERE a.catalog_id = $1 AND a.state = 'pending' AND a.checksum IS NOT NULL
  ORDER BY a.id LIMIT $2`;

/** The edited images take on the new content; what was made from the old one is stale. $1: arrived, $2: edited. Primary key. */
export const EDIT_IN_PLACE = `
  UPDATE images r SET (${CONTENT_COLUMNS.join(', ')}) = (${CONTENT_COLUMNS.map((c) => `a.${c}`).join(', ')}),
    thumbhash = NULL, due = false, state = 'active', state_since = CASE WHEN r.state = 'active' THEN r.state_since ELSE now() END,
    last_change = 'changed', last_change_at = now(), last_change_by = $3
  FROM ${PAIR_ROWS} JOIN images a ON a.id = pair.arrived_id
  WHERE r.id = pair.departed_id`;

/** Index images_unsettled, images_due. */
export const HAS_UNSETTLED = `
  SELECT EXISTS (SELECT 1 FROM images WHERE catalog_id = $1 AND state = 'pending' AND checksum IS NOT NULL)
    OR EXISTS (SELECT 1 FROM images WHERE catalog_id = $1 AND due AND NOT holds_path) AS unsettled`;
