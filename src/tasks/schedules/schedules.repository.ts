import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import type { LastTask, Schedule, ScheduleTerms, Tick } from './schedule.js';
import { lastTaskOf, scheduleOf, type ScheduleRow, tickOf, type ViewRow } from './schedule-rows.js';
import * as sql from './schedules.sql.js';

/** Terms as they are written, with the version of the task type that the params are for. */
export interface NewSchedule extends ScheduleTerms {
  readonly id: string;
  readonly taskVersion: number;
  readonly nextTickAt: Date | null;
  readonly actor: string;
}

export interface StoredView {
  readonly schedule: Schedule;
  readonly lastTick: Tick | undefined;
  readonly lastTask: LastTask | undefined;
  readonly waiting: number;
}

/** What a process finds to do for schedules. */
export interface Look {
  /** Ids of schedules with ticks to deal with. */
  readonly due: readonly string[];
  /** Schedules where a tick waited for the task before it, which is finished. */
  readonly waiting: readonly { readonly id: string; readonly isKnown: boolean }[];
  /** When the next tick of all is. */
  readonly soonest: Date | null;
}

/** Rows of `task_schedules`. Times are the caller's: the database's own clock, but for tests. */
@Injectable()
export class SchedulesRepository {
  async list(db: Sql, page: { readonly limit: number; readonly after?: string }): Promise<StoredView[]> {
    return (await db.query<ViewRow>(sql.LIST_SCHEDULES, [page.after ?? null, page.limit])).map(viewOf);
  }

  async findView(db: Sql, id: string): Promise<StoredView | undefined> {
    const [row] = await db.query<ViewRow>(sql.VIEW_SCHEDULE, [id]);
    return row && viewOf(row);
  }

  async findIdByName(db: Sql, name: string): Promise<string | undefined> {
    return (await db.query<{ id: string }>(sql.SCHEDULE_ID_BY_NAME, [name]))[0]?.id;
  }

  /** With `wait` it waits for whoever holds the lock; without, that one counts as "not there". */
  async lock(db: Sql, id: string, { wait }: { readonly wait: boolean }): Promise<Schedule | undefined> {
    const [row] = await db.query<ScheduleRow>(wait ? sql.LOCK_SCHEDULE : sql.LOCK_SCHEDULE_IF_FREE, [id]);
    return row && scheduleOf(row);
  }

  async insert(db: Sql, schedule: NewSchedule): Promise<void> {
    await db.query(sql.INSERT_SCHEDULE, valuesOf(schedule));
  }

  /** False when it was put in before, or its name is taken. */
  async insertDefault(db: Sql, schedule: NewSchedule): Promise<boolean> {
    return (await db.query(sql.INSERT_DEFAULT_SCHEDULE, valuesOf(schedule))).length === 1;
  }

  async update(db: Sql, schedule: NewSchedule): Promise<void> {
    await db.query(sql.UPDATE_SCHEDULE, valuesOf(schedule));
  }

  async pause(db: Sql, id: string, actor: string): Promise<void> {
    await db.query(sql.PAUSE_SCHEDULE, [id, actor]);
  }

  async resume(db: Sql, id: string, to: { readonly nextTickAt: Date; readonly actor: string }): Promise<void> {
    await db.query(sql.RESUME_SCHEDULE, [id, to.actor, to.nextTickAt]);
  }

  async delete(db: Sql, id: string): Promise<boolean> {
    return (await db.query(sql.DELETE_SCHEDULE, [id])).length === 1;
  }

  /** `types` are those that this process knows; ticks of others are left to whoever does until `strangersFrom`. */
  async look(db: Sql, at: { readonly now: Date; readonly types: readonly string[]; readonly strangersFrom: Date }) {
    const [row] = await db.query<Look>(sql.LOOK, [at.now, at.types, at.strangersFrom]);
    return row ?? { due: [], waiting: [], soonest: null };
  }

  async upcoming(db: Sql, now: Date): Promise<Schedule[]> {
    return (await db.query<ScheduleRow>(sql.UPCOMING_SCHEDULES, [now])).map(scheduleOf);
  }

  /** Only from the tick that the schedule was read with: whoever was quicker has the last word. */
  async setNextTick(db: Sql, schedule: Schedule, nextTickAt: Date | null): Promise<void> {
    await db.query(sql.SET_NEXT_TICK, [schedule.id, schedule.nextTickAt, nextTickAt]);
  }
}

function viewOf(row: ViewRow): StoredView {
  return {
    schedule: scheduleOf(row),
    lastTick: row.last_tick === null ? undefined : tickOf(row.last_tick),
    lastTask: row.last_task === null ? undefined : lastTaskOf(row.last_task),
    waiting: row.waiting,
  };
}

const valuesOf = (schedule: NewSchedule): unknown[] => [
  schedule.id,
  schedule.name,
  schedule.description,
  schedule.taskType,
  schedule.taskVersion,
  JSON.stringify(schedule.params),
  schedule.cron,
  schedule.timeZone,
  schedule.catchUp.policy,
  schedule.catchUp.max,
  schedule.overlap,
  schedule.nextTickAt,
  schedule.actor,
  schedule.priority,
  schedule.startWithinMs,
];
