import { Injectable, Logger } from '@nestjs/common';
import { scheduleActor } from '../../access/index.js';
import { Database } from '../../platform/database/database.js';
import type { Transaction } from '../../platform/database/transaction.js';
import { AppError } from '../../platform/errors/app-error.js';
import { TaskCreator } from '../task-creator.js';
import { TaskTypes } from '../task-types.js';
import { type DueTicks, dueTicks } from './due-ticks.js';
import type { Schedule } from './schedule.js';
import { refusalText, scheduledTask } from './schedule-task.js';
import { SchedulesRepository } from './schedules.repository.js';
import { type Decision, TicksRepository } from './ticks.repository.js';
import { Timetable } from './timetable.js';

/** Ticks of one schedule that may wait for their turn. More would be a backlog that never ends. */
const MAX_WAITING = 100;

/** A task that a schedule is to have. */
export interface Start {
  readonly schedule: Schedule;
  readonly at: Date;
  readonly now: Date;
  /** Who starts it by hand: in the audit trail, in place of the schedule. */
  readonly actor?: string;
}

/**
 * Turns ticks into tasks. Each transaction holds the lock of its schedule's row, decides about all its ticks up to a moment,
 * writes the decisions with the tasks, and moves on to the next tick: whoever dies amid it leaves everything as it was, and
 * whoever comes second finds nothing to do.
 */
@Injectable()
export class Firing {
  private readonly logger = new Logger(Firing.name);

  constructor(
    private readonly database: Database,
    private readonly schedules: SchedulesRepository,
    private readonly ticks: TicksRepository,
    private readonly creator: TaskCreator,
    private readonly types: TaskTypes,
  ) {}

  /** Deals with every tick up to `now`. With `wait` also when another process is at it: once this returns, it is done. */
  fire(id: string, now: Date, { wait = false } = {}): Promise<void> {
    return this.orRefuse(async (tx, refusal) => {
      const schedule = await this.schedules.lock(tx, id, { wait });
      if (!schedule?.nextTickAt || schedule.nextTickAt > now) return;
      const { due, missed, next } = ticksOf(schedule, now, refusal);
      const known = await this.ticks.known(tx, id, missed ? [...due, missed.to] : due);
      const unknown = due.filter((tick) => !known.has(tick.getTime()));
      const decisions = await this.decide(tx, { schedule, ticks: unknown, now, refusal });
      if (missed && !known.has(missed.to.getTime())) {
        decisions.push({ at: missed.to, outcome: 'missed', missedFrom: missed.from });
      }
      await this.ticks.add(tx, { scheduleId: id, cause: 'tick', ticks: decisions });
      await this.schedules.setNextTick(tx, schedule, next);
      this.report(tx, schedule, decisions);
    });
  }

  /** Starts the tick that has waited longest, if nothing of its schedule is unfinished any more. */
  startWaiting(id: string, now: Date): Promise<void> {
    return this.orRefuse(async (tx, refusal) => {
      const schedule = await this.schedules.lock(tx, id, { wait: false });
      if (!schedule || schedule.pausedAt || (await this.ticks.unfinishedTask(tx, id))) return;
      const [at] = await this.ticks.waiting(tx, id);
      if (!at) return;
      const decision = refusal ? refused(at, refusal) : await this.start(tx, { schedule, at, now });
      await this.ticks.decideWaiting(tx, id, decision);
      this.report(tx, schedule, [decision]);
    });
  }

  /** Adds the schedule's task. @throws invalid when its type or params are not acceptable (any more). */
  async start(tx: Transaction, { schedule, at, now, actor }: Start): Promise<Decision & { taskId: string }> {
    const { id, name, taskType, params, taskVersion: version, priority, startWithinMs } = schedule;
    const { definition, input } = await scheduledTask(this.types, { taskType, params, version });
    const added = await this.creator.enqueue(definition, input, {
      tx,
      actor: actor ?? scheduleActor({ id, name }).label,
      priority: priority ?? undefined,
      startBy: startWithinMs === null ? undefined : new Date(now.getTime() + startWithinMs),
      metadata: { schedule_id: id, schedule: name, tick_at: at.toISOString() },
    });
    return { at, outcome: added.created ? 'started' : 'joined', taskId: added.id };
  }

  private async decide(
    tx: Transaction,
    {
      schedule,
      ticks,
      now,
      refusal,
    }: { schedule: Schedule; ticks: readonly Date[]; now: Date; refusal: AppError | undefined },
  ): Promise<Decision[]> {
    if (refusal || ticks.length === 0) return ticks.map((at) => refused(at, refusal));
    let waiting = (await this.ticks.waiting(tx, schedule.id)).length;
    let busy = waiting > 0 || (await this.ticks.unfinishedTask(tx, schedule.id)) !== undefined;
    const decisions: Decision[] = [];
    for (const at of ticks) {
      if (!busy) {
        decisions.push(await this.start(tx, { schedule, at, now }));
        busy = true;
      } else if (schedule.overlap === 'queue' && waiting < MAX_WAITING) {
        decisions.push({ at, outcome: 'waiting' });
        waiting += 1;
      } else {
        decisions.push({ at, outcome: 'overlapped' });
      }
    }
    return decisions;
  }

  /**
   * Does `work`; when the task is refused, again with the refusal in its hands, to write that down instead: the statement
   * that refused has ended the first transaction.
   */
  private async orRefuse(work: (tx: Transaction, refusal?: AppError) => Promise<void>): Promise<void> {
    try {
      await this.database.transaction((tx) => work(tx));
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'unavailable') throw error;
      await this.database.transaction((tx) => work(tx, error));
    }
  }

  private report(tx: Transaction, { id, name }: Schedule, decisions: readonly Decision[]): void {
    tx.afterCommit(() => {
      for (const { at, outcome, taskId, errorCode } of decisions) {
        const line = { message: 'schedule ticked', scheduleId: id, schedule: name, tickAt: at, outcome };
        if (outcome === 'refused') this.logger.warn({ ...line, errorCode });
        else this.logger.log({ ...line, jobId: taskId });
      }
    });
  }
}

/** What is due; nothing comes after it when the expression or the zone have become unusable. */
function ticksOf(
  { cron, timeZone, catchUp, nextTickAt }: Schedule,
  now: Date,
  refusal: AppError | undefined,
): Omit<DueTicks, 'next'> & { readonly next: Date | null } {
  const first = nextTickAt ?? now;
  try {
    return dueTicks(Timetable.of(cron, timeZone), { first, now, catchUp });
  } catch (error) {
    if (refusal === undefined) throw error;
    return { due: [first], missed: undefined, next: null };
  }
}

const refused = (at: Date, refusal: AppError | undefined): Decision => ({
  at,
  outcome: 'refused',
  errorCode: refusal?.code ?? null,
  errorMessage: refusal && refusalText(refusal),
});
