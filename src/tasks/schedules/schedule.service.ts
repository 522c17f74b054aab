import { Injectable } from '@nestjs/common';
import { v7 as uuidv7, validate as isUuid } from 'uuid';
import { DatabaseClock } from '../../platform/clock/database-clock.js';
import { Database } from '../../platform/database/database.js';
import { sqlState } from '../../platform/database/sql-state.js';
import type { Transaction } from '../../platform/database/transaction.js';
import { AppError, conflict, notFound } from '../../platform/errors/app-error.js';
import { TaskTypes } from '../task-types.js';
import type { Schedule, ScheduleChanges, ScheduleTerms, ScheduleView } from './schedule.js';
import { refusalText, scheduledTask } from './schedule-task.js';
import { SchedulesRepository, type StoredView } from './schedules.repository.js';
import { Firing } from './firing.js';
import { Timetable } from './timetable.js';

/** Fire times that come with a schedule. */
const SHOWN_TICKS = 5;
const UNIQUE_VIOLATION = '23505';

/** What people do with schedules. A change takes effect at the moment it is made: what is due by then goes by the old terms. */
@Injectable()
export class ScheduleService {
  constructor(
    private readonly database: Database,
    private readonly clock: DatabaseClock,
    private readonly schedules: SchedulesRepository,
    private readonly firing: Firing,
    private readonly types: TaskTypes,
  ) {}

  /**
   * @throws invalid `invalid_cron_expression`, `unknown_time_zone`, `unknown_task_type`, `invalid_task_input`; conflict
   * `schedule_name_taken`.
   */
  async create(terms: ScheduleTerms, actor: string): Promise<ScheduleView> {
    const timetable = Timetable.of(terms.cron, terms.timeZone);
    const task = await this.checkedTask(terms);
    const id = uuidv7();
    const nextTickAt = timetable.next(await this.clock.now());
    await refusingTakenName(terms.name, () =>
      this.schedules.insert(this.database, { ...terms, ...task, ...spelt(timetable), id, nextTickAt, actor }),
    );
    return this.get(id);
  }

  /** By id or by name, in any letter case. @throws not-found `schedule_not_found`. */
  async get(idOrName: string): Promise<ScheduleView> {
    const id = await this.idOf(idOrName);
    const view = await this.schedules.findView(this.database, id);
    if (!view) throw noSchedule(idOrName);
    return this.viewOf(view, await this.clock.now());
  }

  /** Oldest first; `after` is the id of the last one of the page before. */
  async list(page: { readonly limit: number; readonly after?: string }): Promise<ScheduleView[]> {
    const now = await this.clock.now();
    const views = await this.schedules.list(this.database, page);
    return Promise.all(views.map((view) => this.viewOf(view, now)));
  }

  /** Only what is changed is checked: a schedule whose task type is gone can still be renamed. Throws as {@link create}. */
  async update(idOrName: string, changes: ScheduleChanges, actor: string): Promise<ScheduleView> {
    const id = await this.change(idOrName, async (tx, schedule, now) => {
      const terms = { ...schedule, ...changes, catchUp: { ...schedule.catchUp, ...changes.catchUp } };
      const task = changes.taskType !== undefined || changes.params !== undefined ? await this.checkedTask(terms) : {};
      const retimed = changes.cron !== undefined || changes.timeZone !== undefined;
      const timetable = retimed ? Timetable.of(terms.cron, terms.timeZone) : undefined;
      const nextTickAt = timetable && !schedule.pausedAt ? timetable.next(now) : schedule.nextTickAt;
      await refusingTakenName(terms.name, () =>
        this.schedules.update(tx, { ...terms, ...task, ...(timetable && spelt(timetable)), nextTickAt, actor }),
      );
    });
    return this.get(id);
  }

  /** No ticks until it is resumed, and none made up for then. A paused one stays as it is. */
  async pause(idOrName: string, actor: string): Promise<ScheduleView> {
    return this.get(await this.change(idOrName, (tx, { id }) => this.schedules.pause(tx, id, actor)));
  }

  /** @throws invalid when its expression or zone have become unusable. */
  async resume(idOrName: string, actor: string): Promise<ScheduleView> {
    const id = await this.change(idOrName, async (tx, schedule, now) => {
      const nextTickAt = Timetable.of(schedule.cron, schedule.timeZone).next(now);
      await this.schedules.resume(tx, schedule.id, { nextTickAt, actor });
    });
    return this.get(id);
  }

  /** Its tasks stay. */
  async remove(idOrName: string): Promise<ScheduleView> {
    const schedule = await this.get(idOrName);
    if (!(await this.schedules.delete(this.database, schedule.id))) throw noSchedule(idOrName);
    return schedule;
  }

  /** The ticks of a timetable, of a schedule's or any other. @throws invalid `invalid_cron_expression`, `unknown_time_zone`. */
  async previewOf(of: {
    readonly cron: string;
    readonly timeZone: string;
    readonly count: number;
    readonly after?: Date;
  }): Promise<Date[]> {
    const timetable = Timetable.of(of.cron, of.timeZone);
    return timetable.preview(of.after ?? (await this.clock.now()), of.count);
  }

  private async idOf(idOrName: string): Promise<string> {
    if (isUuid(idOrName)) return idOrName.toLowerCase();
    const id = await this.schedules.findIdByName(this.database, idOrName);
    if (id === undefined) throw noSchedule(idOrName);
    return id;
  }

  /** Deals with what is due first, so that a change never eats a tick nor applies to one before it. */
  private async change(
    idOrName: string,
    make: (tx: Transaction, schedule: Schedule, now: Date) => Promise<void>,
  ): Promise<string> {
    const id = await this.idOf(idOrName);
    const now = await this.clock.now();
    await this.firing.fire(id, now, { wait: true });
    await this.database.transaction(async (tx) => {
      const schedule = await this.schedules.lock(tx, id, { wait: true });
      if (!schedule) throw noSchedule(idOrName);
      await make(tx, schedule, now);
    });
    return id;
  }

  private async checkedTask({ taskType, params }: Pick<ScheduleTerms, 'taskType' | 'params'>) {
    const { definition } = await scheduledTask(this.types, { taskType, params });
    return { taskType: definition.name, taskVersion: definition.version };
  }

  private async viewOf({ schedule, ...rest }: StoredView, now: Date): Promise<ScheduleView> {
    return { ...schedule, ...rest, ...(await this.outlook(schedule, now)) };
  }

  /** What comes next, or why nothing will. */
  private async outlook(schedule: Schedule, now: Date): Promise<Pick<ScheduleView, 'nextTicks' | 'problem'>> {
    const { cron, timeZone, taskType, params, taskVersion: version, pausedAt } = schedule;
    let nextTicks: Date[] = [];
    try {
      const timetable = Timetable.of(cron, timeZone);
      if (!pausedAt) nextTicks = timetable.preview(now, SHOWN_TICKS);
      await scheduledTask(this.types, { taskType, params, version });
      return { nextTicks, problem: undefined };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { nextTicks, problem: { code: error.code, message: refusalText(error) } };
    }
  }
}

const spelt = ({ cron, timeZone }: Timetable) => ({ cron, timeZone });

const noSchedule = (handle: string): Error => notFound('schedule_not_found', `there is no schedule ${handle}`);

async function refusingTakenName(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
    throw conflict('schedule_name_taken', `there is a schedule named ${name} already`, { cause: error });
  }
}
