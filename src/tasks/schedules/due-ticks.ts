import type { CatchUp } from './schedule.js';
import type { Timetable } from './timetable.js';

/**
 * How late a tick may be noticed and still count as on time, whatever the catch-up policy. Smaller drops ticks of a busy
 * or restarting process; larger runs a `skip` schedule well after its time.
 */
const ON_TIME_MS = 60_000;

/** What is to become of the ticks up to now. */
export interface DueTicks {
  /** To be admitted, oldest first. */
  readonly due: readonly Date[];
  /** Not to be admitted: the first and the last of those that nobody was there for. */
  readonly missed: { readonly from: Date; readonly to: Date } | undefined;
  /** The first tick after now. */
  readonly next: Date;
}

/**
 * Ticks from `first` (the earliest not dealt with yet) up to now. Those on time are always due. Of older ones, which
 * nobody was there for, `skip` takes none, `latest` the last one unless another is due anyway, and `all` the last `max`.
 */
export function dueTicks(
  timetable: Timetable,
  { first, now, catchUp }: { readonly first: Date; readonly now: Date; readonly catchUp: CatchUp },
): DueTicks {
  const later = (a: Date, b: Date): Date => (a > b ? a : b);
  const late = later(first, new Date(now.getTime() - ON_TIME_MS));
  const onTime = [...timetable.between(late, new Date(now.getTime() + 1))];
  const makeUp = { skip: 0, latest: onTime.length === 0 ? 1 : 0, all: catchUp.max }[catchUp.policy];
  const old = timetable.lastBetween(first, late, makeUp + 1);
  const madeUp = old.slice(Math.max(0, old.length - makeUp));
  const lastMissed = old.length > makeUp ? old[0] : undefined;
  const firstMissed = lastMissed && timetable.next(new Date(first.getTime() - 1));
  return {
    due: [...madeUp, ...onTime],
    missed: lastMissed && firstMissed && { from: firstMissed, to: lastMissed },
    next: timetable.next(now),
  };
}
