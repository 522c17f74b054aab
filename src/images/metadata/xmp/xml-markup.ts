export interface StartTag {
  readonly kind: 'start';
  readonly name: string;
  readonly attributes: readonly (readonly [string, string])[];
  readonly isEmpty: boolean;
}

export type Markup =
  | StartTag
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'declaration' }
  | { readonly kind: 'end'; readonly name: string };

const MAX_NAME_LENGTH = 200;

/** The parts of an XML text in their order; comments and processing instructions are left out. Ends where it is cut. */
export function* markupOf(text: string): Generator<Markup> {
  for (let at = 0; at < text.length;) {
    const markup = text.indexOf('<', at);
    const end = markup === -1 ? text.length : markup;
    if (end > at) yield { kind: 'text', text: decodeEntities(text.slice(at, end)) };
    if (markup === -1) return;
    const skipped = endOfSkipped(text, markup);
    if (skipped !== undefined) {
      at = skipped;
    } else if (text.startsWith('<![CDATA[', markup)) {
      at = endOf(text, ']]>', markup);
      yield { kind: 'text', text: text.slice(markup + 9, at - 3) };
    } else if (text.startsWith('<!', markup)) {
      yield { kind: 'declaration' };
      at = markup + 2;
    } else {
      at = endOfTag(text, markup);
      if (text[at - 1] !== '>') return;
      const tag = text.slice(markup + 1, at - 1);
      yield tag.startsWith('/') ? { kind: 'end', name: tag.slice(1).trim() } : startTag(tag);
    }
  }
}

function endOfSkipped(text: string, at: number): number | undefined {
  if (text.startsWith('<!--', at)) return endOf(text, '-->', at);
  if (text.startsWith('<?', at)) return endOf(text, '?>', at);
  return undefined;
}

function endOf(text: string, terminator: string, from: number): number {
  const index = text.indexOf(terminator, from);
  return index === -1 ? text.length : index + terminator.length;
}

/** Behind the `>` that closes the tag; within quotes it closes nothing. */
function endOfTag(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at];
    if (character === '>') return at + 1;
    if (character === '"' || character === "'") {
      at = text.indexOf(character, at + 1);
      if (at === -1) return text.length;
    }
  }
  return text.length;
}

function startTag(tag: string): StartTag {
  const isEmpty = tag.endsWith('/');
  const name = /^[^\s/]*/.exec(tag)?.[0] ?? '';
  return { kind: 'start', name, attributes: attributesOf(tag.slice(name.length)), isEmpty };
}

/** `name="value"` pairs. By hand: a regular expression would try long names that no value follows over and over. */
function attributesOf(text: string): (readonly [string, string])[] {
  const attributes: (readonly [string, string])[] = [];
  for (let at = 0; ;) {
    const equals = text.indexOf('=', at);
    if (equals === -1) return attributes;
    const before = text.slice(at, equals).replace(/\s/g, ' ').trimEnd();
    const quoteAt = equals + 1 + (/^\s*/.exec(text.slice(equals + 1, equals + 100))?.[0].length ?? 0);
    const quote = text[quoteAt];
    at = equals + 1;
    if (quote !== '"' && quote !== "'") continue;
    const end = text.indexOf(quote, quoteAt + 1);
    if (end === -1) return attributes;
    const name = before.slice(before.lastIndexOf(' ') + 1);
    if (name.length <= MAX_NAME_LENGTH) attributes.push([name, decodeEntities(text.slice(quoteAt + 1, end))]);
    at = end + 1;
  }
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|\w{2,4});/gi, (whole: string, entity: string) => {
    if (!entity.startsWith('#')) return NAMED.get(entity) ?? whole;
    const code = /^#x/i.test(entity) ? parseInt(entity.slice(2), 16) : Number(entity.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });
}
