/** How fast tasks may start: a bucket of `burst` starts that fills up by `count` every `perMs`. */
export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
  /** Starts at once after a pause; `count` when left out. */
  readonly burst?: number;
}

/** When a type counts as broken by something it depends on, and how long it is left alone then. */
export interface Breaker {
  /** Transient failures in a row, of any of its tasks. Smaller parks a type for errors that would have passed. */
  readonly failures: number;
  /** Until one task is tried; 30 s when left out. */
  readonly coolDownMs?: number;
  /** Each failed try doubles the cool-down, up to this; 15 minutes when left out. */
  readonly longestCoolDownMs?: number;
}

/** How much of a type may run, over all workers. What is left out is not limited. */
export interface Limits {
  readonly concurrency?: number;
  /** Of tasks with the same concurrency key. */
  readonly concurrencyPerKey?: number;
  readonly rate?: RateLimit;
  readonly breaker?: Breaker;
}

/** What an operator sets in place of what the code declares: a number, or null for none at all. */
export type LimitsOverride = { readonly [Field in keyof Limits]?: Limits[Field] | null };

export type LimitScope = 'queue' | 'type';

const LIMIT_FIELDS = ['concurrency', 'concurrencyPerKey', 'rate', 'breaker'] as const;
export const MOST_AT_ONCE = 100_000;
export const LONGEST_MS = 7 * 86_400_000;
export const COOL_DOWN_MS = 30_000;
export const LONGEST_COOL_DOWN_MS = 15 * 60_000;

/** It would never hold: no cool-down is shorter than the first. Gives what the longest must be at least. */
export function tooShortLongest({
  coolDownMs = COOL_DOWN_MS,
  longestCoolDownMs,
}: Partial<Breaker>): number | undefined {
  return longestCoolDownMs !== undefined && longestCoolDownMs < coolDownMs ? coolDownMs : undefined;
}

/** @throws Error for limits that a definition cannot have. */
export function assertLimits({ concurrency, concurrencyPerKey, rate, breaker }: Limits, whose: string): void {
  const wholes: readonly [string, number | undefined, number][] = [
    ['concurrency', concurrency, MOST_AT_ONCE],
    ['concurrencyPerKey', concurrencyPerKey, MOST_AT_ONCE],
    ['rate.count', rate?.count, MOST_AT_ONCE],
    ['rate.perMs', rate?.perMs, LONGEST_MS],
    ['rate.burst', rate?.burst, MOST_AT_ONCE],
    ['breaker.failures', breaker?.failures, MOST_AT_ONCE],
    ['breaker.coolDownMs', breaker?.coolDownMs, LONGEST_MS],
    ['breaker.longestCoolDownMs', breaker?.longestCoolDownMs, LONGEST_MS],
  ];
  for (const [field, value, most] of wholes) {
    if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)) continue;
    throw new Error(`${whose}: limits.${field} must be a whole number from 1 to ${String(most)}, not ${String(value)}`);
  }
  const least = breaker && tooShortLongest(breaker);
  if (least === undefined) return;
  throw new Error(`${whose}: limits.breaker.longestCoolDownMs must not be less than coolDownMs, ${String(least)}`);
}

/** What holds: what is set, and what is declared where nothing is set. */
export function effectiveLimits(declared: Limits, overridden: LimitsOverride): Limits {
  const merged = { ...declared, ...overridden };
  return Object.fromEntries(
    LIMIT_FIELDS.flatMap((field) => {
      const value = merged[field];
      return value === undefined || value === null ? [] : [[field, value]];
    }),
  );
}
