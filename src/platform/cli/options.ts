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

export function oneOf<const Choice extends string>(option: string, value: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((one) => one === value.toLowerCase());
  if (choice !== undefined) return choice;
  throw new UsageError(`${option} takes one of ${choices.join(', ')}, not "${value}"`);
}
