/**
 * When a cron expression is due, worked out the slow and plain way: every day of the calendar, every time of that day, and
 * for each the moments at which the zone's clocks show it. Shares nothing with the product but the rules.
 */
export interface ModelExpression {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** undefined: `*`. */
  readonly monthDays?: readonly number[];
  readonly months?: readonly number[];
  readonly weekDays?: readonly number[];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** No zone is farther from UTC. */
const FARTHEST = 26 * HOUR;

const all = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
export const EVERY_HOUR = all(0, 23);

export function cronOf({ minutes, hours, monthDays, months, weekDays }: ModelExpression): string {
  const hour = hours.length === 24 ? undefined : hours;
  return [minutes, hour, monthDays, months, weekDays].map((numbers) => numbers?.join(',') ?? '*').join(' ');
}

/** A zone's distance to UTC, asked of the engine's calendar; once a day where it is the same at both ends of it. */
export class ModelZone {
  private readonly format: Intl.DateTimeFormat;
  private readonly days = new Map<number, number>();

  constructor(readonly name: string) {
    const numeric = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    this.format = new Intl.DateTimeFormat('en-CA', { timeZone: name, hourCycle: 'h23', ...numeric });
  }

  /** For whole minutes. */
  offset(time: number): number {
    const day = Math.floor(time / DAY);
    return this.ofDay(day) === this.ofDay(day + 1) ? this.ofDay(day) : this.asked(time);
  }

  private asked(time: number): number {
    const parts = this.format.format(time).match(/\d+/g)?.map(Number) ?? [];
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = parts;
    return Date.UTC(year, month - 1, day, hour, minute) - time;
  }

  /** At its beginning (of UTC). */
  private ofDay(day: number): number {
    let offset = this.days.get(day);
    if (offset === undefined) {
      offset = this.asked(day * DAY);
      this.days.set(day, offset);
    }
    return offset;
  }

  /** The offset that holds for a whole local day and its neighbours, if one does. */
  steadyOffset(wall: number): number | undefined {
    const day = Math.floor(wall / DAY);
    const [first = 0, ...others] = [day - 1, day, day + 1, day + 2].map((one) => this.ofDay(one));
    return others.every((offset) => offset === first) ? first : undefined;
  }

  /** The days of UTC between which the clocks change. */
  changes(from: number, to: number): number[] {
    const days = all(Math.floor(from / DAY), Math.floor(to / DAY));
    return days.filter((day) => this.ofDay(day) !== this.ofDay(day + 1)).map((day) => day * DAY);
  }
}

function momentsOf(zone: ModelZone, wall: number, everyHour: boolean): number[] {
  const steady = zone.steadyOffset(wall);
  if (steady !== undefined) return [wall - steady];
  // Clocks are set at most once in so short a time: one of the two holds.
  const offsets = new Set([wall - FARTHEST, wall + FARTHEST].map((time) => zone.offset(time)));
  const moments = [...offsets].filter((offset) => zone.offset(wall - offset) === offset).map((offset) => wall - offset);
  if (moments.length > 0) return everyHour ? moments : [Math.min(...moments)];
  if (everyHour) return [];
  // The time is left out: minute by minute to the first moment at which the clocks show a later one.
  let moment = wall - FARTHEST;
  while (moment + zone.offset(moment) < wall) moment += MINUTE;
  return [moment];
}

function dayMatches({ monthDays, months, weekDays }: ModelExpression, date: Date): boolean {
  if (months && !months.includes(date.getUTCMonth() + 1)) return false;
  const byMonth = monthDays?.includes(date.getUTCDate());
  const byWeek = weekDays?.includes(date.getUTCDay());
  return byMonth === undefined || byWeek === undefined ? (byMonth ?? byWeek ?? true) : byMonth || byWeek;
}

/** All ticks from `from` up to, not including, `to`. */
export function modelTicks(
  expression: ModelExpression,
  zone: ModelZone,
  [from, to]: readonly [number, number],
): number[] {
  const everyHour = expression.hours.length === 24;
  const ticks = new Set<number>();
  for (let day = Math.floor(from / DAY) - 2; day * DAY < to + 2 * DAY; day += 1) {
    if (!dayMatches(expression, new Date(day * DAY))) continue;
    for (const hour of expression.hours) {
      for (const minute of expression.minutes) {
        for (const tick of momentsOf(zone, day * DAY + hour * HOUR + minute * MINUTE, everyHour)) ticks.add(tick);
      }
    }
  }
  return [...ticks].filter((tick) => tick >= from && tick < to).sort((a, b) => a - b);
}
