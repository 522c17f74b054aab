import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Following the audit trail: what has been committed since a snapshot is found by the transactions that wrote it. Their
 * numbers come almost in ascending order, so that an entry goes to the end of the index, and those of one transaction share
 * one; bulk work writes one a statement. Without these, every look would read the trail from the oldest open transaction on.
 *
 * Building them reads both tables and stops their writers for that time: some seconds for 10 million rows.
 */
export class FollowAuditTrail implements MigrationInterface {
  name = 'FollowAuditTrail0000000000013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX task_events_tx ON task_events (tx)`);
    await runner.query(`CREATE INDEX task_event_batches_tx ON task_event_batches (tx)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX task_event_batches_tx, task_events_tx`);
  }
}
