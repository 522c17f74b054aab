/** Escapes in JSON text, each matched whole, so that a backslash in front of `u0000` is not taken for one. */
const ESCAPE = /\\(?:u([0-9a-f]{4})|.)/g;
const MAYBE_UNSTORABLE = /\\u(?:0000|d[89a-f])/;

/**
 * JSON text that jsonb takes, or undefined for what JSON knows nothing of (undefined, functions, symbols). PostgreSQL's
 * text holds no NUL, which is left out, and no half surrogate pairs, which become U+FFFD. Throws what JSON.stringify
 * throws: for cycles, BigInts and failing `toJSON`.
 */
export function toStoredJson(value: unknown): string | undefined {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined || !MAYBE_UNSTORABLE.test(text)) return text;
  return text.replace(ESCAPE, (escape: string, code: string | undefined) => {
    if (code === '0000') return '';
    // JSON.stringify escapes surrogates only where one stands alone.
    return code?.startsWith('d') ? '\\ufffd' : escape;
  });
}
