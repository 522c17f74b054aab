import { invalid } from '../../platform/errors/app-error.js';
import { FieldProblem, FIELDS, numbersOf, SECOND } from './cron-field.js';

const DAY_MS = 86_400_000;
const SECONDS_A_DAY = 86_400;
/** 29 February may be eight years away (1896–1904, 2096–2104); no date that exists is farther. */
const LOOK_AHEAD_DAYS = 8 * 366;
const LONGEST = 200;

const NICKNAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '@yearly': '0 0 1 1 *',
    '@annually': '0 0 1 1 *',
    '@monthly': '0 0 1 * *',
    '@weekly': '0 0 * * 0',
    '@daily': '0 0 * * *',
    '@midnight': '0 0 * * *',
    '@hourly': '0 * * * *',
  }),
);

const ALLOWED =
  '5 fields (minute, hour, day of month, month, day of week), 6 with seconds before them, or one of ' +
  [...NICKNAMES.keys()].join(', ');

/**
 * A cron expression on a calendar without time zones. Wall times are milliseconds of UTC whose date and clock are the
 * local ones. A day matches when month, day of month and day of week do; where both kinds of day leave some out, either
 * is enough (as in every cron since V7).
 */
export class CronExpression {
  /** Every hour: it repeats with the hours that there are, instead of naming times of day. */
  readonly everyHour: boolean;

  private constructor(
    readonly text: string,
    private readonly fields: {
      readonly seconds: readonly number[];
      readonly minutes: readonly number[];
      readonly hours: readonly number[];
      readonly monthDays: ReadonlySet<number>;
      readonly months: ReadonlySet<number>;
      readonly weekDays: ReadonlySet<number>;
    },
  ) {
    this.everyHour = fields.hours.length === 24;
  }

  /** @throws invalid `invalid_cron_expression`, with what is wrong, for what is none or would never fire. */
  static parse(text: string): CronExpression {
    const words = wordsOf(text);
    const [second = '0', ...rest] = words.length === 6 ? words : ['0', ...words];
    try {
      const seconds = numbersOf(second, SECOND);
      const [minutes = [], hours = [], monthDays = [], months = [], weekDays = []] = FIELDS.map((rule, i) =>
        numbersOf(rest[i] ?? '', rule),
      );
      const expression = new CronExpression(text.trim(), {
        seconds,
        minutes,
        hours,
        monthDays: new Set(monthDays),
        months: new Set(months),
        weekDays: new Set(weekDays.map((day) => day % 7)),
      });
      if (expression.next(0) === undefined) throw new FieldProblem('no year has such a day: it would never fire');
      return expression;
    } catch (error) {
      throw error instanceof FieldProblem ? refusal(text, error.message) : error;
    }
  }

  /** The first wall time that matches, at `wallMs` or later. Undefined only while parsing: it never matches. */
  next(wallMs: number): number | undefined {
    const fromMs = Math.ceil(wallMs / 1_000) * 1_000;
    const firstDay = Math.floor(fromMs / DAY_MS);
    const time = this.timeFrom((fromMs - firstDay * DAY_MS) / 1_000);
    if (time !== undefined && this.dayMatches(new Date(firstDay * DAY_MS))) return firstDay * DAY_MS + time * 1_000;
    const start = (this.timeFrom(0) ?? 0) * 1_000;
    for (let day = firstDay + 1; day <= firstDay + LOOK_AHEAD_DAYS; day += 1) {
      const date = new Date(day * DAY_MS);
      if (!this.fields.months.has(date.getUTCMonth() + 1)) {
        day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / DAY_MS - 1;
      } else if (this.dayMatches(date)) {
        return day * DAY_MS + start;
      }
    }
    return undefined;
  }

  private dayMatches(date: Date): boolean {
    const { months, monthDays, weekDays } = this.fields;
    if (!months.has(date.getUTCMonth() + 1)) return false;
    const byMonth = monthDays.has(date.getUTCDate());
    const byWeek = weekDays.has(date.getUTCDay());
    return monthDays.size < 31 && weekDays.size < 7 ? byMonth || byWeek : byMonth && byWeek;
  }

  /** The first time of day that matches, in seconds since midnight, at `second` or later. */
  private timeFrom(second: number): number | undefined {
    const { seconds, minutes, hours } = this.fields;
    const [firstSecond = 0] = seconds;
    const [firstMinute = 0] = minutes;
    const [hour, minute] = [Math.floor(second / 3_600), Math.floor(second / 60) % 60];
    if (second < SECONDS_A_DAY && hours.includes(hour)) {
      const inMinute = minutes.includes(minute) ? seconds.find((one) => one >= second % 60) : undefined;
      if (inMinute !== undefined) return hour * 3_600 + minute * 60 + inMinute;
      const later = minutes.find((one) => one > minute);
      if (later !== undefined) return hour * 3_600 + later * 60 + firstSecond;
    }
    const laterHour = hours.find((one) => one > hour);
    return laterHour === undefined ? undefined : laterHour * 3_600 + firstMinute * 60 + firstSecond;
  }
}

function wordsOf(text: string): readonly string[] {
  if (text.length > LONGEST) throw refusal(text, `it is longer than ${LONGEST} characters`);
  const trimmed = text.trim();
  const nickname = NICKNAMES.get(trimmed.toLowerCase());
  if (trimmed.startsWith('@') && nickname === undefined) {
    throw refusal(text, `"${trimmed}" is not one of the names there are`);
  }
  const words = (nickname ?? trimmed).split(/\s+/);
  if (words.length === 5 || words.length === 6) return words;
  throw refusal(text, `it has ${trimmed === '' ? 0 : words.length} fields`);
}

const refusal = (text: string, why: string): Error =>
  invalid('invalid_cron_expression', `The cron expression is not acceptable: ${why}.`, {
    fields: [{ path: 'cron', message: why, value: text, allowed: ALLOWED }],
  });
