/** What a clock showed, without a zone. */
export interface WallTime {
  /** Milliseconds since 1970 as if the wall clock ran in UTC: for arithmetic only, never an instant. */
  readonly wallMs: number;
  /** False when only the day is known; the time is then midnight. */
  readonly hasTime: boolean;
  /** Fractions of a second were given, and not just zeros, which cameras without them write. */
  readonly hasFraction: boolean;
}

export interface ParsedDate extends WallTime {
  /** Minutes east of UTC, when the text says so itself. */
  readonly offsetMinutes: number | undefined;
}

const DATE = /^\s*(\d{4})[:\-/. ](\d{1,2})[:\-/. ](\d{1,2})/;
/** Seconds may be missing: some clocks count minutes. */
const TIME = /^(?:[T_ ]\s*|\s+)(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:[.,](\d+))?)?/;

/**
 * Reads the dates of EXIF (`2020:04:17 10:03:42`), XMP (ISO 8601) and what writers made of either: other separators,
 * fractions, `Z` and offsets in fields that know none. Undefined for zeros, blanks and days that do not exist.
 */
export function parseDateText(text: string | undefined): ParsedDate | undefined {
  const date = DATE.exec(text ?? '');
  if (text === undefined || date === null) return undefined;
  const rest = text.slice(date[0].length);
  const time = TIME.exec(rest);
  const [year, month, day] = date.slice(1).map(Number);
  const [hour, minute, second] = [1, 2, 3].map((group) => Number(time?.[group] ?? 0));
  const wall = wallTime([year, month, day, hour, minute, second], time?.[4], time !== null);
  if (wall === undefined) return undefined;
  return { ...wall, offsetMinutes: time === null ? undefined : parseOffset(rest.slice(time[0].length)) };
}

/** Undefined when the numbers are no date. A leap second, which no clock shows again, is the second before it. */
export function wallTime(
  parts: readonly (number | undefined)[],
  fractionDigits: string | undefined,
  hasTime: boolean,
): WallTime | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const midnight = Date.UTC(year, month - 1, day);
  const back = new Date(midnight);
  if (year < 1000 || back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day) return undefined;
  const millisecond = fractionOf(fractionDigits);
  const wallMs = midnight + ((hour * 60 + minute) * 60 + Math.min(second, 59)) * 1000 + (millisecond ?? 0);
  return { wallMs, hasTime, hasFraction: millisecond !== undefined };
}

/** Milliseconds of the digits after the point (`84` → 840), cut after the third; undefined for none or only zeros. */
function fractionOf(digits: string | undefined): number | undefined {
  if (digits === undefined || /^0*$/.test(digits)) return undefined;
  return Number(digits.slice(0, 3).padEnd(3, '0'));
}

/** Adds the digits of a SubSecTime field, unless the date had its own. */
export function withSubSeconds<T extends WallTime>(date: T, subSeconds: string | undefined): T {
  const millisecond = fractionOf(/^\s*(\d+)/.exec(subSeconds ?? '')?.[1]);
  if (date.hasFraction || !date.hasTime || millisecond === undefined) return date;
  return { ...date, wallMs: date.wallMs + millisecond, hasFraction: true };
}

/** Minutes of `+02:00`, `-0600`, `+1:00`, `Z`; undefined for anything else and for offsets that exist nowhere. */
export function parseOffset(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\s*(Z|UTC|GMT)\s*$/i.test(text)) return 0;
  const match = /^\s*([+-])(\d{1,2}):?(\d{2})?\s*$/.exec(text);
  if (match === null) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  if (minutes > 14 * 60 || Number(match[3] ?? 0) > 59) return undefined;
  return match[1] === '-' ? -minutes : minutes;
}

/** `2020-04-17T10:03:42`, with milliseconds when fractions were given. */
export function formatWall({ wallMs, hasFraction }: WallTime): string {
  return new Date(wallMs).toISOString().slice(0, hasFraction ? 23 : 19);
}

/** The oldest photograph is of 1826. */
const EARLIEST_MS = Date.UTC(1826, 0, 1);
const DAY_MS = 86_400_000;

/** A clock may be ahead of ours by its zone and a little, not by more than a day. */
export function isPlausible({ wallMs }: WallTime, nowMs: number): boolean {
  return wallMs >= EARLIEST_MS && wallMs <= nowMs + DAY_MS;
}

/** Where the clocks of devices begin: such a date says that the clock was never set. */
const CLOCK_STARTS = [Date.UTC(1904, 0, 1), Date.UTC(1970, 0, 1), Date.UTC(1980, 0, 1)];

export const isClockStart = ({ wallMs }: WallTime): boolean => CLOCK_STARTS.includes(wallMs);
