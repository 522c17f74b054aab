/** What became of images by one job (index images_last_change). */
export const CHANGES_BY = `
  SELECT last_change AS change, count(*)::int AS count FROM images WHERE last_change_by = $1 AND catalog_id = $2 GROUP BY last_change`;

/** Index images_imported. */
export const STANDING = `
  SELECT count(*) FILTER (WHERE state = 'offline')::int AS offline,
    count(*) FILTER (WHERE state = 'active' AND EXISTS (
      SELECT 1 FROM image_problems p WHERE p.image_id = images.id AND p.phase = 'analyze' AND p.severity = 'error'))::int AS failed
  FROM images WHERE catalog_id = $1 AND replaces IS NULL`;

/** How many images of a catalogue have each problem, of those whose file is there. Primary key of image_problems. */
export const PROBLEM_COUNTS = `
  SELECT p.code, count(*)::int AS count FROM images i JOIN image_problems p ON p.image_id = i.id AND p.phase = $2
  WHERE i.catalog_id = $1 AND i.state = 'active' AND i.replaces IS NULL AND p.severity = $3
  GROUP BY p.code ORDER BY count(*) DESC, p.code`;
