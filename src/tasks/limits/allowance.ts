import type { Limits, RateLimit } from './limits.js';

/** Where a type's limits stand, at one moment. */
export interface LimitState {
  readonly circuit: 'closed' | 'open' | 'probing';
  /** Until an open circuit may be tried. */
  readonly probeInMs: number | null;
  /** In the bucket when it was last looked at; null: full. */
  readonly tokens: number | null;
  readonly tokensAgeMs: number | null;
}

export interface Running {
  readonly inQueue: number;
  readonly ofType: number;
  /** The task that an open circuit is tried with still runs. */
  readonly isProbed: boolean;
}

export type Refusal = 'queue_full' | 'type_full' | 'rate' | 'circuit';

/** How many may start; when that is none, why, and when to look again: undefined when somebody will say. */
export interface Allowance {
  readonly count: number;
  readonly because?: Refusal;
  readonly retryInMs?: number;
  /** The one that may start is how an open circuit is tried. */
  readonly isProbe: boolean;
}

/**
 * What is in the bucket by now; undefined without a rate. When the clock was set back since it was looked at nobody knows how
 * long that is; by more than it counts in, it begins anew instead of standing still until then.
 */
export function tokensOf(rate: RateLimit | undefined, { tokens, tokensAgeMs }: LimitState): number | undefined {
  if (rate === undefined) return undefined;
  const { count, perMs, burst = count } = rate;
  const ageMs = tokensAgeMs ?? 0;
  if (tokens === null || ageMs < -perMs) return burst;
  return Math.min(burst, tokens + (Math.max(0, ageMs) * count) / perMs);
}

export const msUntilToken = ({ count, perMs }: RateLimit, tokens: number): number =>
  Math.max(0, Math.ceil(((1 - tokens) * perMs) / count));

/** When the next may start after `started` did, if it is the rate that it waits for then; undefined if not. */
export function msUntilNext(rate: RateLimit | undefined, state: LimitState, started: number): number | undefined {
  const tokens = tokensOf(rate, state);
  if (rate === undefined || tokens === undefined || tokens - started >= 1) return undefined;
  return msUntilToken(rate, tokens - started);
}

/** What limits leave of `wanted`. `type` and `state` are undefined for what waits in a queue's own lane. */
export function allowanceOf(
  wanted: number,
  limits: { readonly queue: Limits | undefined; readonly type: Limits | undefined },
  { running, state }: { readonly running: Running; readonly state: LimitState | undefined },
): Allowance {
  const { queue, type } = limits;
  const refused = (because: Refusal, retryInMs?: number): Allowance => ({
    ...{ count: 0, because, isProbe: false },
    ...(retryInMs === undefined ? {} : { retryInMs }),
  });
  const leftInQueue = (queue?.concurrency ?? Infinity) - running.inQueue;
  if (leftInQueue <= 0) return refused('queue_full');
  const leftOfType = (type?.concurrency ?? Infinity) - running.ofType;
  if (leftOfType <= 0) return refused('type_full');
  const tokens = state && tokensOf(type?.rate, state);
  if (type?.rate && tokens !== undefined && tokens < 1) return refused('rate', msUntilToken(type.rate, tokens));
  const count = Math.min(wanted, leftInQueue, leftOfType, Math.floor(tokens ?? Infinity));
  if (!type?.breaker || !state || state.circuit === 'closed') return { count, isProbe: false };
  if (state.circuit === 'open' && (state.probeInMs ?? 0) > 0) return refused('circuit', state.probeInMs ?? 0);
  if (state.circuit === 'probing' && running.isProbed) return refused('circuit');
  return { count: Math.min(1, count), isProbe: true };
}
