import { Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { types } from 'node:util';
import { AppError, unavailable } from '../errors/app-error.js';
import { sqlState } from './sql-state.js';

export interface Patience {
  /**
   * How long to wait for the database. Undefined: for ever, whatever is wrong (servers, which somebody may be about to
   * give their database). A number: for what may pass by itself, at most that long (commands, whose user waits).
   */
  readonly waitMs?: number;
  /** Told why it has to wait, once. */
  readonly onWait?: (reason: string) => void;
  /** For tests. */
  readonly firstPauseMs?: number;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

const logger = new Logger('Database');

/**
 * Runs `connect` until it succeeds, saying at each failure what is wrong and when the next attempt is. An AppError other
 * than `unavailable` (a schema that is too new, a folder that cannot be used) ends it at once.
 */
export async function connectWithRetry<T>(
  description: string,
  patience: Patience,
  connect: () => Promise<T>,
): Promise<T> {
  const started = Date.now();
  const deadline = started + (patience.waitMs ?? Number.POSITIVE_INFINITY);
  for (let pauseMs = patience.firstPauseMs ?? FIRST_PAUSE_MS, attempt = 1; ; attempt += 1) {
    try {
      const result = await connect();
      if (attempt > 1)
        logger.log({ message: 'the database is there', attempts: attempt, afterMs: Date.now() - started });
      return result;
    } catch (error) {
      const hopeless = patience.waitMs !== undefined && isSetUpWrong(error);
      if (!mayPass(error) || hopeless || Date.now() + pauseMs > deadline) throw asUnavailable(error, description);
      const reason = explain(error);
      if (attempt === 1) patience.onWait?.(reason);
      logger.warn({
        message: 'the database is not there; trying again',
        database: description,
        reason,
        nextTryMs: pauseMs,
      });
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }
}

/** What went wrong, in the words of somebody who has to mend it. */
export function explain(error: unknown): string {
  const message = isError(error) ? messageOf(error) : String(error);
  switch (sqlState(error)) {
    case '28P01':
      return `the password or the user is wrong (${message})`;
    case '28000':
      return `the server does not let this user in (${message})`;
    case '3D000':
      return `there is no such database; create it (${message})`;
    case '42501':
      return `the user may not do that; it must own the database or its schema (${message})`;
    case '53300':
      return `the server has no connection left (${message})`;
    case '57P03':
      return `the server is starting up or shutting down (${message})`;
    default:
      return message;
  }
}

/** Node gathers the failures of several addresses in one error with an empty message. */
function messageOf(error: Error): string {
  if (error.message !== '') return error.message;
  return error instanceof AggregateError
    ? error.errors.map((inner) => (inner as Error).message).join('; ')
    : error.name;
}

/** Broken connections, servers that refuse, unreachable hosts; never an error in our own SQL or code. */
function mayPass(error: unknown): boolean {
  if (error instanceof AppError) return error.kind === 'unavailable';
  const state = sqlState(error);
  if (state !== undefined) return /^(08|28|3D|53|57)/.test(state) || state === '42501';
  if (isAggregate(error)) return error.errors.every(mayPass);
  // System errors have a code; what node-postgres says of broken connections is a plain Error. Bugs and wrong entity
  // definitions have classes of their own.
  return isError(error) && ('code' in error || error.name === 'Error');
}

// Not instanceof: a test runner's errors of node itself come from another realm.
const isError = (error: unknown): error is Error => types.isNativeError(error);
const isAggregate = (error: unknown): error is AggregateError =>
  isError(error) && 'errors' in error && Array.isArray(error.errors);

function isSetUpWrong(error: unknown): boolean {
  return /^(28|3D|42)/.test(sqlState(error) ?? '');
}

function asUnavailable(error: unknown, description: string): unknown {
  if (error instanceof AppError || !mayPass(error)) return error;
  return unavailable('database_unavailable', `The database (${description}) cannot be used: ${explain(error)}`, {
    cause: error,
  });
}
