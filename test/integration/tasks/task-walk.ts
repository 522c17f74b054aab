import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { type AnyTaskDefinition, fanOut } from '../../../src/tasks/index.js';
import { Alibi } from '../../../src/tasks/isolation/alibi.js';
import { CLAIM_SUSPECT, WITNESS_DEATH } from '../../../src/tasks/isolation/isolation.sql.js';
import { Orphans } from '../../../src/tasks/isolation/orphans.js';
import { FROM_THE_START } from '../../../src/tasks/limits/lane-position.js';
import { LimitsView } from '../../../src/tasks/limits/limits-view.js';
import { CLAIM, PROMOTE } from '../../../src/tasks/queue/claim.sql.js';
import { Canceller } from '../../../src/tasks/queue/canceller.js';
import { EnginePool } from '../../../src/tasks/queue/engine-pool.js';
import { Enqueuer } from '../../../src/tasks/queue/enqueuer.js';
import { REGISTER_WORKER, RESIGN, STRIKE_OFF_WORKERS } from '../../../src/tasks/queue/lease.sql.js';
import { Settlement } from '../../../src/tasks/queue/settlement.js';
import { TRANSITIONS } from '../../../src/tasks/task-state.js';
import { Attempt, type ClaimedRow, LeaseLostError } from '../../../src/tasks/worker/attempt.js';
import { FanOutWriter } from '../../../src/tasks/worker/fan-out-writer.js';
import { AttemptContext } from '../../../src/tasks/worker/task-context.js';
import { ACTOR, type Engine, part, work } from '../../support/engine-harness.js';
import { type ModelTask, TaskModel } from './task-model.js';
import { CELL, type Step, WORKERS } from './task-steps.js';

type StepOf<Kind extends Step['do']> = Extract<Step, { do: Kind }>;

const TYPES = [work.name, part.name];
const VERSIONS = [1, 1];
const ALLOWED = new Set(
  TRANSITIONS.flatMap(({ from, to, reasons }) => reasons.map((reason) => `${from ?? ''}>${to} ${reason}`)),
);

/** The engine's own statements and classes, driven one step at a time beside the model; each walk in a queue of its own. */
export class Walk {
  readonly model = new TaskModel();
  private readonly queue = uuidv7();
  private readonly workers: string[] = [];
  private readonly rows = new Map<string, ClaimedRow>();
  private readonly pool: EnginePool;
  private readonly settlement: Settlement;
  /** Newest first. */
  private readonly lost: string[] = [];
  /** Of the walks before this one, whose batches of events need not be unnested again. */
  private lastEvent = '0';

  constructor(private readonly engine: Engine) {
    this.pool = engine.app.get(EnginePool);
    this.settlement = engine.app.get(Settlement);
  }

  async start(): Promise<void> {
    const [events] = await this.pool.prepared.query<{ last: string }>(
      'SELECT last_value AS last FROM task_events_id_seq',
    );
    this.lastEvent = events?.last ?? '0';
    for (let index = 0; index < WORKERS; index += 1) await this.register(index);
  }

  /** false when there was nothing that the step could have been done with. */
  async take(step: Step): Promise<boolean> {
    this.model.now += 1;
    switch (step.do) {
      case 'enqueue':
        return done(this.enqueue(step));
      case 'claim':
        return done(this.claim(this.workers[step.worker] ?? '', step.limit));
      case 'claim alone':
        return done(this.claimAlone());
      case 'die alone':
        return done(this.dieAlone(step.times));
      case 'lose':
        return done(this.lose(step));
      case 'clear':
        return this.clear(step.which);
      case 'promote':
        return done(this.promote());
    }
    const task = this.pick(step.at, step.do);
    if (!task) return false;
    switch (step.do) {
      case 'end':
        return done(this.finish(task, step));
      case 'give back':
        return done(this.giveBack(task, step));
      case 'split':
        return this.split(task, step);
      case 'run':
        return this.run(task);
      case 'cancel':
        await this.engine.tasks.cancel(task.id, ACTOR);
        this.model.cancel(task);
        return true;
      case 'retry':
        return done(this.retry(task));
      case 'retry batches':
        return done(this.retryBatches(task));
    }
  }

  /** Every row is as the model has it. */
  async check(): Promise<void> {
    const rows = await this.pool.prepared.query<object & { id: string }>(
      `SELECT id, status, ready, waiting, attempt, fence, crash_count AS crashes, deaths_alone AS deaths, worker_id AS holder,
         cancel_requested_at IS NOT NULL AS "cancelRequested"
       FROM live_tasks WHERE id = ANY($1::uuid[])
       UNION ALL
       SELECT id, status, false, false, attempt, fence, crash_count, NULL, NULL, false FROM finished_tasks WHERE id = ANY($1::uuid[])
       ORDER BY id`,
      [this.ids()],
    );
    const expected = this.model.tasks
      .map(({ id, status, ready, waiting, attempt, fence, crashes, deaths, holder, cancelRequested }) => ({
        ...{ id, status, ready, waiting, attempt, fence, crashes },
        deaths: ['created', 'queued', 'running'].includes(status) ? deaths : null,
        holder: holder ?? null,
        cancelRequested,
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    same(rows, expected);
  }

  /** Each move left one row in the audit trail, all of them are in the table, fences only grow, and counters are right. */
  async checkHistory(): Promise<void> {
    const events = await this.pool.prepared.query<{ task_id: string; move: string; fence: number }>(
      `SELECT task_id, concat(from_status, '>', to_status, ' ', reason) AS move, fence FROM task_history
       WHERE task_id = ANY($1::uuid[]) AND id >= $2 ORDER BY task_id, id`,
      [this.ids(), this.lastEvent],
    );
    const rounds = await this.pool.prepared.query<{ parent_id: string }>(
      `SELECT parent_id, open, completed, failed, cancelled FROM task_fan_outs WHERE parent_id = ANY($1::uuid[])
       ORDER BY parent_id, round`,
      [this.ids()],
    );
    same(
      events.map(({ move }) => move).filter((move) => !ALLOWED.has(move)),
      [],
    );
    for (const task of this.model.tasks) {
      const own = events.filter(({ task_id: id }) => id === task.id);
      same([task.id, ...own.map(({ move }) => move)], [task.id, ...task.trail]);
      const fences = own.map(({ fence }) => fence);
      same(
        fences,
        fences.toSorted((a, b) => a - b),
      );
      same(
        rounds.filter(({ parent_id: id }) => id === task.id),
        task.rounds.map((round) => ({ parent_id: task.id, ...round })),
      );
    }
  }

  async end(): Promise<void> {
    await this.pool.prepared.query('DELETE FROM task_workers WHERE id = ANY($1::uuid[])', [this.workers]);
    await this.pool.prepared.query('DELETE FROM live_tasks WHERE queue = $1', [this.queue]);
  }

  private ids(): string[] {
    return this.model.tasks.map(({ id }) => id);
  }

  /** Prefers tasks with which the step can do something. */
  private pick(index: number, what: Step['do']): ModelTask | undefined {
    const any = index % 8 === 0;
    const fitting = this.model.tasks.filter((task) => {
      if (any) return true;
      if (what === 'run') return task.status === 'created';
      if (what === 'cancel') return ['created', 'queued', 'running'].includes(task.status);
      if (what === 'retry') return task.status === 'failed' || task.status === 'cancelled';
      if (what === 'retry batches') return ['failed', 'cancelled'].includes(task.status) && task.rounds.length > 0;
      return task.holder !== undefined;
    });
    return fitting[index % Math.max(1, fitting.length)];
  }

  private definition(base: AnyTaskDefinition, attempts: number): AnyTaskDefinition {
    return { ...base, queue: this.queue, retry: { ...base.retry, attempts } };
  }

  private held(task: ModelTask, isStale: boolean) {
    const hasParent = task.parent !== undefined;
    return { id: task.id, fence: task.fence - (isStale ? 1 : 0), hasParent, workflowId: null, processed: 0 };
  }

  private holderOf(task: ModelTask): string {
    return task.holder ?? this.workers[0] ?? '';
  }

  private async register(index: number): Promise<void> {
    const id = uuidv7();
    await this.pool.prepared.query(REGISTER_WORKER, [id, 'model', 0, '{}', [], 3_600_000, index === CELL]);
    this.workers[index] = id;
  }

  private async enqueue({ key, now, attempts }: StepOf<'enqueue'>): Promise<void> {
    const [added] = await this.engine.app.get(Enqueuer).add(this.pool.prepared, {
      definition: this.definition(work, attempts),
      tasks: [{ params: {}, dedupKey: key && `${this.queue} ${key}` }],
      terms: { actor: ACTOR, runImmediately: now },
    });
    const holder = key === undefined ? undefined : this.model.holderOf(key);
    same(added?.created, holder === undefined);
    if (holder) same(added?.id, holder.id);
    else if (added) {
      const status = now ? 'queued' : 'created';
      this.model.add({ id: added.id, dedupKey: key, maxAttempts: attempts, status, ready: now });
    }
  }

  private async claim(workerId: string, limit: number): Promise<void> {
    const { revision } = await this.engine.app.get(LimitsView).fresh();
    const values = [workerId, this.queue, TYPES, limit, VERSIONS, revision, ...FROM_THE_START];
    this.claimed(await this.pool.prepared.query<ClaimedRow>(CLAIM, values), this.model.claim(workerId, limit));
  }

  private async claimAlone(): Promise<void> {
    const cell = this.workers[CELL] ?? '';
    const { revision } = await this.engine.app.get(LimitsView).fresh();
    const values = [[this.queue], TYPES, VERSIONS, cell, revision];
    const rows = await this.pool.prepared.query<ClaimedRow>(CLAIM_SUSPECT, values);
    this.claimed(rows, this.model.claimSuspect(cell));
  }

  private claimed(rows: readonly ClaimedRow[], expected: readonly ModelTask[]): void {
    for (const row of rows) this.rows.set(row.id, row);
    const inOrder = [...rows].sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
    same(
      inOrder.map(({ id }) => id),
      expected.map(({ id }) => id),
    );
  }

  private async finish(task: ModelTask, { as: status, stale }: StepOf<'end'>): Promise<void> {
    const ending = { ...this.held(task, stale), status, code: 'c', category: 'permanent', message: 'm' };
    const settled = await this.settlement.finish(this.holderOf(task), [ending]);
    same(settled.has(task.id), isHeld(task) && !stale);
    if (settled.has(task.id)) this.model.end(task, status);
  }

  private async giveBack(task: ModelTask, { reason, later, stale }: StepOf<'give back'>): Promise<void> {
    const back = { ...this.held(task, stale), reason, delayMs: later ? 3_600_000 : 0 };
    const settled = await this.settlement.giveBack(this.holderOf(task), [back]);
    same(settled.has(task.id), isHeld(task) && !stale);
    if (settled.has(task.id)) this.model.giveBack(task, reason, !later);
  }

  private async split(task: ModelTask, { children, stale }: StepOf<'split'>): Promise<boolean> {
    const row = this.rows.get(task.id);
    if (!row || depthOf(task) > 2) return false;
    const workerId = this.holderOf(task);
    const attempt = new Attempt({ ...row, fence: task.fence - (stale ? 1 : 0) });
    const context = new AttemptContext(attempt, workerId, this.engine.database, () => undefined);
    const batches = Array.from({ length: children }, (_, n) => ({ input: { n } }));
    const writing = this.engine.app
      .get(FanOutWriter)
      .write(workerId, attempt, { fanOut: fanOut(this.definition(part, 2), batches), context });
    if (!isHeld(task) || stale) {
      await expect(writing).rejects.toThrow(LeaseLostError);
      return true;
    }
    await writing;
    const added = await this.pool.prepared.query<{ id: string }>(
      'SELECT id FROM tasks WHERE parent_id = $1 AND parent_round = $2 ORDER BY id',
      [task.id, task.rounds.length + 1],
    );
    const ids = added.map(({ id }) => id);
    this.model.split(task, ids);
    return true;
  }

  private async run(task: ModelTask): Promise<boolean> {
    if (task.status !== 'created') return false;
    await this.engine.tasks.run(task.id, ACTOR);
    this.model.run(task);
    return true;
  }

  private async lose({ worker, loss }: StepOf<'lose'>): Promise<void> {
    const gone = this.workers[worker] ?? '';
    if (loss === 'ended') await this.pool.prepared.query(RESIGN, [gone]);
    else if (loss === 'witnessed') await this.pool.prepared.query(WITNESS_DEATH, [gone, 'it died']);
    else await this.strikeOff(gone);
    await this.register(worker);
    const { freed } = await this.pool.transaction((sql) => this.engine.app.get(Orphans).release(sql));
    for (const { id, cancel } of freed) if (cancel) await this.engine.app.get(Canceller).cancel(id, ACTOR);
    this.model.lose(gone, loss);
    this.lost.unshift(gone);
  }

  private async dieAlone(times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      await this.claimAlone();
      await this.lose({ do: 'lose', worker: CELL, loss: 'witnessed' });
    }
  }

  private async strikeOff(worker: string): Promise<void> {
    const find = 'SELECT seen_at::text AS seen FROM task_workers WHERE id = $1';
    const [row] = await this.pool.prepared.query<{ seen: string }>(find, [worker]);
    await this.pool.prepared.query(STRIKE_OFF_WORKERS, [[worker], [row?.seen], ['its lease ran out']]);
  }

  private async clear(which: number): Promise<boolean> {
    const workerId = this.lost[which];
    if (workerId === undefined) return false;
    await this.engine.app.get(Alibi).give({ workerId, tasks: this.model.heldAtLoss(workerId) });
    this.model.clear(workerId);
    return true;
  }

  private async promote(): Promise<void> {
    await this.pool.prepared.query(
      `UPDATE live_tasks SET run_at = now() WHERE queue = $1 AND status = 'queued' AND NOT ready AND crash_count = 0`,
      [this.queue],
    );
    await this.pool.prepared.query(PROMOTE, [1_000]);
    this.model.promote();
  }

  private async retry(task: ModelTask): Promise<void> {
    const retrying = this.engine.tasks.retry(task.id, ACTOR);
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
    const retrying = this.engine.tasks.retryFailedBatches(task.id, ACTOR);
    if (this.model.mayRerun(task) && this.model.unsuccessful(task).length > 0) {
      await retrying;
      this.model.retryBatches(task);
    } else {
      await expect(retrying).rejects.toMatchObject({ kind: 'conflict' });
    }
  }
}

/** Jest's own comparison says where, but takes its time. */
function same(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

const done = (step: Promise<void>): Promise<true> => step.then(() => true as const);

const isHeld = (task: ModelTask): boolean => task.status === 'running' && !task.waiting;

const depthOf = (task: ModelTask): number => (task.parent ? depthOf(task.parent) + 1 : 0);
