import {
  type AnyTaskDefinition,
  defineTask,
  fixed,
  Handles,
  type HandlerResult,
  type TaskContext,
  taskHandlers,
} from '../../src/tasks/index.js';
import type { TaskPolicy } from '../../src/tasks/define-task.js';
import { LimitsService, type LimitSubject } from '../../src/tasks/limits/limits.service.js';
import { ACTOR, Engine, Script, TestInput } from './engine-harness.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

const limited = <const Name extends string>(name: Name, policy: Partial<TaskPolicy<Name, TestInput>>) =>
  defineTask({
    name,
    version: 1,
    title: `Test task ${name}`,
    input: TestInput,
    retry: { attempts: 3, backoff: fixed(1) },
    timeoutMs: 60_000,
    ...policy,
  });

const byKey = ({ key }: TestInput): string => key ?? '';

/** Two at once, over all workers. */
export const pair = limited('limited.pair', { limits: { concurrency: 2 } });
/** One at once of each key, five in all. */
export const keyed = limited('limited.keyed', {
  limits: { concurrency: 5, concurrencyPerKey: 1 },
  concurrencyKey: byKey,
});
/** Ten a second, five at once after a pause. */
export const rated = limited('limited.rated', { limits: { rate: { count: 10, perMs: 1_000, burst: 5 } } });
/** Parked after three failures, for 400 ms at first. */
export const flaky = limited('limited.flaky', {
  limits: { breaker: { failures: 3, coolDownMs: 400, longestCoolDownMs: 1_000 } },
});

function scripted(definition: AnyTaskDefinition) {
  @Handles(definition)
  class ScriptedHandler {
    constructor(readonly script: Script) {}

    async run(input: TestInput, context: TaskContext): Promise<HandlerResult> {
      return (await this.script.of(definition).run?.(input, context)) ?? input.n;
    }
  }
  return ScriptedHandler;
}

/** Handlers may keep what they share with a test in a script of their own, however many processes there are. */
const HANDLERS = [pair, keyed, rated, flaky].map(scripted);

/** Some engines, as of so many processes, over one database. */
export class Fleet {
  static async open(): Promise<Fleet> {
    return new Fleet(await createTestDatabase());
  }

  readonly script = new Script();
  private readonly engines: Engine[] = [];

  private constructor(readonly database: TestDatabase) {}

  async engine(): Promise<Engine> {
    const engine = await Engine.open(this.database.url, this.script, { providers: taskHandlers(...HANDLERS) });
    this.engines.push(engine);
    return engine;
  }

  async close(): Promise<void> {
    await Promise.all(this.engines.map((engine) => engine.close()));
    await this.database.drop();
  }
}

export const limitsOf = (engine: Engine): LimitsService => engine.app.get(LimitsService);

export const BY = { actor: ACTOR, reason: 'because' };
export const queue = (name = 'default'): LimitSubject => ({ scope: 'queue', name });
export const type = ({ name }: AnyTaskDefinition): LimitSubject => ({ scope: 'type', name });

/**
 * The most tasks of a kind, all of which have ended, that were running at once, by the audit trail: every claim and every end is a row of it, and rows
 * of one transaction have its number. `per` groups them.
 */
export async function mostAtOnce(engine: Engine, { name }: AnyTaskDefinition, per = `'all'`): Promise<number> {
  const [row] = await engine.database.query<{ most: number }>(
    `WITH moves AS (
       SELECT e.at, e.id, ${per} AS part, CASE WHEN e.to_status = 'running' THEN 1 ELSE -1 END AS change
       FROM task_history e JOIN finished_tasks t ON t.id = e.task_id
       WHERE t.type = $1 AND (e.to_status = 'running' OR e.from_status = 'running')
     ), sums AS (
       SELECT sum(change) OVER (PARTITION BY part ORDER BY at, id) AS running FROM moves
     )
     SELECT coalesce(max(running), 0)::int AS most FROM sums`,
    [name],
  );
  return row?.most ?? 0;
}
