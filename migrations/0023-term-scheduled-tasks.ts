import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Schedules say with which priority their tasks go, and within what time these are to start. Null, as in all that are there:
 * the priority of the type, and no limit.
 *
 * Lock: ACCESS EXCLUSIVE on task_schedules, which has few rows, for a moment.
 */
export class TermScheduledTasks implements MigrationInterface {
  name = 'TermScheduledTasks0000000000023';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE task_schedules
        ADD COLUMN priority integer,
        ADD COLUMN start_within_ms integer,
        ADD CONSTRAINT task_schedules_start_within CHECK (start_within_ms > 0)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE task_schedules DROP COLUMN priority, DROP COLUMN start_within_ms`);
  }
}
