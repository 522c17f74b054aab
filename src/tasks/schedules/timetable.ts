import { CronExpression } from './cron-expression.js';
import { ZoneClock } from './zone-clock.js';

/** Clocks have been set back by a day at most, and a day has never been longer than two. */
const LOOK_BACK_MS = 2 * 86_400_000;
/** The first window in which the last ticks before a moment are looked for; it grows until there are enough. */
const WINDOW_MS = 60_000;
const WINDOW_GROWTH = 4;

/**
 * When a schedule fires: a cron expression on the clocks of a time zone.
 *
 * Where clocks are set forward, a time of day that is left out fires at the first moment after the gap, once however many
 * are left out; where they are set back, a time of day that comes twice fires the first time. An expression of every hour
 * (`*` `/15 * * * *`) names no times of day: it fires in each hour that there is, also in one that comes twice.
 */
export class Timetable {
  private constructor(
    private readonly expression: CronExpression,
    private readonly clock: ZoneClock,
  ) {}

  /** @throws invalid `invalid_cron_expression`, `unknown_time_zone`. */
  static of(cron: string, timeZone: string): Timetable {
    return new Timetable(CronExpression.parse(cron), ZoneClock.of(timeZone));
  }

  get cron(): string {
    return this.expression.text;
  }

  get timeZone(): string {
    return this.clock.name;
  }

  /** The first tick after `after`, which itself is not one. */
  next(after: Date): Date {
    const from = Math.floor(after.getTime() / 1_000) * 1_000 + 1_000;
    let covered: number | undefined; // local time up to which every time of day has had its chance
    for (const { start, end, offset } of this.clock.segmentsFrom(from - LOOK_BACK_MS)) {
      const wallStart = start + offset;
      if (!this.expression.everyHour && covered !== undefined) {
        const skipped = covered < wallStart ? this.wall(covered) : wallStart;
        if (skipped < wallStart && start >= from) return new Date(start);
      }
      const fresh = this.expression.everyHour ? wallStart : Math.max(wallStart, covered ?? wallStart);
      const wall = this.wall(Math.max(fresh, from + offset));
      if (wall < end + offset) return new Date(wall - offset);
      covered = Math.max(covered ?? -Infinity, end + offset);
    }
    throw new Error('time came to an end');
  }

  /** The next `count` ticks after `after`. */
  preview(after: Date, count: number): Date[] {
    const ticks: Date[] = [];
    for (let tick = this.next(after); ticks.length < count; tick = this.next(tick)) ticks.push(tick);
    return ticks;
  }

  /** All ticks from `from` up to, not including, `to`. */
  *between(from: Date, to: Date): Generator<Date> {
    for (let tick = this.next(new Date(from.getTime() - 1)); tick < to; tick = this.next(tick)) yield tick;
  }

  /** The last `count` of them, without going through millions: a schedule of every second may have been away for a year. */
  lastBetween(from: Date, to: Date, count: number): Date[] {
    if (count === 0) return [];
    for (let windowMs = WINDOW_MS; ; windowMs *= WINDOW_GROWTH) {
      const start = new Date(Math.max(from.getTime(), to.getTime() - windowMs));
      const ticks = [...this.between(start, to)];
      if (ticks.length >= count || start <= from) return ticks.slice(-count);
    }
  }

  private wall(from: number): number {
    const wall = this.expression.next(from);
    if (wall === undefined) throw new Error(`${this.cron} fires no more after ${new Date(from).toISOString()}`);
    return wall;
  }
}
