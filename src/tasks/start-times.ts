import type { FieldError } from '../platform/errors/app-error.js';

/** When a task is to start: not before `runAt`, and by `startBy` at the latest. */
export interface StartTimes {
  readonly runAt?: Date;
  readonly startBy?: Date;
}

/** What is wrong with the `startBy` of a task that could never start in time. */
export function startByProblem({ runAt, startBy }: StartTimes, now: Date): Omit<FieldError, 'path'> | undefined {
  if (startBy === undefined) return undefined;
  const mustWait = runAt !== undefined && runAt > now;
  const earliest = mustWait ? runAt : now;
  if (startBy > earliest) return undefined;
  return {
    message: mustWait ? 'is not after run_at: it could never start in time' : 'has passed: it could not start in time',
    value: startBy.toISOString(),
    allowed: `after ${earliest.toISOString()}${mustWait ? ', its run_at' : ', which is now'}, or left out`,
  };
}
