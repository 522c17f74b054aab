import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tasks whose worker was lost (`crash_count > 0`) are suspects: never ready for everybody, and claimed through an index of
 * their own by workers that run them alone. `deaths_alone` counts the processes that a living one saw die of nothing but
 * this task. `task_worker_losses` says which workers were lost, as opposed to those that ended: only a loss casts
 * suspicion, and a process that turns out to be alive takes it back.
 *
 * Takes ACCESS EXCLUSIVE on live_tasks and task_workers for a moment; live_tasks holds unfinished tasks only, so rebuilding
 * one of its partial indexes takes milliseconds to seconds. Tasks that crashed before are cleared: nobody knows with whom.
 */
export class IsolateSuspects implements MigrationInterface {
  name = 'IsolateSuspects0000000000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE live_tasks SET crash_count = 0 WHERE crash_count > 0`);
    await runner.query(`
      ALTER TABLE live_tasks
        ADD COLUMN deaths_alone int NOT NULL DEFAULT 0,
        ADD CONSTRAINT live_tasks_suspect_is_not_ready CHECK (NOT ready OR crash_count = 0)`);
    await runner.query(`DROP INDEX live_tasks_delayed`);
    // Promotion of delayed tasks whose time has come.
    await runner.query(`
      CREATE INDEX live_tasks_delayed ON live_tasks (run_at) WHERE status = 'queued' AND NOT ready AND crash_count = 0`);
    // Suspects that wait to run alone; those that have the least against them first.
    await runner.query(`
      CREATE INDEX live_tasks_suspects ON live_tasks (crash_count, id)
      WHERE status = 'queued' AND NOT ready AND crash_count > 0`);
    await runner.query(`
      ALTER TABLE task_workers
        ADD COLUMN isolated boolean NOT NULL DEFAULT false,
        ADD COLUMN ending boolean NOT NULL DEFAULT false`);
    await runner.query(`
      CREATE TABLE task_worker_losses (
        worker_id uuid PRIMARY KEY,
        witnessed boolean NOT NULL,
        how text NOT NULL,
        lost_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE task_worker_losses`);
    await runner.query(`ALTER TABLE task_workers DROP COLUMN isolated, DROP COLUMN ending`);
    await runner.query(`DROP INDEX live_tasks_suspects, live_tasks_delayed`);
    await runner.query(`
      ALTER TABLE live_tasks DROP CONSTRAINT live_tasks_suspect_is_not_ready, DROP COLUMN deaths_alone`);
    await runner.query(`UPDATE live_tasks SET ready = true WHERE status = 'queued' AND crash_count > 0`);
    await runner.query(`
      CREATE INDEX live_tasks_delayed ON live_tasks (run_at) WHERE status = 'queued' AND NOT ready`);
  }
}
