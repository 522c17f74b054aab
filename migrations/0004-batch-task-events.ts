import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Audit rows of transitions that many tasks make in one statement, kept together: a row a task cost the engine a fifth of
 * its time in the database. `task_events` goes on holding those of single tasks and of failures; the view `task_history`
 * shows both, a row a transition. `tx` lets readers who follow the trail wait for transactions that took an id and have
 * not committed yet.
 *
 * Takes ACCESS EXCLUSIVE on task_events for as long as rewriting it takes (a second a million rows): the default of the
 * new column is not a constant.
 */
export class BatchTaskEvents implements MigrationInterface {
  name = 'BatchTaskEvents0000000000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE task_events ADD COLUMN tx xid8 NOT NULL DEFAULT pg_current_xact_id()`);

    await runner.query(`CREATE TYPE uuid_range AS RANGE (subtype = uuid)`);
    // task_ids, attempts and fences are parallel; without the latter two, the tasks have not been tried yet. One sequence
    // numbers the rows of both tables.
    await runner.query(`
      CREATE TABLE task_event_batches (
        id bigint PRIMARY KEY DEFAULT nextval('task_events_id_seq'),
        tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        from_status task_status,
        to_status task_status NOT NULL,
        worker_id uuid,
        actor text NOT NULL,
        reason text NOT NULL,
        tasks uuid_range NOT NULL,
        task_ids uuid[] NOT NULL,
        attempts int[],
        fences int[],
        CONSTRAINT task_event_batches_parallel CHECK (cardinality(task_ids) > 0
          AND cardinality(attempts) = cardinality(task_ids) AND cardinality(fences) = cardinality(task_ids))
      )`);
    // Tasks get ascending ids and are mostly taken in that order, so that few batches span any one of them.
    await runner.query(`CREATE INDEX task_event_batches_tasks ON task_event_batches USING gist (tasks)`);
    await runner.query(`CREATE INDEX task_event_batches_at ON task_event_batches USING brin (at)`);

    await runner.query(`
      CREATE VIEW task_history AS
        SELECT task_id, id, tx, at, from_status, to_status, attempt, fence, worker_id, actor, reason, error_code,
          error_category, error_message
        FROM task_events
        UNION ALL
        SELECT t.task_id, b.id, b.tx, b.at, b.from_status, b.to_status, coalesce(t.attempt, 0), coalesce(t.fence, 0),
          b.worker_id, b.actor, b.reason, NULL, NULL, NULL
        FROM task_event_batches b, unnest(b.task_ids, b.attempts, b.fences) AS t(task_id, attempt, fence)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP VIEW task_history`);
    await runner.query(`
      INSERT INTO task_events (task_id, id, at, from_status, to_status, attempt, fence, worker_id, actor, reason)
        OVERRIDING SYSTEM VALUE
      SELECT t.task_id, b.id, b.at, b.from_status, b.to_status, coalesce(t.attempt, 0), coalesce(t.fence, 0), b.worker_id,
        b.actor, b.reason
      FROM task_event_batches b, unnest(b.task_ids, b.attempts, b.fences) AS t(task_id, attempt, fence)`);
    await runner.query(`DROP TABLE task_event_batches`);
    await runner.query(`DROP TYPE uuid_range`);
    await runner.query(`ALTER TABLE task_events DROP COLUMN tx`);
  }
}
