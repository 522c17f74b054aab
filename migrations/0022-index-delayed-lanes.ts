import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How many tasks of each queue are not to start yet: by their lanes, not by looking through those of all queues. Only what
 * is delayed is in the index, and equal lanes are stored once.
 *
 * Building it reads live_tasks (about a second for a million) and stops tasks from being added and from settling for
 * that time.
 */
export class IndexDelayedLanes implements MigrationInterface {
  name = 'IndexDelayedLanes0000000000022';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX live_tasks_delayed_lanes ON live_tasks (lane)
        WHERE status = 'queued' AND NOT ready AND crash_count = 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX live_tasks_delayed_lanes');
  }
}
