import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Snapshots taken while the audit trail grows, one a second at most and for as long as a position lasts. Whoever has much to
 * catch up on reads from one to the next: in between lies what a page or a few hold, where before every page had to sort all
 * that was missed.
 *
 * Lock: none, the table is new.
 */
export class MarkAuditTrail implements MigrationInterface {
  name = 'MarkAuditTrail0000000000021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE task_event_marks (
        ends xid8 PRIMARY KEY GENERATED ALWAYS AS (pg_snapshot_xmax(seen)) STORED,
        seen pg_snapshot NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE task_event_marks`);
  }
}
