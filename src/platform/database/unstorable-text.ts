import { AppError, type FieldError, invalid } from '../errors/app-error.js';
import { sqlState } from './sql-state.js';

/** What text and jsonb of PostgreSQL cannot hold: U+0000, and halves of surrogate pairs (of whole ones `u` makes one character). */
const UNSTORABLE = /\0|\p{Surrogate}/u;
const EACH_UNSTORABLE = /\0|\p{Surrogate}/gu;

/** How PostgreSQL refuses it: in text, and in jsonb. */
const REFUSALS = ['22021', '22P05'];

/** Enough to see what is wrong; a megabyte can hold very many. */
const MOST_NAMED = 20;
const LONGEST_PATH = 200;
/** More than is shown of a value: what comes after need not be escaped. */
const LONGEST_ESCAPED = 1_000;

/**
 * The texts within JSON, keys too, that PostgreSQL cannot hold; the first twenty. Walks without recursion: JSON of a
 * megabyte may be half a million levels deep.
 */
export function unstorableTexts(value: unknown, root = ''): FieldError[] {
  const found: FieldError[] = [];
  const waiting = [{ path: root, value }];
  for (const { path, value } of waiting) {
    if (found.length >= MOST_NAMED) break;
    if (typeof value === 'string' && UNSTORABLE.test(value)) found.push(refusal(path, 'holds', value));
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, each] of Object.entries(value)) {
      const inner = path === '' ? key : `${path}.${key}`;
      if (UNSTORABLE.test(key)) found.push(refusal(inner, 'has a name with', key));
      waiting.push({ path: inner, value: each });
    }
  }
  return found.slice(0, MOST_NAMED);
}

/** The net beneath: what the database refused although nobody had looked. Undefined for every other error. */
export function refusedText(error: unknown): AppError | undefined {
  if (error instanceof AppError || !REFUSALS.includes(sqlState(error) ?? '')) return undefined;
  return invalid('validation_failed', 'The input holds text that cannot be stored: U+0000, or half a character.', {
    cause: error,
  });
}

function refusal(path: string, verb: string, text: string): FieldError {
  const at = text.search(UNSTORABLE);
  const what = text[at] === '\0' ? 'U+0000' : 'half a surrogate pair';
  return {
    path: shownPath(path),
    message: `${verb} ${what} at character ${String(at + 1)}, which cannot be stored`,
    value: escaped(text),
    allowed: 'text without U+0000 and without unpaired surrogates',
  };
}

const shownPath = (path: string): string =>
  path.length > LONGEST_PATH ? `${escaped(path.slice(0, LONGEST_PATH))}…` : escaped(path);

/** So that the answer can be shown and stored by whoever gets it. */
const escaped = (text: string): string =>
  text
    .slice(0, LONGEST_ESCAPED)
    .replace(EACH_UNSTORABLE, (bad) => `\\u${bad.charCodeAt(0).toString(16).padStart(4, '0')}`);
