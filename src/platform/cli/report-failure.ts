import { databaseOutage } from '../database/database-outage.js';
import { refusedText } from '../database/unstorable-text.js';
import { AppError, type FieldError } from '../errors/app-error.js';
import { CliError } from './errors.js';

/** commander's own errors (unknown option, --help, --version) carry an exit code and a code. */
interface CommanderError extends Error {
  readonly exitCode: number;
  readonly code: string;
}

export interface Failure {
  /** For standard error; empty when it has been said already. */
  readonly text: string;
  readonly exitCode: number;
}

/** How a failed command ends: 2 for a wrong command line, 1 for everything that went wrong while it ran. */
export function failureOf(thrown: unknown): Failure {
  const error = refusedText(thrown) ?? thrown;
  if (isCommanderError(error)) return { text: '', exitCode: error.exitCode === 0 ? 0 : 2 };
  if (error instanceof CliError) {
    return { text: lines(`photosafe: ${error.message}`, error.options.advice), exitCode: error.exitCode };
  }
  if (error instanceof AppError) {
    return { text: lines(`photosafe: ${error.message}`, ...fieldLines(error), ADVICE[error.code]), exitCode: 1 };
  }
  const outage = databaseOutage(error);
  if (outage) return failureOf(outage);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: lines(`photosafe: this is a bug: ${stack}`), exitCode: 1 };
}

/** What to do about failures whose cure is the same wherever they come from. */
const ADVICE: Readonly<Record<string, string>> = {
  bad_settings: 'Correct them in the environment or in .env; docs/configuration.md lists every setting.',
  database_unavailable: 'Nothing is lost: run the same command again. `photosafe doctor` tells what is wrong.',
};

/** A message of several lines has its fields in it already. */
function fieldLines({ message, fields }: AppError): string[] {
  return message.includes('\n') ? [] : fields.map(fieldLine);
}

const fieldLine = ({ path, message, allowed }: FieldError): string =>
  `  ${path}: ${message}${allowed === undefined ? '' : `; allowed: ${allowed}`}`;

/** What was typed may be part of a message, and of any length. */
const LONGEST_LINE = 1_000;

const lines = (...texts: (string | undefined)[]): string =>
  `${texts
    .filter((text) => text !== undefined)
    .map(cut)
    .join('\n')}\n`;

const cut = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)} …` : line))
    .join('\n');

const isCommanderError = (error: unknown): error is CommanderError =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('commander.');
