import type { Sql } from '../platform/database/transaction.js';
import type { AppError, FieldError } from '../platform/errors/app-error.js';

/** What people name by the beginning of its id. */
export interface Identified {
  readonly noun: string;
  /** Ids from $1 to $2, newest first, at most $3. */
  readonly idsByPrefix: string;
  malformed(message: string, more: Fields): AppError;
  absent(message: string): AppError;
  ambiguous(message: string, more: Fields): AppError;
}

interface Fields {
  readonly fields: readonly FieldError[];
}

const PREFIX = /^[0-9a-f]{4,8}(-[0-9a-f]{0,4}){0,3}(-[0-9a-f]{0,12})?$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Ids that an ambiguous prefix names. */
const CANDIDATES = 5;

/** The id that `text` is, whether it exists or not, or that alone begins with it. @throws what `of` says. */
export async function idOf(sql: Sql, of: Identified, text: string): Promise<string> {
  const prefix = text.toLowerCase();
  if (UUID.test(prefix)) return prefix;
  if (!PREFIX.test(prefix)) {
    throw of.malformed(`"${text}" is neither a ${of.noun} id nor the beginning of one`, {
      fields: [{ path: 'id', message: 'must be a UUID or its first 4 or more digits', value: text }],
    });
  }
  const digits = prefix.replaceAll('-', '');
  const bounds = [digits.padEnd(32, '0'), digits.padEnd(32, 'f')];
  const rows = await sql.query<{ id: string }>(of.idsByPrefix, [...bounds, CANDIDATES + 1]);
  const [only, another] = rows;
  if (!only) throw absent(of, text);
  if (!another) return only.id;
  const ids = rows.map(({ id }) => id);
  const named = ids.slice(0, CANDIDATES).join(', ') + (ids.length > CANDIDATES ? ', …' : '');
  throw of.ambiguous(`more than one ${of.noun} id begins with ${text}: ${named}; give more digits`, {
    fields: [{ path: 'id', message: `begins the ids of several ${of.noun}s`, value: text, allowed: `one of ${named}` }],
  });
}

export const absent = (of: Identified, text: string): AppError => of.absent(`there is no ${of.noun} ${text}`);
