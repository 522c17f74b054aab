import { CONTENT_COLUMNS, FACT_COLUMNS, FACT_DEFINITIONS, SEEN_COLUMNS } from './content-columns.js';

const FRESH_ARRIVAL = `
  SELECT 1 FROM images a
  WHERE a.replaces = i.id AND a.seen_size_bytes = i.seen_size_bytes AND a.seen_modified_at = i.seen_modified_at
    AND a.sidecar_stamp = i.sidecar_stamp`;

/** Where the files of a batch lie: those still due whose root is there. Primary key. */
export const FILES_TO_READ = `
  SELECT i.id, r.path AS root_path, i.folder, i.name, i.sidecars
  FROM images i JOIN catalog_roots r ON r.id = i.root_id AND r.state = 'online'
  WHERE i.id = ANY($1::uuid[]) AND i.due AND i.holds_path AND NOT EXISTS (${FRESH_ARRIVAL})
  ORDER BY i.id`;

/** Takes the rows that are about to be written, in an order that all writers share. Primary key. */
export const LOCK_DUE = `
  SELECT id, catalog_id, state, checksum FROM images WHERE id = ANY($1::uuid[]) AND due AND holds_path ORDER BY id FOR UPDATE`;

/**
 * Which contents may belong to images that are no longer where they were: gone, or found changed. Whatever makes an
 * image one of them happened before the first batch was begun, so none is overlooked. Index images_checksum.
 */
export const CONTENTS_WITH_DEPARTED = `
  SELECT DISTINCT encode(checksum, 'hex') AS checksum FROM images
  WHERE catalog_id = $1 AND checksum = ANY($2::bytea[]) AND (state = 'missing' OR due)`;

const ROWS = `
  jsonb_to_recordset($1::jsonb) AS r(id uuid, image_id uuid, state text, change text, content_checksum text, content_size bigint,
    content_modified timestamptz, ${FACT_DEFINITIONS})`;

const CONTENT_VALUES = [
  ...FACT_COLUMNS.map((column) => (column === 'keywords' ? `coalesce(r.keywords, '{}')` : `r.${column}`)),
  ...[
    `decode(r.content_checksum, 'hex')`,
    'r.content_size',
    'r.content_modified',
    'now()',
    '$2::uuid',
    '$3::text',
    '$4::int',
  ],
].join(', ');

/** What was read of files whose image is certain, or new. Primary key. */
export const WRITE_OWN = `
  UPDATE images i SET (${CONTENT_COLUMNS.join(', ')}) = (${CONTENT_VALUES}),
    due = false, state = r.state, state_since = CASE WHEN i.state = r.state THEN i.state_since ELSE now() END,
    last_change = coalesce(r.change, i.last_change),
    last_change_at = CASE WHEN r.change IS NULL THEN i.last_change_at ELSE now() END,
    last_change_by = CASE WHEN r.change IS NULL THEN i.last_change_by ELSE $5::uuid END
  FROM ${ROWS} WHERE i.id = r.image_id`;

/**
 * What was read at the path of an image that had other content: a row of its own until it is told whether that is an
 * edit. One such row an image; a later reading replaces it. Index images_replaces.
 */
export const WRITE_ARRIVALS = `
  INSERT INTO images (id, catalog_id, root_id, folder, name, holds_path, replaces, state, due, ${SEEN_COLUMNS.join(', ')},
    ${CONTENT_COLUMNS.join(', ')})
  SELECT r.id, i.catalog_id, i.root_id, i.folder, i.name, false, i.id, 'pending', false,
    ${SEEN_COLUMNS.map((column) => `i.${column}`).join(', ')}, ${CONTENT_VALUES}
  FROM ${ROWS} JOIN images i ON i.id = r.image_id
  ON CONFLICT (replaces) WHERE replaces IS NOT NULL DO UPDATE SET
    (${[...SEEN_COLUMNS, ...CONTENT_COLUMNS].join(', ')}) =
    (${[...SEEN_COLUMNS, ...CONTENT_COLUMNS].map((column) => `excluded.${column}`).join(', ')})
  RETURNING id, replaces`;

/** The file is what the image was before after all. */
export const DROP_ARRIVALS = `DELETE FROM images WHERE replaces = ANY($1::uuid[])`;

/** A file that cannot be read is listed all the same; it stays due, so that each analysis tries again. Primary key. */
export const SHOW_UNREADABLE = `
  UPDATE images SET state = 'active', state_since = now(), last_change = 'new', last_change_at = now(), last_change_by = $2
  WHERE id = ANY($1::uuid[]) AND state = 'pending'`;

/** What a batch has come to; counted from rows, so that it holds whatever attempts there were. Primary key, images_replaces. */
export const BATCH_COUNTS = `
  WITH batch AS (
    SELECT coalesce(analyzed_by = $2, false) AS read, EXISTS (
      SELECT 1 FROM image_problems p WHERE p.image_id = i.id AND p.phase = 'analyze' AND p.severity = 'error') AS failed
    FROM images i WHERE id = ANY($1::uuid[]) OR replaces = ANY($1::uuid[])
  )
  SELECT count(*) FILTER (WHERE read)::int AS read, count(*) FILTER (WHERE read AND NOT failed)::int AS analyzed,
    count(*) FILTER (WHERE failed)::int AS failed
  FROM batch`;
