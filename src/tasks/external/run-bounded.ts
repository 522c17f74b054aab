import { type Context, createContext, Script } from 'node:vm';

/**
 * Schemas and the values that are checked against them come from outside: a pattern that backtracks for ever, or
 * references that double thirty times, must not stop the process. Smaller refuses honest input on a machine that is out of
 * breath; larger lets one request hold up the others for that long.
 */
export const TIME_LIMIT_MS = 500;

/** It took too long, or went too deep for the stack. */
export class TooCostlyError extends Error {}

const script = new Script('work()');
let context: Context | undefined;

/** How much longer each further try may take, by the clock, and the longest of them. */
const MORE_TIME = 4;
const LONGEST_TRY_MS = TIME_LIMIT_MS * MORE_TIME ** 2;

/**
 * Runs synchronous `work`, which may run again, at most {@link TIME_LIMIT_MS} of processor time. A clock is all there is to
 * stop it by; on a machine with more to do than it can, that stops what had no time at all, and so it gets more.
 * @throws TooCostlyError.
 */
export function runBounded<T>(work: () => T): T {
  for (let limitMs = TIME_LIMIT_MS; ; limitMs *= MORE_TIME) {
    const before = process.cpuUsage();
    try {
      return runWithin(work, limitMs);
    } catch (error) {
      if (error instanceof RangeError) throw new TooCostlyError('it is nested too deeply', { cause: error });
      if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1_000 >= TIME_LIMIT_MS * 0.8 || limitMs >= LONGEST_TRY_MS) {
        throw new TooCostlyError('it takes too long', { cause: error });
      }
    }
  }
}

function runWithin<T>(work: () => T, timeout: number): T {
  context ??= createContext({});
  let result: T | undefined;
  context.work = (): void => {
    result = work();
  };
  try {
    script.runInContext(context, { timeout });
    return result as T;
  } finally {
    context.work = undefined;
  }
}
