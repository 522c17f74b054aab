import type { TaskStatus } from '../task-state.js';

export const CATCH_UP_POLICIES = ['skip', 'latest', 'all'] as const;
export const OVERLAP_POLICIES = ['skip', 'queue'] as const;

/** A second to a week. */
export const LEAST_START_WITHIN_MS = 1_000;
export const MOST_START_WITHIN_MS = 7 * 24 * 3_600_000;

/** What becomes of ticks that nobody was there for. */
export interface CatchUp {
  readonly policy: (typeof CATCH_UP_POLICIES)[number];
  /** With `all`: at most so many, the latest ones. */
  readonly max: number;
}

/** What becomes of a tick while a task of an earlier one is unfinished: nothing, or it waits for its turn. */
export type Overlap = (typeof OVERLAP_POLICIES)[number];

/** What a person says of a schedule. */
export interface ScheduleTerms {
  readonly name: string;
  readonly description: string | null;
  readonly taskType: string;
  readonly params: object;
  readonly cron: string;
  readonly timeZone: string;
  readonly catchUp: CatchUp;
  readonly overlap: Overlap;
  /** Of its tasks; null: that of their type. */
  readonly priority: number | null;
  /** How long a task may wait for its start before it fails with `deadline_passed`; null: for ever. */
  readonly startWithinMs: number | null;
}

/** What is to be other than it is; of the catch-up, too, only what is given. */
export type ScheduleChanges = Partial<Omit<ScheduleTerms, 'catchUp'>> & { readonly catchUp?: Partial<CatchUp> };

export interface Schedule extends ScheduleTerms {
  readonly id: string;
  /** Version of the task type that `params` were written for. */
  readonly taskVersion: number;
  readonly pausedAt: Date | null;
  readonly pausedBy: string | null;
  /** The earliest tick that has not been dealt with; null while paused, and when its expression or zone has become unusable. */
  readonly nextTickAt: Date | null;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly updatedAt: Date;
  readonly updatedBy: string;
}

/**
 * What became of a tick: a task was started for it, or an unfinished task with the same dedup key stands for it; it waits
 * for the task before it; it was left out because of that one, or because nobody was there; its task was refused.
 */
export const TICK_OUTCOMES = ['started', 'joined', 'waiting', 'overlapped', 'missed', 'refused'] as const;
export type TickOutcome = (typeof TICK_OUTCOMES)[number];

/** A tick that was dealt with, or a run by hand. */
export interface Tick {
  readonly at: Date;
  readonly cause: 'tick' | 'manual';
  readonly outcome: TickOutcome;
  readonly taskId: string | null;
  /** With `missed`: the first of the ticks that this one stands for. */
  readonly missedFrom: Date | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly decidedAt: Date;
}

/** The last task that a schedule has started, as it stands. */
export interface LastTask {
  readonly id: string;
  readonly status: TaskStatus;
  readonly createdAt: Date;
  readonly completedAt: Date | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}

/** A schedule as it is shown. */
export interface ScheduleView extends Schedule {
  readonly nextTicks: readonly Date[];
  readonly lastTick: Tick | undefined;
  readonly lastTask: LastTask | undefined;
  /** Ticks that wait for the task before them. */
  readonly waiting: number;
  /** Why the next tick would be refused: the task type is gone, its rules have changed, the zone is unknown. */
  readonly problem: { readonly code: string; readonly message: string } | undefined;
}
