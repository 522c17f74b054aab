import { setTimeout as sleep } from 'node:timers/promises';
import { sqlState } from '../../platform/database/sql-state.js';
import { databaseOutage } from '../../platform/database/database-outage.js';
import type { Attempt } from './attempt.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** query_canceled: a statement that takes too long takes too long the next time as well. */
const STATEMENT_TIMEOUT = '57014';

/**
 * Runs what the engine itself reads or writes for an attempt, again and again while the database is away and the task is
 * still ours: an outage is not the attempt's failure. `work` is fenced, so that a write whose confirmation was lost
 * is refused the second time instead of doubled.
 */
export async function whileHeld<T>(attempt: Attempt, work: () => Promise<T>): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      const away = databaseOutage(error) !== undefined && sqlState(error) !== STATEMENT_TIMEOUT;
      if (!away || attempt.closed || attempt.why === 'lease-lost') throw error;
      await sleep(pauseMs);
    }
  }
}
