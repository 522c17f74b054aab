import { type Engine, type TestInput, work } from './engine-harness.js';
import { ACTOR } from './engine-harness.js';
import { type NodeSpec, type Workflow, type WorkflowNode, WorkflowService } from '../../src/tasks/index.js';
import { waitFor, type WaitOptions } from './wait-for.js';

/** A node of the test's usual type. `after` as in the API. */
export const node = (name: string, after: NodeSpec['after'] = [], rest: Partial<NodeSpec> = {}): NodeSpec => ({
  name,
  type: work,
  after,
  params: { key: name } satisfies TestInput,
  ...rest,
});

/** Workflows of an engine, as a test asks for them. */
export class Workflows {
  readonly service = this.engine.app.get(WorkflowService);

  constructor(readonly engine: Engine) {}

  async start(...nodes: NodeSpec[]): Promise<string> {
    return (await this.service.start({ name: 'test', nodes }, { actor: ACTOR })).id;
  }

  async node(id: string, name: string): Promise<WorkflowNode> {
    const found = (await this.service.nodes(id)).find((one) => one.name === name);
    if (!found) throw new Error(`there is no node ${name}`);
    return found;
  }

  /** Where every node stands: `{ a: 'completed' }`. */
  async statuses(id: string): Promise<Record<string, string>> {
    return Object.fromEntries((await this.service.nodes(id)).map(({ name, status }) => [name, status]));
  }

  finished(id: string, options?: WaitOptions): Promise<Workflow> {
    return this.until(id, ({ status }) => status !== 'running', options);
  }

  until(id: string, holds: (workflow: Workflow) => boolean, options?: WaitOptions): Promise<Workflow> {
    return waitFor(
      `workflow ${id}`,
      async () => {
        const workflow = await this.service.get(id);
        return holds(workflow) ? workflow : undefined;
      },
      options,
    );
  }

  untilNode(id: string, name: string, status: string): Promise<WorkflowNode> {
    return waitFor(`node ${name} to be ${status}`, async () => {
      const found = await this.node(id, name);
      return found.status === status ? found : undefined;
    });
  }

  /** The audit trail of a node as one line a transition: `from>to reason actor`. */
  async trail(id: string, name: string): Promise<string[]> {
    const { taskId } = await this.node(id, name);
    const events = await this.engine.tasks.events(taskId, { limit: 1_000 });
    return events.map(({ from, to, reason, actor }) => `${from ?? ''}>${to} ${reason} ${actor}`);
  }

  /**
   * What must hold of workflows whenever nothing is under way, computed anew from the edges and the tasks: counters,
   * outcomes, and that nobody waits for nothing. Gives what is wrong.
   */
  wrong(): Promise<object[]> {
    return this.engine.database.query(`
      WITH parents AS (
        SELECT e.child_id, count(*) FILTER (WHERE p.outcome IS NULL)::int AS open,
          bool_or(p.outcome IN ('failed', 'cancelled') AND e.on_failure = 'fail') AS fails,
          bool_or(p.outcome = 'skipped' AND e.on_failure <> 'run_anyway'
            OR p.outcome IN ('failed', 'cancelled') AND e.on_failure = 'skip') AS skips
        FROM workflow_edges e JOIN workflow_nodes p ON p.task_id = e.parent_id GROUP BY e.child_id
      ), nodes AS (
        SELECT n.*, t.status, t.error_code, coalesce(p.open, 0) AS really_waiting,
          CASE WHEN p.fails THEN 'fail' WHEN p.skips THEN 'skip' ELSE 'run' END AS really_verdict
        FROM workflow_nodes n LEFT JOIN tasks t ON t.id = n.task_id LEFT JOIN parents p ON p.child_id = n.task_id
      )
      SELECT name, 'counter' AS what FROM nodes WHERE waiting <> really_waiting OR verdict::text <> really_verdict
      UNION ALL
      SELECT name, 'outcome' FROM nodes WHERE coalesce(outcome::text, '-') <> CASE
        WHEN status = 'cancelled' AND error_code = 'skipped' THEN 'skipped'
        WHEN status IN ('completed', 'failed', 'cancelled') THEN status::text ELSE '-' END
      UNION ALL
      SELECT name, 'blocked' FROM nodes WHERE (status = 'created') <> (outcome IS NULL AND waiting > 0)
      UNION ALL
      SELECT w.name, 'counts' FROM workflows w WHERE (w.open, w.completed, w.failed, w.cancelled, w.skipped, w.weight_ended)
        <> (SELECT count(*) FILTER (WHERE outcome IS NULL), count(*) FILTER (WHERE outcome = 'completed'),
          count(*) FILTER (WHERE outcome = 'failed'), count(*) FILTER (WHERE outcome = 'cancelled'),
          count(*) FILTER (WHERE outcome = 'skipped'), coalesce(sum(weight) FILTER (WHERE outcome IS NOT NULL), 0)
          FROM workflow_nodes n WHERE n.workflow_id = w.id)`);
  }
}
