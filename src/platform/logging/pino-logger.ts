import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import { logFields } from './log-context.js';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/**
 * JSON lines with the fields of {@link logFields}. `destination` is standard output when left out; a command that
 * prints results there logs to standard error instead (`pino.destination(2)`).
 */
export function createPino(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { app: 'photosafe', pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: logFields,
      // A line's own fields win over those of its surroundings.
      mixinMergeStrategy: (line, surroundings) => ({ ...surroundings, ...line }),
      redact: ['req.headers.authorization', 'req.headers.cookie', '*.password', '*.token'],
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** Nest's logger on pino: `new Logger(Name)` in any class ends up here. */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /**
   * Nest passes (message, …extras, context), and (message, stack, context) for errors, with undefined for a stack that there
   * is not. Our own lines are one object: `{ message: 'constant text', …fields }`, where `error` or `err` may hold an Error.
   */
  private write(level: Level, message: unknown, rest: unknown[]): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const fields: Record<string, unknown> = {};
    if (typeof rest.at(-1) === 'string') fields.context = rest.pop();
    for (const extra of rest) {
      if (typeof extra === 'string') fields.stack = extra;
      else if (extra !== undefined) Object.assign(fields, asFields(extra));
    }
    const { message: text, ...own } = asFields(message);
    this.pino[level]({ ...fields, ...own }, typeof text === 'string' ? text : undefined);
  }
}

function asFields(value: unknown): Record<string, unknown> {
  if (value instanceof Error) return { message: value.message, err: value };
  if (typeof value !== 'object' || value === null) return { message: String(value) };
  const { error, ...fields } = value as Record<string, unknown>;
  return error instanceof Error ? { ...fields, err: error } : { ...value };
}
