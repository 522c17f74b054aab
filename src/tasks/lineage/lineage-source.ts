/**
 * A kind of artefact and where its rows say what made them. The query is wrapped and filtered, never run whole: keep it a
 * plain SELECT, so that the filters reach the table's indexes (one by task, one by subject).
 */
export interface LineageSource {
  /** What was made: `thumbnail`. One source a kind. */
  readonly kind: string;
  /** What it was made of or for: `image`. */
  readonly subject: string;
  /**
   * A SELECT of subject_id (uuid), part (text: which of several, '' when there is one), task_id (uuid), task_type, task_version,
   * input_checksum (text, hexadecimal; null when the input is no content) and made_at.
   */
  readonly rows: string;
  /** Where the artefact is over HTTP; undefined when it has no address of its own. */
  readonly link?: (subjectId: string, part: string) => string;
}
