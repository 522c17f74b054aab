import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Task types that are declared over HTTP and worked on from any language.
 *
 * What an external worker claims in one call it holds under one lease: a row of task_workers like a worker process's own,
 * so that the rescuer takes its tasks back in the same way; `external` says that no connection stands behind it. The
 * schemas of a (name, version) never change. Locks task_workers exclusively for the time of a catalogue change: the
 * default of the new column is not written to its rows.
 */
export class CreateExternalWorkers implements MigrationInterface {
  name = 'CreateExternalWorkers0000000000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE task_workers ADD COLUMN external boolean NOT NULL DEFAULT false`);
    await runner.query(`
      CREATE TABLE external_task_types (
        name text NOT NULL,
        version int NOT NULL,
        title text NOT NULL,
        queue text NOT NULL,
        priority int NOT NULL,
        max_attempts int NOT NULL,
        first_delay_ms int NOT NULL,
        max_delay_ms int NOT NULL,
        timeout_ms int NOT NULL,
        input_schema jsonb NOT NULL,
        result_schema jsonb,
        declared_by text NOT NULL,
        declared_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (name, version),
        CONSTRAINT external_task_types_name CHECK (name ~ '^[a-z][a-z0-9_.-]*$'),
        CONSTRAINT external_task_types_limits CHECK (version >= 1 AND max_attempts >= 1 AND timeout_ms >= 1
          AND first_delay_ms >= 0 AND max_delay_ms >= first_delay_ms)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE external_task_types`);
    await runner.query(`ALTER TABLE task_workers DROP COLUMN external`);
  }
}
