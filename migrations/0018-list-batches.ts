import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Pages of a task's batches, newest first: both indexes of children are in the order of ids, which within one fan-out is
 * that of positions. In any other order a page of a task with 100,000 batches would read and sort all of them.
 *
 * They take the place of the ones before, so that a task that settles writes no more. Building them reads live_tasks and
 * finished_tasks (some 5 s for 5 million) and stops tasks from being added and from settling for that time.
 */
export class ListBatches implements MigrationInterface {
  name = 'ListBatches0000000000018';

  async up(runner: QueryRunner): Promise<void> {
    await replace(runner, 'finished_tasks', '(parent_id, id)');
    await replace(runner, 'live_tasks', '(parent_id, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await replace(runner, 'finished_tasks', '(parent_id, parent_round, parent_position)');
    await replace(runner, 'live_tasks', '(parent_id)');
  }
}

async function replace(runner: QueryRunner, table: string, columns: string): Promise<void> {
  await runner.query(`DROP INDEX ${table}_children`);
  await runner.query(`CREATE INDEX ${table}_children ON ${table} ${columns} WHERE parent_id IS NOT NULL`);
}
