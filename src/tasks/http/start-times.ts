import { invalid } from '../../platform/errors/app-error.js';

interface StartTimes {
  readonly runAt?: Date;
  readonly startBy?: Date;
}

/** @throws invalid `validation_failed` for a task that could never start in time. */
export function checkStartBy({ runAt, startBy }: StartTimes, now: Date): void {
  if (startBy === undefined) return;
  const mustWait = runAt !== undefined && runAt > now;
  const earliest = mustWait ? runAt : now;
  if (startBy > earliest) return;
  const message = mustWait
    ? 'is not after run_at: it could never start in time'
    : 'has passed: it could not start in time';
  const allowed = `after ${earliest.toISOString()}${mustWait ? ', its run_at' : ', which is now'}, or left out`;
  throw invalid('validation_failed', 'One field of the body is not acceptable: start_by.', {
    fields: [{ path: 'start_by', message, value: startBy.toISOString(), allowed }],
  });
}
