import { AppError } from '../platform/errors/app-error.js';

/** Milliseconds to wait before the attempt after failed attempt number `attempt` (1 = the first). */
export type Backoff = (attempt: number, random: () => number) => number;

/**
 * Exponential backoff with full jitter: anything between 0 and min(max, first · 2^(attempt−1)), so that what failed
 * together does not come back together (Brooker, "Exponential Backoff And Jitter", 2015).
 */
export function exponential(options: { readonly firstMs: number; readonly maxMs: number }): Backoff {
  return (attempt, random) => {
    const ceiling = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(attempt - 1, 30));
    return Math.round(random() * ceiling);
  };
}

/** Always the same wait. */
export const fixed =
  (delayMs: number): Backoff =>
  () =>
    delayMs;

export type ErrorCategory = 'transient' | 'permanent';

/** A failure as it is stored: `code` for machines, `message` for people. */
export interface Failure {
  readonly category: ErrorCategory;
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number;
  /** The last attempt that such a failure is worth, where that is sooner than the policy's last. */
  readonly lastAttempt?: number;
}

/** Thrown by a handler to decide outright: try again (optionally not before `retryAfterMs`). */
export class TransientError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly options: { readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'TransientError';
  }
}

/** Thrown by a handler to decide outright: never again. */
export class PermanentError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.name = 'PermanentError';
  }
}

const TRANSIENT_ERRNO = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENETUNREACH', 'ENETDOWN', 'EHOSTUNREACH', 'EHOSTDOWN',
  'EAI_AGAIN', 'EBUSY', 'EAGAIN', 'EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'EIO', 'ESTALE', 'ENOMEM',
  'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_SOCKET',
]); // prettier-ignore

/**
 * SQLSTATE classes: 08 connection, 40 rollback, 53 resources, 57 operator intervention (shutdown, cancel); and single
 * ones: 25P03 idle in transaction for too long, 55P03 lock not available.
 */
const TRANSIENT_SQLSTATE = /^((08|40|53|57)...|25P03|55P03)$/;
/** No class begins with E, so that system errors of five letters (EPERM, EROFS) are told apart. */
const SQLSTATE = /^(?!E)[0-9A-Z]{5}$/;
const MAX_MESSAGE = 2_000;
const DAY_MS = 86_400_000;

/**
 * What an error means for the task: by type, errno, SQLSTATE or HTTP status, never by message. An error nobody knows is
 * transient: a bug costs a few attempts, a lost task would cost more. The type's `own` rules go first.
 */
export function classify(error: unknown, own?: (error: unknown) => Failure | undefined): Failure {
  try {
    const failure = ownFailureOf(error, own) ?? failureOf(error);
    return { ...failure, code: cleanCode(failure.code), retryAfterMs: cleanDelay(failure.retryAfterMs) };
  } catch {
    // A getter, proxy or toString that throws: anything at all may be thrown, and its task must end all the same.
    return { category: 'transient', code: UNEXPECTED, message: 'the handler threw something that cannot be shown' };
  }
}

/**
 * How long to wait after failed attempt number `attempt`: as the policy says, but not less than the other side asked
 * for. A policy that does not give a number waits a second.
 */
export function retryDelayMs(backoff: Backoff | undefined, attempt: number, { retryAfterMs = 0 }: Failure): number {
  const wanted = backoff?.(attempt, Math.random) ?? NaN;
  return Math.max(retryAfterMs, Number.isFinite(wanted) ? Math.min(wanted, 365 * DAY_MS) : 1_000);
}

const UNEXPECTED = 'unexpected_error';

/** Undefined also where the type's rule has a bug: the usual ones still know something. */
function ownFailureOf(error: unknown, own: ((error: unknown) => Failure | undefined) | undefined): Failure | undefined {
  try {
    const failure = own?.(error);
    return failure && { ...failure, message: cleanMessage(failure) };
  } catch {
    return undefined;
  }
}

function failureOf(error: unknown): Failure {
  const message = cleanMessage(error);
  if (error instanceof TransientError)
    return { category: 'transient', code: error.code, message, retryAfterMs: error.options.retryAfterMs };
  if (error instanceof PermanentError) return { category: 'permanent', code: error.code, message };
  if (error instanceof AppError) {
    return error.kind === 'unavailable'
      ? { category: 'transient', code: error.code, message, retryAfterMs: error.retryAfterMs }
      : { category: 'permanent', code: error.code, message };
  }
  return (
    classifyCode(property(error, 'code'), message) ??
    classifyHttp(error, message) ??
    classifyCause(error, message) ?? { category: 'transient', code: UNEXPECTED, message }
  );
}

function classifyCode(code: unknown, message: string): Failure | undefined {
  if (typeof code !== 'string') return undefined;
  if (TRANSIENT_ERRNO.has(code)) return { category: 'transient', code: code.toLowerCase(), message };
  if (SQLSTATE.test(code)) {
    return { category: TRANSIENT_SQLSTATE.test(code) ? 'transient' : 'permanent', code: `sqlstate_${code}`, message };
  }
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR' || code === 'EISDIR') {
    return { category: 'permanent', code: code.toLowerCase(), message };
  }
  return undefined;
}

function classifyHttp(error: unknown, message: string): Failure | undefined {
  const status = property(error, 'status') ?? property(error, 'statusCode');
  if (typeof status !== 'number' || status < 400 || status > 599) return undefined;
  const transient = status >= 500 || status === 429 || status === 408;
  return {
    category: transient ? 'transient' : 'permanent',
    code: `http_${String(status)}`,
    message,
    retryAfterMs: transient ? retryAfterMs(retryAfterHeader(error)) : undefined,
  };
}

/** `fetch failed` and TypeORM's errors wrap the one that says what happened. */
function classifyCause(error: unknown, message: string): Failure | undefined {
  const inner = property(error, 'cause') ?? property(error, 'driverError');
  return inner === undefined || inner === error ? undefined : classifyCode(property(inner, 'code'), message);
}

function retryAfterHeader(error: unknown): unknown {
  const headers = property(error, 'headers') ?? property(property(error, 'response'), 'headers');
  return headers instanceof Headers ? headers.get('retry-after') : property(headers, 'retry-after');
}

/** Retry-After: seconds or an HTTP date (RFC 9110 §10.2.3), capped at a day. */
export function retryAfterMs(value: unknown, nowMs: number = Date.now()): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(String(value)) - nowMs;
  return cleanDelay(ms);
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** PostgreSQL's text holds no NUL, and nobody reads a megabyte. */
function cleanMessage(error: unknown): string {
  const said = property(error, 'message') ?? error;
  const text = typeof said === 'string' && said !== '' ? said : String(error);
  return text.replaceAll('\0', '').slice(0, MAX_MESSAGE);
}

/** Words of letters, digits, dots and dashes: codes are compared, counted and put into URLs. */
function cleanCode(code: unknown): string {
  return (typeof code === 'string' && code.replace(/[^\w.-]/g, '_').slice(0, 64)) || UNEXPECTED;
}

function cleanDelay(ms: number | undefined): number | undefined {
  return ms !== undefined && Number.isFinite(ms) ? Math.min(Math.max(0, ms), DAY_MS) : undefined;
}
