/**
 * Replaces what is recorded against images in one phase ($2) by what is known now: unchanged rows are not written.
 * $1: the images; $3: [{image_id, code, severity, message, checksum}]. Primary key.
 */
export const DROP_OLD_PROBLEMS = `
  DELETE FROM image_problems p WHERE p.image_id = ANY($1::uuid[]) AND p.phase = $2
    AND NOT EXISTS (
      SELECT 1 FROM jsonb_to_recordset($3::jsonb) AS n(image_id uuid, code text) WHERE n.image_id = p.image_id AND n.code = p.code)`;

export const WRITE_PROBLEMS = `
  INSERT INTO image_problems (image_id, phase, code, severity, message, source_checksum, task_id, task_type, task_version)
  SELECT DISTINCT ON (n.image_id, n.code) n.image_id, $2, n.code, n.severity, n.message, decode(n.checksum, 'hex'), $3, $4, $5
  FROM jsonb_to_recordset($1::jsonb) AS n(image_id uuid, code text, severity text, message text, checksum text)
  ORDER BY n.image_id, n.code, n.severity
  ON CONFLICT (image_id, phase, code) DO UPDATE SET severity = excluded.severity, message = excluded.message,
    source_checksum = excluded.source_checksum, task_id = excluded.task_id, task_type = excluded.task_type,
    task_version = excluded.task_version, created_at = now()
  WHERE (image_problems.severity, image_problems.message, image_problems.source_checksum)
    IS DISTINCT FROM (excluded.severity, excluded.message, excluded.source_checksum)`;
