/** '42' → 42; anything else that is not a plain whole number → NaN. */
export const wholeNumber = (text: string): number => (/^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN);

/** '0.25' → 0.25; anything else that is not a plain number → NaN. */
export const realNumber = (text: string): number => (/^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN);

/** '512, 256' → [256, 512], without repeats. */
export function wholeNumberList(text: string): number[] {
  const numbers = text.split(',').map(wholeNumber);
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** 'true' → true, 'False' → false; anything else → undefined. */
export const trueOrFalse = (text: string): boolean | undefined =>
  new Map([
    ['true', true],
    ['false', false],
  ]).get(lowerCase(text));

export const lowerCase = (text: string): string => text.trim().toLowerCase();

/**
 * 'default=8,images=2' → { default: 8, images: 2 }; '8' is short for 'default=8'. Undefined when it cannot be read or
 * names a queue twice.
 */
export function concurrencyByQueue(text: string): Record<string, number> | undefined {
  const result: Record<string, number> = {};
  for (const part of text.split(',')) {
    const [, queue = 'default', count = ''] = /^\s*(?:([a-z][a-z0-9_.-]*)\s*=\s*)?(\d{1,4})\s*$/.exec(part) ?? [];
    if (count === '' || queue in result) return undefined;
    result[queue] = Number(count);
  }
  return result;
}

/** How many days something is kept, by what became of it. */
export type DaysByOutcome = Readonly<Record<'completed' | 'failed' | 'cancelled', number | 'forever'>>;

/** 'completed=30,failed=forever' → those, and the defaults for what is left out; undefined when it cannot be read. */
export function daysByOutcome(text: string, defaults: DaysByOutcome): DaysByOutcome | undefined {
  const result: Record<string, number | 'forever'> = {};
  for (const part of text.split(',')) {
    const [, outcome = '', days = ''] = /^\s*([a-z]+)\s*=\s*(forever|[1-9]\d{0,4})\s*$/i.exec(part) ?? [];
    const name = outcome.toLowerCase();
    if (!Object.hasOwn(defaults, name) || name in result || Number(days) > MAX_DAYS) return undefined;
    result[name] = days.toLowerCase() === 'forever' ? 'forever' : Number(days);
  }
  return { ...defaults, ...result };
}

/** A century. */
const MAX_DAYS = 36_500;

/** 'a=1,b=two%20words' → { a: '1', b: 'two words' }; NaN, which no validator takes for an object, when it cannot be read. */
export function keyValuePairs(text: string): Record<string, string> | number {
  const result: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [, name, value = ''] = /^\s*([^\s=]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    if (name === undefined) return Number.NaN;
    try {
      result[name] = decodeURIComponent(value);
    } catch {
      return Number.NaN;
    }
  }
  return result;
}
