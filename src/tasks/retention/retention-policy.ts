import type { FinishedStatus } from '../task-state.js';

/** How long a finished task is kept, in days since it ended. */
export type Keep = number | 'forever';

export type KeepByOutcome = Readonly<Record<FinishedStatus, Keep>>;

/** What is set for one type; outcomes that are left out follow the default. */
export type TypePolicy = Readonly<Partial<KeepByOutcome>>;

/** Finished tasks of one type and outcome that ended before a time. */
export interface Sweep {
  readonly type: string;
  readonly outcome: FinishedStatus;
  readonly before: Date;
}

const OUTCOMES: readonly FinishedStatus[] = ['cancelled', 'completed', 'failed'];
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface SweepTerms {
  readonly types: readonly string[];
  readonly defaults: KeepByOutcome;
  readonly policies: ReadonlyMap<string, TypePolicy>;
  /** No task goes before a repeated request could ask for it by its Idempotency-Key. */
  readonly atLeastHours: number;
  readonly now: Date;
}

/** What is to go, in an order that is the same each time: a run that was interrupted goes on where it was. */
export function sweepsOf({ types, defaults, policies, atLeastHours, now }: SweepTerms): Sweep[] {
  return [...new Set(types)].sort().flatMap((type) =>
    OUTCOMES.flatMap((outcome): Sweep[] => {
      const keep = policies.get(type)?.[outcome] ?? defaults[outcome];
      if (keep === 'forever') return [];
      const keepMs = Math.max(keep * DAY_MS, atLeastHours * HOUR_MS);
      return [{ type, outcome, before: new Date(now.getTime() - keepMs) }];
    }),
  );
}
