/**
 * File names are bytes; the database and JSON hold text. Valid UTF-8 is stored as it is. Each byte that is not part of
 * valid UTF-8 is stored as one character of U+F780–U+F7FF (private use, the byte's value above U+F700), and so are the
 * bytes of a real character from that block: every name has exactly one text and every text made here one name.
 */
const ESCAPE_BASE = 0xf700;
const ESCAPED = /[\uf780-\uf7ff]/;
const ESCAPES = /[\uf780-\uf7ff]/gu;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that stands for a file name or a relative path. */
export function textOfName(name: Buffer): string {
  try {
    const text = decoder.decode(name);
    return ESCAPED.test(text) ? text.replace(ESCAPES, escapeBytes) : text;
  } catch {
    return escapeInvalid(name);
  }
}

/** The bytes to open the file by. */
export function bytesOfText(text: string): Buffer {
  if (!ESCAPED.test(text)) return Buffer.from(text);
  const parts = text.split(/([\uf780-\uf7ff])/u);
  return Buffer.concat(
    parts.map((part) => (ESCAPED.test(part) ? Buffer.of(part.charCodeAt(0) - ESCAPE_BASE) : Buffer.from(part))),
  );
}

/** False for names that only bytes can express: such a file is opened by its descriptor. */
export const isPlainText = (text: string): boolean => !ESCAPED.test(text);

/** For people: bytes that are no text as U+FFFD. */
export const shownText = (text: string): string => text.replace(ESCAPES, '\ufffd');

/** Lower-case extension without the dot; empty when there is none (`.hidden` has none). */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase();
}

const escapeBytes = (text: string): string =>
  [...Buffer.from(text)].map((byte) => String.fromCharCode(ESCAPE_BASE + byte)).join('');

/** Takes the longest valid sequence at each place (at most 4 bytes in UTF-8), and escapes one byte where there is none. */
function escapeInvalid(name: Buffer): string {
  let text = '';
  for (let at = 0; at < name.length;) {
    const character = characterAt(name, at);
    if (character === undefined) {
      text += String.fromCharCode(ESCAPE_BASE + (name[at] ?? 0));
      at += 1;
    } else {
      text += ESCAPED.test(character) ? escapeBytes(character) : character;
      at += Buffer.byteLength(character);
    }
  }
  return text;
}

function characterAt(bytes: Buffer, at: number): string | undefined {
  const lead = bytes[at] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > bytes.length) return undefined;
  try {
    return decoder.decode(bytes.subarray(at, at + length));
  } catch {
    return undefined;
  }
}
