import { decodeText, decodeUtf16 } from '../text.js';
import { parseXml, type XmlElement } from './parse-xml.js';

/** A simple value, an array (RDF's Bag, Seq, Alt), or a structure. */
export type XmpValue = string | readonly XmpValue[] | XmpStructure;
interface XmpStructure {
  readonly [name: string]: XmpValue;
}

/** Properties by `prefix:name`, with the customary prefix whatever the packet used. */
export type XmpProperties = ReadonlyMap<string, XmpValue>;

const PREFIXES: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/1999/02/22-rdf-syntax-ns#', 'rdf'],
  ['adobe:ns:meta/', 'x'],
  ['http://ns.adobe.com/xap/1.0/', 'xmp'],
  ['http://ns.adobe.com/xap/1.0/mm/', 'xmpMM'],
  ['http://ns.adobe.com/xap/1.0/rights/', 'xmpRights'],
  ['http://purl.org/dc/elements/1.1/', 'dc'],
  ['http://ns.adobe.com/exif/1.0/', 'exif'],
  ['http://cipa.jp/exif/1.0/', 'exifEX'],
  ['http://ns.adobe.com/exif/1.0/aux/', 'aux'],
  ['http://ns.adobe.com/tiff/1.0/', 'tiff'],
  ['http://ns.adobe.com/photoshop/1.0/', 'photoshop'],
  ['http://ns.adobe.com/lightroom/1.0/', 'lr'],
  ['http://ns.adobe.com/camera-raw-settings/1.0/', 'crs'],
  ['http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/', 'Iptc4xmpCore'],
  ['http://iptc.org/std/Iptc4xmpExt/2008-02-29/', 'Iptc4xmpExt'],
  ['http://www.digikam.org/ns/1.0/', 'digiKam'],
  ['http://ns.microsoft.com/photo/1.0', 'MicrosoftPhoto'],
  ['http://ns.microsoft.com/photo/1.0/', 'MicrosoftPhoto'],
  ['http://ns.google.com/photos/1.0/camera/', 'GCamera'],
  ['http://www.metadataworkinggroup.com/schemas/regions/', 'mwg-rs'],
]);

/** Editing settings and histories: long, and nothing about the photo. */
const SKIPPED = /^(crs|xmpMM|stEvt|stRef|photoshop:(History|DocumentAncestors))\b/;
const MAX_PROPERTIES = 500;

/** Throws `XmlError` on documents that are refused. Damaged ones give what can be read. */
export function parseXmp(packet: Buffer): XmpProperties {
  const properties = new Map<string, XmpValue>();
  const roots = parseXml(packetText(packet), {
    prefixOf: (namespace, prefix) => PREFIXES.get(namespace) ?? prefix,
    isSkipped: (name) => SKIPPED.test(name),
  });
  for (const description of descriptionsIn(roots)) {
    for (const [name, value] of fieldsOf(description)) {
      if (properties.size < MAX_PROPERTIES && !SKIPPED.test(name) && !properties.has(name)) properties.set(name, value);
    }
  }
  return properties;
}

/** First item of arrays, undefined for structures. */
export function xmpText(properties: XmpProperties, name: string): string | undefined {
  return simple(properties.get(name));
}

export function xmpList(properties: XmpProperties, name: string): string[] {
  const value = properties.get(name);
  const items = isList(value) ? value : value === undefined ? [] : [value];
  return items.map(simple).filter((item) => item !== undefined);
}

function simple(value: XmpValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return isList(value) ? simple(value[0]) : undefined;
}

const isList = (value: XmpValue | undefined): value is readonly XmpValue[] => Array.isArray(value);

function packetText(packet: Buffer): string {
  // UTF-16 shows in every second byte of the markup, with a byte order mark or not.
  if (packet.length < 4) return '';
  const [first, second] = packet;
  const littleEndian = second === 0 || packet.readUInt16LE(0) === 0xfeff;
  const bigEndian = first === 0 || packet.readUInt16BE(0) === 0xfeff;
  return littleEndian || bigEndian ? decodeUtf16(packet, littleEndian) : decodeText(packet);
}

function* descriptionsIn(elements: readonly XmlElement[]): Generator<XmlElement> {
  for (const element of elements) {
    if (element.name === 'rdf:Description') yield element;
    else if (element.name === 'rdf:RDF' || element.name === 'x:xmpmeta' || element.name === 'x:xapmeta') {
      yield* descriptionsIn(element.children);
    }
  }
}

function* fieldsOf(element: XmlElement): Generator<readonly [string, XmpValue]> {
  for (const [name, value] of element.attributes) {
    if (!name.startsWith('rdf:') && !name.startsWith('xml:')) yield [name, value];
  }
  for (const child of element.children) yield [child.name, valueOf(child)];
}

function valueOf(element: XmlElement): XmpValue {
  const [only] = element.children;
  if (only === undefined) {
    const fields = [...fieldsOf(element)];
    return fields.length > 0
      ? Object.fromEntries(fields)
      : (element.attributes.get('rdf:resource') ?? element.text.trim());
  }
  if (['rdf:Bag', 'rdf:Seq', 'rdf:Alt'].includes(only.name)) return itemsOf(only);
  if (only.name === 'rdf:Description') return structureOf(only);
  return structureOf(element);
}

/** A value with qualifiers is its value; else a structure. */
function structureOf(element: XmlElement): XmpValue {
  const fields = Object.fromEntries(fieldsOf(element));
  return fields['rdf:value'] ?? fields;
}

function itemsOf(list: XmlElement): XmpValue[] {
  const items = list.children.filter((child) => child.name === 'rdf:li');
  if (list.name !== 'rdf:Alt') return items.map(valueOf);
  // Language alternatives: the default comes first.
  const isDefault = (item: XmlElement): boolean => item.attributes.get('xml:lang') === 'x-default';
  return [...items.filter(isDefault), ...items.filter((item) => !isDefault(item))].map(valueOf);
}
