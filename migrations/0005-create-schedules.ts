import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Schedules, and what became of their ticks.
 *
 * The primary key of `task_schedule_ticks` is what admits one task a tick, whoever else is at it; rows are only added and
 * removed under the lock of their schedule's row. The latest of each schedule are kept. `task_schedule_defaults` remembers
 * which of the schedules that modules ship have been put in: once, so that whoever changes or deletes one has the last
 * word. Takes no lock worth a word: all is new.
 */
export class CreateSchedules implements MigrationInterface {
  name = 'CreateSchedules0000000000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE task_schedules (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        description text,
        task_type text NOT NULL,
        task_version int NOT NULL,
        params jsonb NOT NULL,
        cron text NOT NULL,
        time_zone text NOT NULL,
        catch_up text NOT NULL,
        catch_up_max int NOT NULL,
        overlap text NOT NULL,
        next_tick_at timestamptz,
        paused_at timestamptz,
        paused_by text,
        created_at timestamptz NOT NULL DEFAULT now(),
        created_by text NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        updated_by text NOT NULL,
        CONSTRAINT task_schedules_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
        CONSTRAINT task_schedules_params CHECK (jsonb_typeof(params) = 'object'),
        CONSTRAINT task_schedules_catch_up CHECK (catch_up IN ('skip', 'latest', 'all') AND catch_up_max BETWEEN 1 AND 1000),
        CONSTRAINT task_schedules_overlap CHECK (overlap IN ('skip', 'queue')),
        CONSTRAINT task_schedules_paused_by_someone CHECK ((paused_at IS NULL) = (paused_by IS NULL)),
        CONSTRAINT task_schedules_paused_has_no_next CHECK (paused_at IS NULL OR next_tick_at IS NULL)
      ) WITH (fillfactor = 70)`);
    await runner.query(`CREATE UNIQUE INDEX task_schedules_name ON task_schedules (lower(name))`);
    // What is due, and when the next one is.
    await runner.query(`
      CREATE INDEX task_schedules_next_tick ON task_schedules (next_tick_at) WHERE next_tick_at IS NOT NULL`);

    await runner.query(`
      CREATE TABLE task_schedule_ticks (
        schedule_id uuid NOT NULL REFERENCES task_schedules (id) ON DELETE CASCADE,
        tick_at timestamptz NOT NULL,
        cause text NOT NULL,
        outcome text NOT NULL,
        task_id uuid,
        missed_from timestamptz,
        error_code text,
        error_message text,
        decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (schedule_id, tick_at, cause),
        CONSTRAINT task_schedule_ticks_cause CHECK (cause IN ('tick', 'manual')),
        CONSTRAINT task_schedule_ticks_outcome
          CHECK (outcome IN ('started', 'joined', 'waiting', 'overlapped', 'missed', 'refused')),
        CONSTRAINT task_schedule_ticks_started_has_task CHECK ((outcome IN ('started', 'joined')) = (task_id IS NOT NULL)),
        CONSTRAINT task_schedule_ticks_refusal_says_why CHECK ((outcome = 'refused') = (error_code IS NOT NULL))
      )`);
    // Whose turn it is, once the task before has ended.
    await runner.query(`
      CREATE INDEX task_schedule_ticks_waiting ON task_schedule_ticks (schedule_id, tick_at) WHERE outcome = 'waiting'`);

    await runner.query(`
      CREATE TABLE task_schedule_defaults (
        name text PRIMARY KEY,
        inserted_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE task_schedule_defaults, task_schedule_ticks, task_schedules`);
  }
}
