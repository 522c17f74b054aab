import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Workflows: tasks that wait for others, as a graph without cycles.
 *
 * A node is a task and shares its id. What decides when it may start (how many parents are open, and what those that
 * ended demand) is kept beside the graph and not in `live_tasks`, so that tasks without a workflow carry nothing of it.
 * All changes to a workflow's nodes are made under the lock of its row. Locks `live_tasks` (SHARE) while the partial
 * index is made: it holds no row yet, so that is one pass over the unfinished tasks.
 */
export class CreateWorkflows implements MigrationInterface {
  name = 'CreateWorkflows0000000000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TYPE workflow_outcome AS ENUM ('completed', 'failed', 'cancelled', 'skipped')`);
    await runner.query(`CREATE TYPE workflow_verdict AS ENUM ('run', 'skip', 'fail')`);
    await runner.query(`CREATE TYPE workflow_failure_policy AS ENUM ('fail', 'skip', 'run_anyway')`);

    // Counters are rewritten in place as nodes end. progress: the highest that was ever shown since the last retry.
    await runner.query(`
      CREATE TABLE workflows (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        requested_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        completed_at timestamptz,
        cancel_requested_at timestamptz,
        total int NOT NULL,
        open int NOT NULL,
        completed int NOT NULL DEFAULT 0,
        failed int NOT NULL DEFAULT 0,
        cancelled int NOT NULL DEFAULT 0,
        skipped int NOT NULL DEFAULT 0,
        weight bigint NOT NULL,
        weight_ended bigint NOT NULL DEFAULT 0,
        progress int NOT NULL DEFAULT 0,
        CONSTRAINT workflows_add_up CHECK (open >= 0 AND total = open + completed + failed + cancelled + skipped),
        CONSTRAINT workflows_completed_at CHECK ((completed_at IS NULL) = (open > 0))
      ) WITH (fillfactor = 50)`);

    // waiting: parents that have not ended. verdict: the gravest demand of those that have; blamed: who made it.
    // params, skip_if, reads: only for nodes that take something from their parents' results (name → task).
    await runner.query(`
      CREATE TABLE workflow_nodes (
        task_id uuid PRIMARY KEY,
        workflow_id uuid NOT NULL,
        name text NOT NULL,
        level int NOT NULL,
        weight int NOT NULL,
        waiting int NOT NULL,
        verdict workflow_verdict NOT NULL DEFAULT 'run',
        blamed text,
        outcome workflow_outcome,
        params jsonb,
        skip_if jsonb,
        reads jsonb,
        CONSTRAINT workflow_nodes_name UNIQUE (workflow_id, name),
        CONSTRAINT workflow_nodes_waiting CHECK (waiting >= 0),
        CONSTRAINT workflow_nodes_blame CHECK ((verdict = 'run') = (blamed IS NULL))
      ) WITH (fillfactor = 70)`);

    await runner.query(`
      CREATE TABLE workflow_edges (
        parent_id uuid NOT NULL,
        child_id uuid NOT NULL,
        on_failure workflow_failure_policy NOT NULL,
        PRIMARY KEY (parent_id, child_id)
      )`);
    // Looks upwards: a retry asks what the parents demand, the graph shows what a node waits for.
    await runner.query(`CREATE INDEX workflow_edges_child ON workflow_edges (child_id, parent_id)`);

    // Progress of a workflow: its nodes that are at work.
    await runner.query(`
      CREATE INDEX live_tasks_workflow ON live_tasks (workflow_id) WHERE workflow_id IS NOT NULL AND status = 'running'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX live_tasks_workflow`);
    await runner.query(`DROP TABLE workflow_edges, workflow_nodes, workflows`);
    await runner.query(`DROP TYPE workflow_failure_policy, workflow_verdict, workflow_outcome`);
  }
}
