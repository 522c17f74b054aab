import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Cancelled tasks whose children are not all cancelled yet: too many for one transaction. A row goes when they are; there
 * are as many as there are such tasks at the moment, so none most of the time.
 *
 * A new table: no locks, no time.
 */
export class NoteCancellations implements MigrationInterface {
  name = 'NoteCancellations0000000000020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE task_cancellations (
        parent_id uuid NOT NULL,
        -- Children of later fan-outs are of another run.
        round int NOT NULL,
        -- The last child that was dealt with.
        swept_to uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
        actor text NOT NULL,
        CONSTRAINT task_cancellations_pkey PRIMARY KEY (parent_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE task_cancellations');
  }
}
