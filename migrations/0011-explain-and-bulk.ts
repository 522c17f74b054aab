import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What explaining, listing and changing many tasks need.
 *
 * Lists by type and status read finished_tasks_kind, which takes the place of finished_tasks_type: no index more for a
 * task to settle into. Replacing it reads all of finished_tasks (some 10 s for 5 million) and stops tasks from settling
 * for that time. Everything else is new or small.
 */
export class ExplainAndBulk implements MigrationInterface {
  name = 'ExplainAndBulk0000000000011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX finished_tasks_kind ON finished_tasks (type, status, id)`);
    await runner.query(`DROP INDEX finished_tasks_type`);

    // Beside types: the newest version of each that the worker knows. Empty: a worker from before this column.
    await runner.query(`ALTER TABLE task_workers ADD COLUMN versions int[] NOT NULL DEFAULT '{}'`);

    // For whoever deletes a task: its key may be used anew. Costs only requests that bring a key.
    await runner.query(`CREATE INDEX task_idempotency_keys_task ON task_idempotency_keys (task_id)`);

    // An operation on many tasks: planned by a dry run, done once it is confirmed, kept as the record of who did what.
    await runner.query(`
      CREATE TABLE task_bulks (
        id uuid PRIMARY KEY,
        action text NOT NULL,
        filter jsonb NOT NULL,
        statuses task_status[] NOT NULL,
        task_count int NOT NULL,
        is_complete boolean NOT NULL,
        planned_by text NOT NULL,
        planned_at timestamptz NOT NULL DEFAULT now(),
        confirmed_at timestamptz,
        next_chunk int NOT NULL DEFAULT 0,
        processed int NOT NULL DEFAULT 0,
        changed int NOT NULL DEFAULT 0,
        finished_at timestamptz,
        CONSTRAINT task_bulks_action CHECK (action IN ('cancel', 'retry', 'delete')),
        CONSTRAINT task_bulks_counts CHECK (next_chunk >= 0 AND changed >= 0 AND processed BETWEEN 0 AND task_count),
        CONSTRAINT task_bulks_only_confirmed_ones_act CHECK (confirmed_at IS NOT NULL OR (processed = 0 AND changed = 0)),
        CONSTRAINT task_bulks_finished CHECK (finished_at IS NULL OR processed = task_count)
      )`);
    // The tasks as they were chosen: what is confirmed is what is done.
    await runner.query(`
      CREATE TABLE task_bulk_chunks (
        bulk_id uuid NOT NULL REFERENCES task_bulks ON DELETE CASCADE,
        position int NOT NULL,
        task_ids uuid[] NOT NULL,
        PRIMARY KEY (bulk_id, position)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE task_bulk_chunks, task_bulks`);
    await runner.query(`DROP INDEX task_idempotency_keys_task`);
    await runner.query(`ALTER TABLE task_workers DROP COLUMN versions`);
    await runner.query(`CREATE INDEX finished_tasks_type ON finished_tasks (type, id)`);
    await runner.query(`DROP INDEX finished_tasks_kind`);
  }
}
