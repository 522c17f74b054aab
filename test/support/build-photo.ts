import { crc32 } from 'node:zlib';

/** A field's value: text (ASCII), whole numbers (LONG), fractions (RATIONAL), or bytes (UNDEFINED). */
export type FieldValue = string | number | readonly number[] | readonly (readonly [number, number])[] | Buffer;
export type Fields = Readonly<Record<number, FieldValue>>;

export interface ExifDirectories {
  readonly image?: Fields;
  readonly photo?: Fields;
  readonly gps?: Fields;
}

const EXIF_POINTER = 0x8769;
const GPS_POINTER = 0x8825;

/** A whole TIFF structure, big-endian: what JPEG, HEIF and others embed as EXIF, and the beginning of a TIFF file. */
export function anExif({ image = {}, photo, gps }: ExifDirectories): Buffer {
  const header = Buffer.from('4d4d002a00000008', 'hex');
  const withPointers = (photoAt: number, gpsAt: number): Fields => {
    const photoPointer: Fields = photo ? { [EXIF_POINTER]: photoAt } : {};
    const gpsPointer: Fields = gps ? { [GPS_POINTER]: gpsAt } : {};
    return { ...image, ...photoPointer, ...gpsPointer };
  };
  const photoAt = 8 + aDirectory(withPointers(0, 0), 8).length;
  const photoBytes = photo ? aDirectory(photo, photoAt) : Buffer.alloc(0);
  const gpsAt = photoAt + photoBytes.length;
  const gpsBytes = gps ? aDirectory(gps, gpsAt) : Buffer.alloc(0);
  return Buffer.concat([header, aDirectory(withPointers(photoAt, gpsAt), 8), photoBytes, gpsBytes]);
}

/** An IFD that stands at `offset` of its structure, its values behind it. */
export function aDirectory(fields: Fields, offset: number, next = 0): Buffer {
  const entries = Object.entries(fields).map(([tag, value]) => ({ tag: Number(tag), ...encode(value) }));
  const table = Buffer.alloc(2 + entries.length * 12 + 4);
  const values: Buffer[] = [];
  let valuesAt = offset + table.length;
  table.writeUInt16BE(entries.length, 0);
  entries.forEach(({ tag, type, count, bytes }, index) => {
    const at = 2 + index * 12;
    table.writeUInt16BE(tag, at);
    table.writeUInt16BE(type, at + 2);
    table.writeUInt32BE(count, at + 4);
    if (bytes.length <= 4) {
      bytes.copy(table, at + 8);
    } else {
      table.writeUInt32BE(valuesAt, at + 8);
      values.push(bytes);
      valuesAt += bytes.length;
    }
  });
  table.writeUInt32BE(next, table.length - 4);
  return Buffer.concat([table, ...values]);
}

function encode(value: FieldValue): { type: number; count: number; bytes: Buffer } {
  if (typeof value === 'string') {
    const bytes = Buffer.from(`${value}\0`);
    return { type: 2, count: bytes.length, bytes };
  }
  if (Buffer.isBuffer(value)) return { type: 7, count: value.length, bytes: value };
  const list = typeof value === 'number' ? [value] : value;
  const numbers = list.flat();
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, index) => bytes.writeUInt32BE(number, index * 4));
  const isFractions = Array.isArray(list[0]);
  return { type: isFractions ? 5 : 4, count: list.length, bytes };
}

export interface JpegParts {
  readonly width?: number;
  readonly height?: number;
  readonly exif?: Buffer;
  readonly xmp?: string;
  /** IPTC-IIM datasets. */
  readonly iptc?: Buffer;
}

/** The header of a JPEG, up to where its picture would begin. */
export function aJpeg({ width = 40, height = 30, exif, xmp, iptc }: JpegParts = {}): Buffer {
  const frame = Buffer.from([8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]);
  return Buffer.concat([
    Buffer.from('ffd8', 'hex'),
    ...(exif ? [aSegment(0xe1, Buffer.from('Exif\0\0', 'latin1'), exif)] : []),
    ...(xmp === undefined ? [] : [aSegment(0xe1, Buffer.from('http://ns.adobe.com/xap/1.0/\0'), Buffer.from(xmp))]),
    ...(iptc
      ? [aSegment(0xed, Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0', 'latin1'), uint32(iptc.length), iptc)]
      : []),
    aSegment(0xc0, frame),
    Buffer.from('ffda00080101000000ffd9', 'hex'),
  ]);
}

export function aSegment(marker: number, ...parts: readonly Buffer[]): Buffer {
  const payload = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([0xff, marker, (payload.length + 2) >> 8, (payload.length + 2) & 255]), payload]);
}

/** A PNG of the given chunks between header and end; there is no picture in it. */
export function aPng(chunks: readonly (readonly [string, Buffer])[] = [], width = 40, height = 30): Buffer {
  const header = Buffer.concat([uint32(width), uint32(height), Buffer.from([8, 2, 0, 0, 0])]);
  const all = [['IHDR', header] as const, ...chunks, ['IEND', Buffer.alloc(0)] as const];
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...all.map(([type, data]) => aChunk(type, data))]);
}

function aChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
}

/** A box of the ISO base media format. */
export function aBox(type: string, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([uint32(content.length + 8), Buffer.from(type, 'latin1'), content]);
}

/** An XMP packet of one description with these attributes and elements. */
export function anXmp(attributes: Readonly<Record<string, string>>, elements = ''): string {
  const namespaces = {
    dc: 'http://purl.org/dc/elements/1.1/',
    exif: 'http://ns.adobe.com/exif/1.0/',
    lr: 'http://ns.adobe.com/lightroom/1.0/',
    photoshop: 'http://ns.adobe.com/photoshop/1.0/',
    tiff: 'http://ns.adobe.com/tiff/1.0/',
    xmp: 'http://ns.adobe.com/xap/1.0/',
  };
  const declared = Object.entries(namespaces).map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`);
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`);
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""${declared.join('')}${written.join('')}>${elements}</rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>`;
}

/** An IPTC dataset of record 2. */
export function aDataset(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([0x1c, 2, number, bytes.length >> 8, bytes.length & 255]), bytes]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
