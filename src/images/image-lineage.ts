import type { LineageSource } from '../tasks/index.js';

/** What was read of a file: format, dates, camera, position. Index images_analyzed_by. */
export const metadataLineage: LineageSource = {
  kind: 'metadata',
  subject: 'image',
  rows: `
    SELECT id AS subject_id, '' AS part, analyzed_by AS task_id, analysis_type AS task_type, analysis_version AS task_version,
      encode(checksum, 'hex') AS input_checksum, analyzed_at AS made_at
    FROM images WHERE analyzed_by IS NOT NULL`,
  link: (id) => `/api/images/${id}`,
};

/** Index image_renditions_task. */
export const thumbnailLineage: LineageSource = {
  kind: 'thumbnail',
  subject: 'image',
  rows: `
    SELECT image_id AS subject_id, size::text AS part, task_id, task_type, task_version,
      encode(source_checksum, 'hex') AS input_checksum, created_at AS made_at
    FROM image_renditions`,
  link: (id, size) => `/api/images/${id}/thumbnail/${size}`,
};

/** What was found wrong with a file. Index image_problems_task. */
export const problemLineage: LineageSource = {
  kind: 'problem',
  subject: 'image',
  rows: `
    SELECT image_id AS subject_id, phase || ':' || code AS part, task_id, task_type, task_version,
      encode(source_checksum, 'hex') AS input_checksum, created_at AS made_at
    FROM image_problems`,
};
