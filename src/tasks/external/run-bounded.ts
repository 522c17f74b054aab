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

/** Runs synchronous `work`, at most {@link TIME_LIMIT_MS} of it. @throws TooCostlyError. */
export function runBounded<T>(work: () => T): T {
  context ??= createContext({});
  let result: T | undefined;
  context.work = (): void => {
    result = work();
  };
  try {
    script.runInContext(context, { timeout: TIME_LIMIT_MS });
    return result as T;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' || error instanceof RangeError) {
      throw new TooCostlyError('it takes too long, or is nested too deeply', { cause: error });
    }
    throw error;
  } finally {
    context.work = undefined;
  }
}
