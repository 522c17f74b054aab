import { setTimeout as sleep } from 'node:timers/promises';
import { isSerializationFailure } from './sql-state.js';

export interface RetryOptions {
  readonly attempts: number;
  /** The longest pause before the second attempt; it doubles from one to the next. */
  readonly firstPauseMs: number;
}

/**
 * Fewer attempts surface conflicts that would have passed; more keep a caller waiting on rows that are fought over all
 * the time.
 */
const DEFAULTS: RetryOptions = { attempts: 6, firstPauseMs: 10 };

/** Runs `work` again when it lost against another transaction, after a random pause so that the two do not meet again. */
export async function retrySerializationFailures<T>(
  work: () => Promise<T>,
  { attempts, firstPauseMs }: RetryOptions = DEFAULTS,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts || !isSerializationFailure(error)) throw error;
      await sleep(Math.random() * firstPauseMs * 2 ** (attempt - 1));
    }
  }
}
