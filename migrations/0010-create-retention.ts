import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How long finished tasks are kept, by type and outcome, and which archive files hold those that were removed; indexes
 * to find what a task made.
 *
 * A file that no row of `task_archives` names holds nothing that was removed: the row is written in the transaction that
 * removes. Locks: SHARE on task_idempotency_keys, images and image_problems while their indexes are built, a second or so
 * a million rows; who writes to them waits meanwhile. Tasks get no index: ending one costs what it did.
 */
export class CreateRetention implements MigrationInterface {
  name = 'CreateRetention0000000000010';

  async up(runner: QueryRunner): Promise<void> {
    // keep_days NULL: for ever. What has no row follows the default in the settings.
    await runner.query(`
      CREATE TABLE task_retention (
        type text NOT NULL,
        outcome task_status NOT NULL,
        keep_days int,
        updated_at timestamptz NOT NULL DEFAULT now(),
        updated_by text NOT NULL,
        PRIMARY KEY (type, outcome),
        CONSTRAINT task_retention_outcome CHECK (outcome IN ('completed', 'failed', 'cancelled')),
        CONSTRAINT task_retention_keep_days CHECK (keep_days BETWEEN 1 AND 36500)
      )`);
    // name: path below the folder of archives. removed_by: the retention task.
    await runner.query(`
      CREATE TABLE task_archives (
        name text COLLATE "C" PRIMARY KEY,
        removed_by uuid NOT NULL,
        tasks int NOT NULL,
        size_bytes bigint NOT NULL,
        checksum bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT task_archives_checksum_is_sha256 CHECK (octet_length(checksum) = 32)
      )`);
    await runner.query(`CREATE INDEX task_idempotency_keys_created_at ON task_idempotency_keys (created_at)`);
    // Lineage: what a task read. image_renditions has its own index by task.
    await runner.query(`CREATE INDEX images_analyzed_by ON images (analyzed_by) WHERE analyzed_by IS NOT NULL`);
    await runner.query(`CREATE INDEX image_problems_task ON image_problems (task_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX image_problems_task, images_analyzed_by`);
    await runner.query(`DROP INDEX task_idempotency_keys_created_at`);
    await runner.query(`DROP TABLE task_archives, task_retention`);
  }
}
