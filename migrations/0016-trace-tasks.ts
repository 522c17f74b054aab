import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Where in which trace an unfinished task was added, as in the W3C header `traceparent`; its attempts go on from there, in
 * whichever process they run. Null without traces. Finished tasks have none: run again, they go on from whoever asked.
 *
 * Lock: ACCESS EXCLUSIVE on live_tasks for a moment; no row is rewritten.
 */
export class TraceTasks implements MigrationInterface {
  name = 'TraceTasks0000000000016';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE live_tasks ADD COLUMN trace_parent text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE live_tasks DROP COLUMN trace_parent`);
  }
}
