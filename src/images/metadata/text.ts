const utf8 = new TextDecoder('utf-8', { fatal: true });
/** Windows-1252 where it differs from Latin-1. By hand, as TextDecoder of Node 20 takes the one for the other. */
const WINDOWS_1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** UTF-8 where the bytes are valid UTF-8; else one byte a character, which is what old cameras and editors wrote. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    const latin = Buffer.from(bytes).toString('latin1');
    return latin.replace(/[\x80-\x9f]/g, (character) => WINDOWS_1252[character.charCodeAt(0) - 0x80] ?? '');
  }
}

/** The bytes before the first NUL, as EXIF's ASCII fields end; a field that begins with NUL is empty. */
export function decodeTerminated(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return decodeText(end === -1 ? bytes : bytes.subarray(0, end));
}

export function decodeUtf16(bytes: Buffer, littleEndian: boolean): string {
  const even = bytes.subarray(0, bytes.length - (bytes.length % 2));
  return littleEndian ? even.toString('utf16le') : Buffer.from(even).swap16().toString('utf16le');
}

/** Longest text that is kept of one field; a description longer than this is not one. */
export const MAX_TEXT_LENGTH = 4000;

/**
 * Text as it may be stored and shown: no NUL (PostgreSQL refuses it), no other control characters but line feed and
 * tab, no lone surrogates (jsonb refuses them), trimmed and bounded. Undefined when nothing is left.
 */
export function cleanText(text: string | undefined, maxLength = MAX_TEXT_LENGTH): string | undefined {
  if (text === undefined) return undefined;
  const cleaned = text
    .slice(0, maxLength * 2)
    .replace(/\r\n?/g, '\n')
    // eslint-disable-next-line no-control-regex -- these are what is to be removed
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufeff\ufffe\uffff]/g, '')
    .trim()
    .slice(0, maxLength)
    // after the cut, which may halve a pair
    .replace(/\p{Surrogate}/gu, '')
    .trim();
  return cleaned === '' ? undefined : cleaned;
}

/** For names (camera, lens, keyword): one line, single spaces, and at least one letter or digit (`----` is no lens). */
export function cleanName(text: string | undefined, maxLength = 200): string | undefined {
  const cleaned = cleanText(text?.replaceAll('\0', ' ').replace(/\s+/g, ' '), maxLength);
  return cleaned !== undefined && /[\p{L}\p{N}]/u.test(cleaned) ? cleaned : undefined;
}
