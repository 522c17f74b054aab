import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lanes, ranks and limits: what is claimed, in which order, and how much of it at once (docs/limits.md).
 *
 * Takes ACCESS EXCLUSIVE on live_tasks and rewrites its rows once; it holds unfinished tasks only (some 10 s a million).
 * finished_tasks gets a column without a default, which takes no time.
 */
export class AddLanesAndLimits implements MigrationInterface {
  name = 'AddLanesAndLimits0000000000012';

  async up(runner: QueryRunner): Promise<void> {
    await addLanes(runner);
    await createLimits(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE external_task_types DROP COLUMN concurrency_key`);
    await runner.query(`DROP TABLE task_limit_events, task_limit_states, task_lane_sweep, task_lanes, task_limits`);
    await runner.query(`DROP SEQUENCE task_limit_revision`);
    await runner.query(`DROP INDEX live_tasks_ready, live_tasks_limited, live_tasks_start_by`);
    await runner.query(`ALTER TABLE live_tasks DROP COLUMN lane, DROP COLUMN rank, DROP COLUMN concurrency_key`);
    await runner.query(`ALTER TABLE finished_tasks DROP COLUMN concurrency_key`);
    await runner.query(`
      CREATE INDEX live_tasks_ready ON live_tasks (queue, priority DESC, id) WHERE status = 'queued' AND ready`);
  }
}

async function addLanes(runner: QueryRunner): Promise<void> {
  // The lane is compared bytewise: what begins alike lies together, whatever the locale of the database.
  await runner.query(`
    ALTER TABLE live_tasks ADD COLUMN lane text COLLATE "C", ADD COLUMN rank bigint, ADD COLUMN concurrency_key text`);
  await runner.query(`ALTER TABLE finished_tasks ADD COLUMN concurrency_key text`);
  await runner.query(`DROP INDEX live_tasks_ready`);
  // 300 s of waiting for each point of priority, in microseconds.
  await runner.query(`
    UPDATE live_tasks
    SET lane = queue, rank = (extract(epoch FROM created_at) * 1000000)::bigint - priority::bigint * 300000000`);
  await runner.query(`ALTER TABLE live_tasks ALTER COLUMN lane SET NOT NULL, ALTER COLUMN rank SET NOT NULL`);
  // Claims.
  await runner.query(`CREATE INDEX live_tasks_ready ON live_tasks (lane, rank, id) WHERE status = 'queued' AND ready`);
  // How much of a type with limits, and of each of its keys, runs now. Ordinary tasks are not in it.
  await runner.query(`
    CREATE INDEX live_tasks_limited ON live_tasks (type, concurrency_key)
    WHERE status = 'running' AND worker_id IS NOT NULL AND lane <> queue COLLATE "C"`);
  // Tasks that fail unless they start in time.
  await runner.query(`
    CREATE INDEX live_tasks_start_by ON live_tasks (start_by)
    WHERE status = 'queued' AND start_by IS NOT NULL AND started_at IS NULL`);
}

async function createLimits(runner: QueryRunner): Promise<void> {
  // Counts changes of limits. A sequence, because a claim must see the newest value whatever its snapshot. As if it had
  // given out its first value: else the next would be the same.
  await runner.query(`CREATE SEQUENCE task_limit_revision`);
  await runner.query(`SELECT nextval('task_limit_revision')`);
  // What the code declares and what operators set instead, field by field.
  await runner.query(`
    CREATE TABLE task_limits (
      scope text NOT NULL,
      name text NOT NULL,
      declared jsonb NOT NULL DEFAULT '{}',
      overridden jsonb NOT NULL DEFAULT '{}',
      paused_at timestamptz,
      paused_by text,
      pause_reason text,
      changed_at timestamptz NOT NULL DEFAULT now(),
      changed_by text NOT NULL,
      PRIMARY KEY (scope, name),
      CONSTRAINT task_limits_scope CHECK (scope IN ('queue', 'type')),
      CONSTRAINT task_limits_are_objects CHECK (jsonb_typeof(declared) = 'object' AND jsonb_typeof(overridden) = 'object'),
      CONSTRAINT task_limits_paused_by_someone CHECK ((paused_at IS NULL) = (paused_by IS NULL)),
      CONSTRAINT task_limits_pause_reason CHECK (pause_reason IS NULL OR paused_at IS NOT NULL)
    )`);
  // Types whose tasks wait apart from those of their queue. Never taken back: a lane without limits costs next to nothing.
  await runner.query(`
    CREATE TABLE task_lanes (
      type text PRIMARY KEY,
      created_at timestamptz NOT NULL DEFAULT now(),
      settles_after xid8,
      settled_at timestamptz
    )`);
  // How far the tasks of new lanes have been looked for: one row.
  await runner.query(`
    CREATE TABLE task_lane_sweep (
      is_the_one boolean PRIMARY KEY DEFAULT true,
      swept_to uuid,
      is_clean boolean NOT NULL DEFAULT true,
      horizon xid8,
      CONSTRAINT task_lane_sweep_is_one CHECK (is_the_one)
    )`);
  await runner.query(`INSERT INTO task_lane_sweep DEFAULT VALUES`);
  // What changes with every claim of a limited type. Claims take the row, one at a time.
  await runner.query(`
    CREATE TABLE task_limit_states (
      scope text NOT NULL,
      name text NOT NULL,
      tokens float8,
      tokens_at timestamptz,
      last_lane text COLLATE "C",
      circuit text NOT NULL DEFAULT 'closed',
      failures int NOT NULL DEFAULT 0,
      opened_at timestamptz,
      probe_at timestamptz,
      cool_down_ms bigint,
      probe_task uuid,
      probe_fence int,
      last_error text,
      PRIMARY KEY (scope, name),
      FOREIGN KEY (scope, name) REFERENCES task_limits,
      CONSTRAINT task_limit_states_circuit CHECK (circuit IN ('closed', 'open', 'probing')),
      CONSTRAINT task_limit_states_open CHECK ((circuit = 'closed') = (opened_at IS NULL)),
      CONSTRAINT task_limit_states_probe CHECK ((circuit = 'probing') = (probe_task IS NOT NULL)),
      CONSTRAINT task_limit_states_counts CHECK (failures >= 0 AND tokens >= 0)
    ) WITH (fillfactor = 50)`);
  await runner.query(`
    CREATE TABLE task_limit_events (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      scope text NOT NULL,
      name text NOT NULL,
      action text NOT NULL,
      actor text NOT NULL,
      reason text,
      details jsonb NOT NULL DEFAULT '{}',
      CONSTRAINT task_limit_events_action CHECK (
        action IN ('paused', 'resumed', 'limits_set', 'limits_reset', 'limits_declared', 'circuit_opened', 'circuit_closed'))
    )`);
  await runner.query(`CREATE INDEX task_limit_events_of ON task_limit_events (scope, name, id)`);
  // The field of the input whose value is the key of a task of this type.
  await runner.query(`ALTER TABLE external_task_types ADD COLUMN concurrency_key text`);
}
