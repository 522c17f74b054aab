import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { type AnyTaskDefinition, fanOut } from '../../../src/tasks/index.js';
import { CLAIM, PROMOTE } from '../../../src/tasks/queue/claim.sql.js';
import { Canceller } from '../../../src/tasks/queue/canceller.js';
import { EnginePool } from '../../../src/tasks/queue/engine-pool.js';
import { Enqueuer } from '../../../src/tasks/queue/enqueuer.js';
import { FREE_ORPHANS, REGISTER_WORKER, RESIGN } from '../../../src/tasks/queue/lease.sql.js';
import { Settlement } from '../../../src/tasks/queue/settlement.js';
import { type TaskStatus, TRANSITIONS } from '../../../src/tasks/task-state.js';
import { Attempt, type ClaimedRow, LeaseLostError } from '../../../src/tasks/worker/attempt.js';
import { FanOutWriter } from '../../../src/tasks/worker/fan-out-writer.js';
import { AttemptContext } from '../../../src/tasks/worker/task-context.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { ACTOR, Engine, part, work } from '../../support/engine-harness.js';
import { type Ended, type ModelTask, TaskModel } from './task-model.js';

/** Random walks in CI; RUNS in the environment makes it a longer search. */
const RUNS = Number(process.env.RUNS ?? 200);

let database: TestDatabase;
let engine: Engine;

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
});

afterAll(async () => {
  await engine.close();
  await database.drop();
});

/** One step of a walk. `at` picks a task, `worker` one of two workers. */
type Step =
  | { do: 'enqueue'; key: string | undefined; now: boolean; attempts: number }
  | { do: 'claim'; worker: number; limit: number }
  | { do: 'end'; at: number; as: Ended; stale: boolean }
  | { do: 'give back'; at: number; reason: 'backoff' | 'released'; later: boolean; stale: boolean }
  | { do: 'split'; at: number; children: number; stale: boolean }
  | { do: 'run' | 'cancel' | 'retry' | 'retry batches'; at: number }
  | { do: 'crash'; worker: number }
  | { do: 'promote' };

const at = fc.nat({ max: 40 });
const stale = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
const worker = fc.nat({ max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('enqueue' as const),
      key: fc.constantFrom(undefined, undefined, 'a'),
      now: fc.nat({ max: 5 }).map((n) => n > 0),
      attempts: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('claim' as const), worker, limit: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      at,
      as: fc.constantFrom<Ended>('completed', 'failed', 'failed', 'cancelled'),
      stale,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('give back' as const),
      at,
      reason: fc.constantFrom('backoff' as const, 'released' as const),
      later: fc.boolean(),
      stale,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('split' as const), at, children: fc.integer({ min: 1, max: 3 }), stale }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('run' as const, 'cancel' as const, 'retry' as const, 'retry batches' as const),
      at,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), worker }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('promote' as const) }) },
);

/** The engine's own statements and classes, driven one step at a time beside the model. */
class Walk {
  readonly model = new TaskModel();
  private readonly queue = uuidv7();
  private readonly workers = ['', ''];
  private readonly rows = new Map<string, ClaimedRow>();
  private readonly pool = engine.app.get(EnginePool);
  private readonly settlement = engine.app.get(Settlement);

  async start(): Promise<void> {
    await Promise.all([this.register(0), this.register(1)]);
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'enqueue':
        return this.enqueue(step);
      case 'claim':
        return this.claim(this.workers[step.worker] ?? '', step.limit);
      case 'crash':
        return this.crash(step.worker);
      case 'promote':
        return this.promote();
    }
    const task = this.pick(step.at, step.do);
    if (!task) return;
    switch (step.do) {
      case 'end': {
        const ending = {
          ...this.held(task, step.stale),
          status: step.as,
          code: 'c',
          category: 'permanent',
          message: 'm',
        };
        const settled = await this.settlement.finish(task.holder ?? this.workers[0] ?? '', [ending]);
        expect(settled.has(task.id)).toBe(task.status === 'running' && !task.waiting && !step.stale);
        if (settled.has(task.id)) this.model.end(task, step.as);
        return;
      }
      case 'give back': {
        const back = { ...this.held(task, step.stale), reason: step.reason, delayMs: step.later ? 3_600_000 : 0 };
        const settled = await this.settlement.giveBack(task.holder ?? this.workers[0] ?? '', [back]);
        expect(settled.has(task.id)).toBe(task.status === 'running' && !task.waiting && !step.stale);
        if (settled.has(task.id)) this.model.giveBack(task, step.reason, !step.later);
        return;
      }
      case 'split':
        return this.split(task, step);
      case 'run':
        if (task.status !== 'created') return;
        await engine.tasks.run(task.id, ACTOR);
        Object.assign(task, { status: 'queued', ready: true });
        return;
      case 'cancel':
        await engine.tasks.cancel(task.id, ACTOR);
        this.model.cancel(task);
        return;
      case 'retry':
        return this.retry(task);
      case 'retry batches':
        return this.retryBatches(task);
    }
  }

  /** Every row is as the model has it. */
  async check(): Promise<void> {
    const rows = await engine.database.query(
      `SELECT id, status, ready, waiting, attempt, fence, crash_count AS crashes, worker_id AS holder, cancel_requested_at IS NOT NULL AS "cancelRequested"
       FROM live_tasks WHERE queue = $1
       UNION ALL
       SELECT id, status, false, false, attempt, fence, crash_count, NULL, false FROM finished_tasks WHERE queue = $1
       ORDER BY id`,
      [this.queue],
    );
    const expected = this.model.tasks
      .map(({ id, status, ready, waiting, attempt, fence, crashes, holder, cancelRequested }) => ({
        ...{ id, status, ready, waiting, attempt, fence, crashes },
        holder: holder ?? null,
        cancelRequested,
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(rows).toEqual(expected);
  }

  /** Every move is in the table and follows the one before; counters are what they count. */
  async checkHistory(): Promise<void> {
    for (const task of this.model.tasks) {
      const events = await engine.tasks.events(task.id, { limit: 1_000 });
      let last: string | null | undefined;
      let fence = 0;
      for (const event of events) {
        expect([event.from, event.to, event.reason, canMove(event.from, event.to, event.reason)]).toEqual([
          event.from,
          event.to,
          event.reason,
          true,
        ]);
        if (last !== undefined) expect(event.from).toBe(last);
        expect(event.fence).toBeGreaterThanOrEqual(fence);
        last = event.to;
        fence = event.fence;
      }
      expect(last).toBe(task.status);
      const rounds = await engine.database.query(
        'SELECT open, completed, failed, cancelled FROM task_fan_outs WHERE parent_id = $1 ORDER BY round',
        [task.id],
      );
      expect(rounds).toEqual(task.rounds);
    }
  }

  async end(): Promise<void> {
    await engine.database.query('DELETE FROM task_workers WHERE id = ANY($1::uuid[])', [this.workers]);
    await engine.database.query('DELETE FROM live_tasks WHERE queue = $1', [this.queue]);
  }

  /** Prefers tasks with which the step can do something. */
  private pick(index: number, what: Step['do']): ModelTask | undefined {
    const { tasks } = this.model;
    const held = ['end', 'give back', 'split'].includes(what) && index % 8 !== 0;
    const ended = ['retry', 'retry batches'].includes(what) && index % 8 !== 0;
    const parents = what === 'retry batches' && index % 8 !== 0;
    const fitting = tasks.filter(
      (task) =>
        (!held || task.holder !== undefined) &&
        (!ended || task.status === 'failed' || task.status === 'cancelled') &&
        (!parents || task.rounds.length > 0),
    );
    return fitting[index % Math.max(1, fitting.length)];
  }

  private definition(base: AnyTaskDefinition, attempts: number): AnyTaskDefinition {
    return { ...base, queue: this.queue, retry: { ...base.retry, attempts } };
  }

  private held(task: ModelTask, isStale: boolean) {
    const hasParent = task.parent !== undefined;
    return { id: task.id, fence: task.fence - (isStale ? 1 : 0), hasParent, workflowId: null, processed: 0 };
  }

  private async register(index: number): Promise<void> {
    const id = uuidv7();
    await this.pool.query(REGISTER_WORKER, [id, 'model', 0, '{}', [], 3_600_000]);
    this.workers[index] = id;
  }

  private async enqueue({ key, now, attempts }: Extract<Step, { do: 'enqueue' }>): Promise<void> {
    const [added] = await engine.app.get(Enqueuer).add(this.pool.prepared, {
      definition: this.definition(work, attempts),
      tasks: [{ params: {}, dedupKey: key && `${this.queue} ${key}` }],
      terms: { actor: ACTOR, runImmediately: now },
    });
    const holder = key === undefined ? undefined : this.model.holderOf(key);
    expect(added?.created).toBe(holder === undefined);
    if (holder) expect(added?.id).toBe(holder.id);
    else if (added)
      this.model.add({
        id: added.id,
        dedupKey: key,
        maxAttempts: attempts,
        status: now ? 'queued' : 'created',
        ready: now,
      });
  }

  private async claim(workerId: string, limit: number): Promise<void> {
    const rows = await this.pool.prepared.query<ClaimedRow>(CLAIM, [
      workerId,
      this.queue,
      [work.name, part.name],
      limit,
      [1, 1],
    ]);
    for (const row of rows) this.rows.set(row.id, row);
    const claimed = this.model.claim(workerId, limit);
    expect(rows.map(({ id }) => id).sort()).toEqual(claimed.map(({ id }) => id));
  }

  private async split(task: ModelTask, { children, stale: isStale }: Extract<Step, { do: 'split' }>): Promise<void> {
    const row = this.rows.get(task.id);
    if (!row || depthOf(task) > 2) return;
    const workerId = task.holder ?? this.workers[0] ?? '';
    const attempt = new Attempt({ ...row, fence: task.fence - (isStale ? 1 : 0) });
    const context = new AttemptContext(attempt, workerId, engine.database, () => undefined);
    const batches = fanOut(
      this.definition(part, 2),
      Array.from({ length: children }, (_, n) => ({ input: { n } })),
    );
    const writing = engine.app.get(FanOutWriter).write(workerId, attempt, { fanOut: batches, context });
    if (task.status !== 'running' || task.waiting || isStale) {
      await expect(writing).rejects.toThrow(LeaseLostError);
      return;
    }
    await writing;
    const added = await engine.database.query<{ id: string }>(
      'SELECT id FROM tasks WHERE parent_id = $1 AND parent_round = $2 ORDER BY id',
      [task.id, task.rounds.length + 1],
    );
    this.model.split(
      task,
      added.map(({ id }) => id),
    );
  }

  private async crash(index: number): Promise<void> {
    const dead = this.workers[index] ?? '';
    await this.pool.query(RESIGN, [dead]);
    await this.register(index);
    const freed = await this.pool.query<{ id: string; cancel: boolean }>(FREE_ORPHANS);
    for (const { id, cancel } of freed) if (cancel) await engine.app.get(Canceller).cancel(id, ACTOR);
    this.model.crash(dead);
  }

  private async promote(): Promise<void> {
    await engine.database.query(
      `UPDATE live_tasks SET run_at = now() WHERE queue = $1 AND status = 'queued' AND NOT ready`,
      [this.queue],
    );
    await this.pool.prepared.query(PROMOTE, [1_000]);
    for (const task of this.model.tasks) if (task.status === 'queued') task.ready = true;
  }

  private async retry(task: ModelTask): Promise<void> {
    const retrying = engine.tasks.retry(task.id, ACTOR);
    if (this.model.mayRerun(task)) {
      await retrying;
      this.model.rerun(task);
    } else if (task.status !== 'failed' && task.status !== 'cancelled') {
      await retrying; // changes nothing
    } else {
      await expect(retrying).rejects.toMatchObject({ kind: 'conflict' });
    }
  }

  private async retryBatches(task: ModelTask): Promise<void> {
    const retrying = engine.tasks.retryFailedBatches(task.id, ACTOR);
    if (this.model.mayRerun(task) && this.model.unsuccessful(task).length > 0) {
      await retrying;
      this.model.retryBatches(task);
    } else {
      await expect(retrying).rejects.toMatchObject({ kind: 'conflict' });
    }
  }
}

const canMove = (from: TaskStatus | null, to: TaskStatus, reason: string): boolean =>
  TRANSITIONS.some((one) => one.from === from && one.to === to && (one.reasons as readonly string[]).includes(reason));

const depthOf = (task: ModelTask): number => (task.parent ? depthOf(task.parent) + 1 : 0);

describe('whatever happens to tasks', () => {
  it(
    'leaves them as the table of transitions says',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), async (steps) => {
          const walk = new Walk();
          await walk.start();
          try {
            for (const one of steps) {
              await walk.take(one);
              await walk.check();
            }
            await walk.checkHistory();
          } finally {
            await walk.end();
          }
        }),
        { numRuns: RUNS, endOnFailure: false },
      );
    },
    60_000 + RUNS * 500,
  );
});
