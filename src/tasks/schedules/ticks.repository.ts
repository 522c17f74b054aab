import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import type { Tick } from './schedule.js';
import { tickOf, type TickRow } from './schedule-rows.js';
import * as sql from './schedules.sql.js';

/** What became of a tick. */
export type Decision = Pick<Tick, 'at' | 'outcome'> &
  Partial<Pick<Tick, 'taskId' | 'missedFrom' | 'errorCode' | 'errorMessage'>>;

/** Ticks kept of each schedule, beside those that wait or run. */
export const KEPT_TICKS = 200;

/** Rows of `task_schedule_ticks`. All but {@link list} are called under the lock of the schedule's row. */
@Injectable()
export class TicksRepository {
  /** Which of the ticks were dealt with before: the clock had gone on, and was set back. */
  async known(db: Sql, scheduleId: string, ticks: readonly Date[]): Promise<ReadonlySet<number>> {
    const rows = await db.query<{ tick_at: Date }>(sql.KNOWN_TICKS, [scheduleId, ticks]);
    return new Set(rows.map((row) => row.tick_at.getTime()));
  }

  async waiting(db: Sql, scheduleId: string): Promise<Date[]> {
    return (await db.query<{ tick_at: Date }>(sql.WAITING_TICKS, [scheduleId])).map((row) => row.tick_at);
  }

  /** The id of a task of this schedule that has not finished. */
  async unfinishedTask(db: Sql, scheduleId: string): Promise<string | undefined> {
    return (await db.query<{ id: string }>(sql.UNFINISHED_TASK, [scheduleId]))[0]?.id;
  }

  /** Keeps what was decided, and forgets what is old. */
  async add(
    db: Sql,
    { scheduleId, cause, ticks }: { scheduleId: string; cause: Tick['cause']; ticks: readonly Decision[] },
  ): Promise<void> {
    if (ticks.length === 0) return;
    await db.query(sql.INSERT_TICKS, [
      scheduleId,
      cause,
      ticks.map((tick) => tick.at),
      ticks.map((tick) => tick.outcome),
      ticks.map((tick) => tick.taskId ?? null),
      ticks.map((tick) => tick.missedFrom ?? null),
      ticks.map((tick) => tick.errorCode ?? null),
      ticks.map((tick) => tick.errorMessage ?? null),
    ]);
    await db.query(sql.FORGET_OLD_TICKS, [scheduleId, KEPT_TICKS]);
  }

  async decideWaiting(db: Sql, scheduleId: string, tick: Decision): Promise<void> {
    const { at, outcome, taskId = null, errorCode = null, errorMessage = null } = tick;
    await db.query(sql.DECIDE_WAITING_TICK, [scheduleId, at, outcome, taskId, errorCode, errorMessage]);
  }

  /** Newest first; `after` is the last one of the page before. */
  async list(
    db: Sql,
    scheduleId: string,
    page: { readonly limit: number; readonly after?: Pick<Tick, 'at' | 'cause'> },
  ): Promise<Tick[]> {
    const values = [scheduleId, page.after?.at ?? null, page.after?.cause ?? null, page.limit];
    return (await db.query<TickRow>(sql.LIST_TICKS, values)).map(tickOf);
  }
}
