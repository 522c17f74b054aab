/** One field of a cron expression: its limits, and words that stand for numbers. */
export interface FieldRule {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly words?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

export const SECOND: FieldRule = { name: 'second', min: 0, max: 59 };
/** In the order in which they are written. */
export const FIELDS = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, words: MONTHS },
  // 7 is Sunday too.
  { name: 'day of week', min: 0, max: 7, words: DAYS },
] as const satisfies readonly FieldRule[];

/** Why a field is refused, in words. */
export class FieldProblem extends Error {}

const PART = /^(?:[*?]|(?<from>\w+)(?:-(?<to>\w+))?)(?:\/(?<step>\d+))?$/;

/**
 * The numbers that a field means, in order and each once: `*`, `?`, `5`, `1-5`, `mon-fri`, `*` or a range with a step
 * (`*` `/15`), a start with a step (`5/15`: from 5 on), and lists of these. @throws FieldProblem.
 */
export function numbersOf(text: string, rule: FieldRule): readonly number[] {
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const groups = PART.exec(part)?.groups;
    if (groups === undefined) throw new FieldProblem(`${rule.name} "${text}" is not understood; ${forms(rule)}`);
    const [first, last, step] = rangeOf(groups, rule);
    for (let number = first; number <= last; number += step) found.add(number);
  }
  return [...found].sort((a, b) => a - b);
}

function rangeOf({ from, to, step }: Record<string, string>, rule: FieldRule): readonly [number, number, number] {
  const by = step === undefined ? 1 : Number(step);
  if (by < 1 || by > rule.max) {
    throw new FieldProblem(`${rule.name} has a step of ${by}; it is from 1 to ${rule.max}`);
  }
  // The second name of Sunday is no day of its own: */3 goes up to Saturday.
  const highest = rule.name === 'day of week' ? 6 : rule.max;
  if (from === undefined) return [rule.min, highest, by];
  const first = numberOf(from, rule);
  const last = to === undefined ? (step === undefined ? first : Math.max(first, highest)) : numberOf(to, rule);
  if (first > last) throw new FieldProblem(`${rule.name} ${from}-${String(to)} runs backwards`);
  return [first, last, by];
}

function numberOf(text: string, rule: FieldRule): number {
  const word = rule.words?.indexOf(text.toLowerCase()) ?? -1;
  if (word >= 0) return word + rule.min;
  const number = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  if (number >= rule.min && number <= rule.max) return number;
  throw new FieldProblem(`${rule.name} "${text}" is none; ${forms(rule)}`);
}

function forms({ min, max, words = [] }: FieldRule): string {
  const named = words.length === 0 ? '' : ` or ${words[0] ?? ''} to ${words.at(-1) ?? ''}`;
  return `it takes ${min} to ${max}${named}, * for all, a-b for a range, /n for a step, and lists with commas`;
}
