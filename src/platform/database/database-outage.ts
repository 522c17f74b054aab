import { type AppError, unavailable } from '../errors/app-error.js';
import { sqlState } from './sql-state.js';

/**
 * SQLSTATEs of a server that cannot serve now: connection exceptions, insufficient resources, operator intervention
 * (shutdown, crash recovery, statement_timeout).
 */
const OUTAGE_STATES = /^(08|53|57)/;

/** How node-postgres says that it has no connection; it gives these errors no code. */
const OUTAGE_MESSAGES = [
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed',
  'timeout exceeded when trying to connect',
  'timeout expired',
];

/** What to tell a caller when the database went away under their request; undefined for every other error. */
export function databaseOutage(error: unknown): AppError | undefined {
  if (!isOutage(error)) return undefined;
  return unavailable('database_unavailable', 'The database does not answer at the moment. Try again shortly.', {
    cause: error,
    retryAfterMs: 2_000,
  });
}

function isOutage(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 3) return false;
  const state = sqlState(error);
  if (state !== undefined) return OUTAGE_STATES.test(state) || endsTheSession(error);
  if (isSocketError(error) || OUTAGE_MESSAGES.some((message) => error.message.startsWith(message))) return true;
  const inner = 'driverError' in error ? error.driverError : error.cause;
  return error instanceof AggregateError
    ? error.errors.every((one) => isOutage(one, depth + 1))
    : isOutage(inner, depth + 1);
}

/** Whatever the reason, a server that says FATAL has let nobody in, or has thrown this connection out. */
const endsTheSession = (error: object): boolean =>
  ('severity' in error && error.severity === 'FATAL') ||
  ('driverError' in error &&
    typeof error.driverError === 'object' &&
    error.driverError !== null &&
    endsTheSession(error.driverError));

const SOCKET_CODES = ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'];

/** Failing to connect (to a socket file too: ENOENT) and broken connections; not the ENOENT or EPIPE of a file. */
const isSocketError = (error: Error): boolean =>
  'syscall' in error &&
  (error.syscall === 'connect' ||
    (['read', 'write', 'getaddrinfo'].includes(String(error.syscall)) &&
      'code' in error &&
      SOCKET_CODES.includes(String(error.code))));
