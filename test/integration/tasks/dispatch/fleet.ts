import { Metrics } from '../../../../src/platform/metrics/metrics.js';
import type { StartOptions } from '../../../../src/tasks/worker/worker.service.js';
import { type Child, runTypeScript } from '../../../support/child.js';
import { Engine, Script } from '../../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../../support/test-database.js';
import { waitFor } from '../../../support/wait-for.js';
import { wrongMoves } from '../invariants.js';

/** Processes take their time to start on a busy machine. */
export const SLOW = { timeoutMs: 90_000 };

/** So seldom that what comes through is due to notices and the dispatcher, never to polling. */
const NO_POLLING = 600_000;
const TIMES = { leaseMs: 4_000, renewMs: 400, pollMs: NO_POLLING, shutdownGraceMs: 300 };

/** Processes on one database that a dispatcher carries tasks to: engines in this process, and real ones for what kills them. */
export class Fleet {
  readonly script = new Script();
  private readonly engines: Engine[] = [];
  private readonly children: Child[] = [];

  static async open(environment: Readonly<Record<string, string>>): Promise<Fleet> {
    const database = await createTestDatabase();
    const api = await Engine.open(database.url);
    return new Fleet(database, api, environment);
  }

  private constructor(
    readonly database: TestDatabase,
    /** Works on nothing, and knows of no dispatcher: most tasks come from such processes. */
    readonly api: Engine,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  async worker(options: StartOptions = {}, script = this.script): Promise<Engine> {
    const engine = await Engine.open(this.database.url, script, { environment: this.environment });
    this.engines.push(engine);
    return engine.work({ ...TIMES, ...options });
  }

  async workerProcess(options: object = {}): Promise<Child> {
    const args = [this.database.url, JSON.stringify({ ...TIMES, ...options }), JSON.stringify(this.environment)];
    const child = runTypeScript('test/integration/tasks/programs/worker.ts', args);
    this.children.push(child);
    await child.line(/^working/, SLOW);
    return child;
  }

  /** Waits until nothing is left to do. */
  async drained(timeoutMs = SLOW.timeoutMs): Promise<void> {
    await waitFor('all tasks to end', async () => (await this.api.count('live_tasks')) === 0, { timeoutMs });
  }

  /** What a metric of all workers in this process adds up to. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    let sum = 0;
    for (const engine of this.engines) {
      const metric = engine.app.get(Metrics).registry.getSingleMetric(name);
      for (const { labels: has, value } of (await metric?.get())?.values ?? []) {
        if (Object.entries(labels).every(([key, wanted]) => has[key] === wanted)) sum += value;
      }
    }
    return sum;
  }

  /** What must hold whenever nothing is under way, from the audit trail: gives the tasks that ended not once, and moves that may not be. */
  async wrong(): Promise<object[]> {
    const twice = await this.api.database.query(`
      SELECT task_id, count(*)::int AS ends FROM task_history WHERE to_status IN ('completed', 'failed', 'cancelled')
      GROUP BY task_id HAVING count(*) <> 1`);
    const lost = await this.api.database.query(`
      SELECT task_id, 'lost' AS what FROM task_history h
      WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = h.task_id)`);
    return [...twice, ...lost, ...(await wrongMoves(this.api))];
  }

  async close(): Promise<void> {
    for (const child of this.children) child.process.kill('SIGCONT');
    await Promise.all(this.children.map((child) => child.kill()));
    await Promise.all([...this.engines, this.api].map((engine) => engine.close()));
    await this.database.drop();
  }
}
