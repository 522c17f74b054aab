import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The task engine's tables.
 *
 * Unfinished tasks (`live_tasks`) live apart from finished ones (`finished_tasks`), so that claiming and settling cost
 * the same beside ten million finished tasks as beside none; the view `tasks` shows both. A row moves in the one
 * statement that settles it. `live_tasks` is small and rewritten all the time: a low fillfactor lets progress be
 * written in place, and autovacuum comes by row count instead of by share. Takes no lock worth a word: all is new.
 */
export class CreateTasks implements MigrationInterface {
  name = 'CreateTasks0000000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TYPE task_status AS ENUM ('created', 'queued', 'running', 'completed', 'failed', 'cancelled')`);

    // lock_key: the worker holds the advisory lock (LEASE_LOCK_CLASS, lock_key) on the connection it renews its lease on.
    await runner.query(`
      CREATE TABLE task_workers (
        id uuid PRIMARY KEY,
        lock_key int NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
        hostname text NOT NULL,
        pid int NOT NULL,
        queues jsonb NOT NULL,
        types text[] NOT NULL,
        started_at timestamptz NOT NULL DEFAULT now(),
        seen_at timestamptz NOT NULL DEFAULT now(),
        lease_expires_at timestamptz NOT NULL
      ) WITH (fillfactor = 50)`);

    await runner.query(`
      CREATE TABLE live_tasks (
        id uuid PRIMARY KEY,
        type text NOT NULL,
        version int NOT NULL,
        queue text NOT NULL,
        status task_status NOT NULL,
        ready boolean NOT NULL DEFAULT false,
        waiting boolean NOT NULL DEFAULT false,
        joining boolean NOT NULL DEFAULT false,
        priority int NOT NULL DEFAULT 0,
        attempt int NOT NULL DEFAULT 0,
        max_attempts int NOT NULL,
        fence int NOT NULL DEFAULT 0,
        crash_count int NOT NULL DEFAULT 0,
        timeout_ms int NOT NULL,
        worker_id uuid,
        processed bigint NOT NULL DEFAULT 0,
        total bigint,
        run_at timestamptz NOT NULL,
        start_by timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        queued_at timestamptz,
        started_at timestamptz,
        updated_at timestamptz NOT NULL DEFAULT now(),
        cancel_requested_at timestamptz,
        cancel_requested_by text,
        parent_id uuid,
        parent_round int,
        parent_position int,
        weight int NOT NULL DEFAULT 1,
        workflow_id uuid,
        requested_by text NOT NULL,
        name text NOT NULL,
        description text,
        domain text,
        drift_score double precision NOT NULL DEFAULT 0,
        dedup_key text,
        params jsonb NOT NULL DEFAULT '{}',
        task_metadata jsonb NOT NULL DEFAULT '{}',
        checkpoint jsonb,
        error_code text,
        error_category text,
        error_message text,
        CONSTRAINT live_tasks_unfinished CHECK (status IN ('created', 'queued', 'running')),
        CONSTRAINT live_tasks_ready_is_queued CHECK (NOT ready OR status = 'queued'),
        CONSTRAINT live_tasks_running_is_held CHECK ((status = 'running') = (worker_id IS NOT NULL OR waiting)),
        CONSTRAINT live_tasks_waiting_is_not_held CHECK (NOT waiting OR worker_id IS NULL),
        CONSTRAINT live_tasks_queued_at CHECK (status = 'created' OR queued_at IS NOT NULL),
        CONSTRAINT live_tasks_counts CHECK (attempt >= 0 AND max_attempts >= 1 AND fence >= 0 AND crash_count >= 0
          AND processed >= 0 AND (total IS NULL OR total >= 0) AND weight >= 0)
      ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
        autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 2000, autovacuum_vacuum_cost_delay = 1)`);
    // Claim: satisfies its ORDER BY outright. Delayed, blocked and running tasks are not in it.
    await runner.query(`
      CREATE INDEX live_tasks_ready ON live_tasks (queue, priority DESC, id) WHERE status = 'queued' AND ready`);
    // Promotion of delayed tasks whose time has come.
    await runner.query(`
      CREATE INDEX live_tasks_delayed ON live_tasks (run_at) WHERE status = 'queued' AND NOT ready`);
    // Rescue, and the list of running tasks.
    await runner.query(`
      CREATE INDEX live_tasks_running ON live_tasks (worker_id, id) WHERE status = 'running'`);
    await runner.query(`
      CREATE INDEX live_tasks_children ON live_tasks (parent_id) WHERE parent_id IS NOT NULL`);
    // One unfinished task a key.
    await runner.query(`
      CREATE UNIQUE INDEX live_tasks_dedup ON live_tasks (type, dedup_key) WHERE dedup_key IS NOT NULL`);

    await runner.query(`
      CREATE TABLE finished_tasks (
        id uuid PRIMARY KEY,
        type text NOT NULL,
        version int NOT NULL,
        queue text NOT NULL,
        status task_status NOT NULL,
        joining boolean NOT NULL,
        priority int NOT NULL,
        attempt int NOT NULL,
        max_attempts int NOT NULL,
        fence int NOT NULL,
        crash_count int NOT NULL,
        timeout_ms int NOT NULL,
        processed bigint NOT NULL,
        total bigint,
        run_at timestamptz NOT NULL,
        start_by timestamptz,
        created_at timestamptz NOT NULL,
        queued_at timestamptz,
        started_at timestamptz,
        updated_at timestamptz NOT NULL,
        completed_at timestamptz NOT NULL,
        parent_id uuid,
        parent_round int,
        parent_position int,
        weight int NOT NULL,
        workflow_id uuid,
        requested_by text NOT NULL,
        name text NOT NULL,
        description text,
        domain text,
        drift_score double precision NOT NULL,
        dedup_key text,
        params jsonb NOT NULL,
        task_metadata jsonb NOT NULL,
        checkpoint jsonb,
        result jsonb,
        result_ref text,
        error_code text,
        error_category text,
        error_message text,
        CONSTRAINT finished_tasks_finished CHECK (status IN ('completed', 'failed', 'cancelled')),
        CONSTRAINT finished_tasks_failure_says_why CHECK (status <> 'failed' OR (error_code IS NOT NULL AND error_message IS NOT NULL))
      ) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05)`);
    await runner.query(`CREATE INDEX finished_tasks_type ON finished_tasks (type, id)`);
    await runner.query(`
      CREATE INDEX finished_tasks_unsuccessful ON finished_tasks (status, id) WHERE status <> 'completed'`);
    await runner.query(`
      CREATE INDEX finished_tasks_children ON finished_tasks (parent_id, parent_round, parent_position)
      WHERE parent_id IS NOT NULL`);

    await runner.query(`
      CREATE VIEW tasks AS
        SELECT id, type, version, queue, status, waiting, priority, attempt, max_attempts, fence, crash_count, timeout_ms,
          worker_id, processed, total, run_at, start_by, created_at, queued_at, started_at, NULL::timestamptz AS completed_at,
          updated_at, cancel_requested_at, parent_id, parent_round, parent_position, weight, workflow_id, requested_by,
          name, description, domain, drift_score, dedup_key, params, task_metadata, NULL::jsonb AS result,
          NULL::text AS result_ref, error_code, error_category, error_message
        FROM live_tasks
        UNION ALL
        SELECT id, type, version, queue, status, false, priority, attempt, max_attempts, fence, crash_count, timeout_ms,
          NULL::uuid, processed, total, run_at, start_by, created_at, queued_at, started_at, completed_at,
          updated_at, NULL::timestamptz, parent_id, parent_round, parent_position, weight, workflow_id, requested_by,
          name, description, domain, drift_score, dedup_key, params, task_metadata, result,
          result_ref, error_code, error_category, error_message
        FROM finished_tasks`);

    // One row a fan-out (round) of a parent: counters apart from the wide row, rewritten in place as children end.
    await runner.query(`
      CREATE TABLE task_fan_outs (
        parent_id uuid NOT NULL,
        round int NOT NULL,
        total int NOT NULL,
        open int NOT NULL,
        completed int NOT NULL DEFAULT 0,
        failed int NOT NULL DEFAULT 0,
        cancelled int NOT NULL DEFAULT 0,
        weight bigint NOT NULL,
        processed bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (parent_id, round),
        CONSTRAINT task_fan_outs_add_up CHECK (open >= 0 AND total = open + completed + failed + cancelled)
      ) WITH (fillfactor = 50)`);

    // A task's items done: its own count, or the exact sum over its children, ended and running, however deep they go.
    await runner.query(`
      CREATE FUNCTION task_items_done(task uuid, own bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
        SELECT greatest(own, ended.processed + coalesce((
          SELECT sum(CASE WHEN coalesce(c.total, 0) = 0 THEN 0
            ELSE least(c.weight, c.weight * task_items_done(c.id, c.processed) / c.total) END)
          FROM live_tasks c WHERE c.parent_id = task), 0)::bigint)
        FROM (SELECT coalesce(sum(processed), 0)::bigint AS processed, count(*) AS rounds
          FROM task_fan_outs WHERE parent_id = task) ended
        WHERE ended.rounds > 0
        UNION ALL
        SELECT own WHERE NOT EXISTS (SELECT 1 FROM task_fan_outs WHERE parent_id = task)
        LIMIT 1 $$`);

    // The audit trail: append-only. Never updated, so the primary key is all the index it needs; BRIN serves time ranges.
    await runner.query(`
      CREATE TABLE task_events (
        task_id uuid NOT NULL,
        id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        from_status task_status,
        to_status task_status NOT NULL,
        attempt int NOT NULL,
        fence int NOT NULL,
        worker_id uuid,
        actor text NOT NULL,
        reason text NOT NULL,
        error_code text,
        error_category text,
        error_message text,
        PRIMARY KEY (task_id, id)
      )`);
    await runner.query(`CREATE INDEX task_events_at ON task_events USING brin (at)`);

    // Idempotency-Key: the same key from the same caller gives the same task.
    await runner.query(`
      CREATE TABLE task_idempotency_keys (
        actor text NOT NULL,
        key text NOT NULL,
        request_hash bytea NOT NULL,
        task_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (actor, key)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION task_items_done(uuid, bigint)`);
    await runner.query(`DROP TABLE task_idempotency_keys, task_events, task_fan_outs`);
    await runner.query(`DROP VIEW tasks`);
    await runner.query(`DROP TABLE finished_tasks, live_tasks, task_workers`);
    await runner.query(`DROP TYPE task_status`);
  }
}
