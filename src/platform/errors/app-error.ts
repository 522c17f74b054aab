/** What sort of thing went wrong; decides the HTTP status and whether a task is tried again. */
export type ErrorKind = 'invalid' | 'unauthorized' | 'forbidden' | 'not-found' | 'conflict' | 'unavailable';

/** One refused field of an input. `path` is dotted (`roots.0`), `value` is what was sent, `allowed` says what would do. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
  readonly value?: unknown;
  readonly allowed?: string;
}

export interface AppErrorOptions {
  readonly cause?: unknown;
  readonly fields?: readonly FieldError[];
  /** Facts for machines about what went wrong, in snake_case. */
  readonly details?: Readonly<Record<string, string | number | null>>;
  /** For `unavailable`: when trying again makes sense. */
  readonly retryAfterMs?: number;
}

/**
 * An error that is part of the contract: services throw it, one filter renders it as RFC 9457 problem details, one
 * runner renders it as a task's outcome, one CLI handler as a message and an exit code. Everything else is a bug.
 * `code` is stable (docs/errors.md lists them); the message is for people and is never branched on.
 */
export class AppError extends Error {
  readonly fields: readonly FieldError[];
  readonly details: AppErrorOptions['details'];
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    options: AppErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.fields = options.fields ?? [];
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export const invalid = (code: string, message: string, options?: AppErrorOptions): AppError =>
  new AppError('invalid', code, message, options);
export const unauthorized = (code: string, message: string, options?: AppErrorOptions): AppError =>
  new AppError('unauthorized', code, message, options);
export const forbidden = (code: string, message: string, options?: AppErrorOptions): AppError =>
  new AppError('forbidden', code, message, options);
export const notFound = (code: string, message: string, options?: AppErrorOptions): AppError =>
  new AppError('not-found', code, message, options);
export const conflict = (code: string, message: string, options?: AppErrorOptions): AppError =>
  new AppError('conflict', code, message, options);
export const unavailable = (code: string, message: string, options?: AppErrorOptions): AppError =>
  new AppError('unavailable', code, message, options);
