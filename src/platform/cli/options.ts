import { UsageError } from './errors.js';

/** A whole number within the limits. */
export function wholeNumber(option: string, value: string, { min = 1, max = Number.MAX_SAFE_INTEGER } = {}): number {
  const number = Number(value);
  if (/^-?\d+$/.test(value.trim()) && number >= min && number <= max) return number;
  const limits = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
  throw new UsageError(`${option} takes a whole number, ${limits}, not "${value}"`);
}

/** As long as the API takes it; an emoji is one character, as there and in the database. */
export function textOf(option: string, value: string, { max }: { readonly max: number }): string {
  const { length } = Array.from(value);
  if (length >= 1 && length <= max) return value;
  throw new UsageError(`${option} takes 1 to ${max} characters, not ${length}`);
}

/** What people call something. */
export const nameOf = (option: string, value: string, { max = 200 } = {}): string =>
  textOf(option, value.trim(), { max });

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time such as `500ms`, `90s`, `15m`, `2h`, `1d`, in milliseconds; undefined when it is none. */
export function milliseconds(value: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(value.toLowerCase()) ?? [];
  return number === undefined ? undefined : Number(number) * (UNIT_MS[unit] ?? NaN);
}

/** Stands for null, of which commander makes an empty text. */
export const NONE = 'none';
export type OrNone<Value> = Value | typeof NONE;

export const orNone = <Value>(value: string, parse: (value: string) => Value): OrNone<Value> =>
  value.toLowerCase() === NONE ? NONE : parse(value);

export const orNull = <Value>(value: OrNone<Value>): Value | null => (value === NONE ? null : value);

export function oneOf<const Choice extends string>(option: string, value: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((one) => one === value.toLowerCase());
  if (choice !== undefined) return choice;
  throw new UsageError(`${option} takes one of ${choices.join(', ')}, not "${value}"`);
}
