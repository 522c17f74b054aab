import { textOf } from '../../platform/cli/options.js';
import type { Limits } from '../limits/limits.js';

/** Limits in a cell: `2 at once, 1 per key, 10/1000 ms`. */
export function limitsText({ concurrency, concurrencyPerKey, rate, breaker }: Limits): string {
  const parts = [
    ...(concurrency === undefined ? [] : [`${String(concurrency)} at once`]),
    ...(concurrencyPerKey === undefined ? [] : [`${String(concurrencyPerKey)} per key`]),
    ...(rate === undefined ? [] : [`${String(rate.count)}/${String(rate.perMs)} ms`]),
    ...(breaker === undefined ? [] : [`parked after ${String(breaker.failures)} failures`]),
  ];
  return parts.join(', ') || 'none';
}

/** Why somebody changes limits: kept with who did it. */
export const reasonOf = (value: string): string => textOf('--reason', value, { max: 1_000 });
