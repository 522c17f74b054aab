import { MAX_TEXT_LENGTH } from '../text.js';
import { markupOf, type StartTag } from './xml-markup.js';

/** An element with its names made independent of the prefixes that the document chose. */
export interface XmlElement {
  /** `prefix:local` with the customary prefix of the namespace. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** The document is of a kind that is not read. */
export class XmlError extends Error {}

/** Real packets are a dozen levels deep. Deeper ones are refused, not followed. */
const MAX_DEPTH = 64;
const MAX_ELEMENTS = 20_000;
/** Declared in one element, and in force at one place; each element that declares some copies those in force. */
const MAX_NAMESPACES = 100;

export interface XmlReading {
  /** The customary prefix of a namespace, of which the document's own is given as well. */
  readonly prefixOf: (namespace: string, prefix: string) => string;
  /** Elements that are of no interest, with all that is in them. */
  readonly isSkipped: (name: string) => boolean;
}

class OpenElement implements XmlElement {
  readonly children: XmlElement[] = [];
  readonly attributes = new Map<string, string>();
  text = '';
  isSkipped = false;

  constructor(
    readonly rawName: string,
    readonly name: string,
    /** Namespaces by prefix, as far as declared here or further out. */
    readonly namespaces: ReadonlyMap<string, string>,
  ) {}

  addText(text: string): void {
    if (this.text.length < MAX_TEXT_LENGTH) this.text += text.slice(0, MAX_TEXT_LENGTH);
  }
}

/**
 * A small XML reader for XMP. Document types are refused, so no entity can expand; a document that ends too early gives
 * what it has, as a cut packet still says something. Linear in the length. Gives the topmost elements.
 */
export function parseXml(text: string, reading: XmlReading): readonly XmlElement[] {
  const root = new OpenElement('', '', new Map());
  const open: OpenElement[] = [root];
  let count = 0;
  for (const part of markupOf(text)) {
    const current = open.at(-1) ?? root;
    if (part.kind === 'declaration') throw new XmlError('document types are not read');
    if (part.kind === 'text') current.addText(part.text);
    else if (part.kind === 'end') close(open, part.name);
    else {
      const child = openElement(part, current.namespaces, reading.prefixOf);
      child.isSkipped = current.isSkipped || reading.isSkipped(child.name);
      if (!child.isSkipped) count += 1;
      if (open.length > MAX_DEPTH || count > MAX_ELEMENTS) throw new XmlError('the document is too deep or too large');
      if (!child.isSkipped) current.children.push(child);
      if (!part.isEmpty) open.push(child);
    }
  }
  return root.children;
}

function openElement(
  { name: rawName, attributes }: StartTag,
  outer: ReadonlyMap<string, string>,
  prefixOf: XmlReading['prefixOf'],
): OpenElement {
  const declared = attributes.filter(([name]) => name.startsWith('xmlns:')).slice(0, MAX_NAMESPACES);
  const namespaces =
    declared.length === 0 || outer.size >= MAX_NAMESPACES
      ? outer
      : new Map([...outer, ...declared.map(([name, uri]) => [name.slice('xmlns:'.length), uri] as const)]);
  const canonical = (name: string): string => {
    const [prefix = '', local] = name.split(':', 2);
    if (local === undefined) return name;
    const namespace = namespaces.get(prefix);
    return `${namespace === undefined ? prefix : prefixOf(namespace, prefix)}:${local}`;
  };
  const element = new OpenElement(rawName, canonical(rawName), namespaces);
  for (const [name, value] of attributes) {
    if (!name.startsWith('xmlns')) element.attributes.set(canonical(name), value.slice(0, MAX_TEXT_LENGTH));
  }
  return element;
}

/** Closes the element of that name and what was left open within it; a stray end tag closes nothing. */
function close(open: OpenElement[], rawName: string): void {
  const index = open.findLastIndex((element) => element.rawName === rawName);
  if (index > 0) open.length = index;
}
