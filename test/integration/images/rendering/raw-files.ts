/** A value of a directory: numbers as LONG, text as ASCII, bytes as UNDEFINED, a blob as the offset of its bytes. */
type Value = number | readonly number[] | string | Buffer | { readonly blob: Buffer };

export interface Directory {
  readonly entries: Readonly<Record<number, Value>>;
  /** Listed under SubIFDs. */
  readonly subs?: readonly Directory[];
}

const SUB_IFDS = 0x014a;

/** A little-endian TIFF file, or one of the RAW formats that differ in their first bytes. */
export function aTiff(directories: readonly Directory[], signature = 'II*\0'): Buffer {
  const file = new Appender(
    Buffer.concat([Buffer.from(signature, 'latin1'), Buffer.alloc(signature.length < 12 ? 12 : 0)]),
  );
  let pointerAt = 4;
  for (const directory of directories) {
    const { at, nextAt } = appendDirectory(file, directory);
    file.patch(pointerAt, at);
    pointerAt = nextAt;
  }
  return file.bytes;
}

class Appender {
  constructor(public bytes: Buffer) {}

  append(more: Buffer): number {
    const at = this.bytes.length;
    this.bytes = Buffer.concat([this.bytes, more, Buffer.alloc(more.length % 2)]);
    return at;
  }

  patch(at: number, value: number): void {
    this.bytes.writeUInt32LE(value, at);
  }
}

function appendDirectory(file: Appender, { entries, subs = [] }: Directory): { at: number; nextAt: number } {
  const children = subs.map((sub) => appendDirectory(file, sub).at);
  const all: [number, Value][] = Object.entries(entries).map(([tag, value]) => [Number(tag), value]);
  if (children.length > 0) all.push([SUB_IFDS, children]);
  const rows = all.sort(([a], [b]) => a - b).map(([tag, value]) => row(file, tag, value));
  const table = Buffer.concat([Buffer.from([rows.length & 255, rows.length >> 8]), ...rows, Buffer.alloc(4)]);
  const at = file.append(table);
  return { at, nextAt: at + table.length - 4 };
}

function row(file: Appender, tag: number, value: Value): Buffer {
  const { type, count, bytes } = coded(file, value);
  const entry = Buffer.alloc(12);
  entry.writeUInt16LE(tag, 0);
  entry.writeUInt16LE(type, 2);
  entry.writeUInt32LE(count, 4);
  if (bytes.length <= 4) bytes.copy(entry, 8);
  else entry.writeUInt32LE(file.append(bytes), 8);
  return entry;
}

function coded(file: Appender, value: Value): { type: number; count: number; bytes: Buffer } {
  if (Buffer.isBuffer(value)) return { type: 7, count: value.length, bytes: value };
  if (typeof value === 'string') return { type: 2, count: value.length + 1, bytes: Buffer.from(`${value}\0`) };
  const numbers = typeof value === 'number' ? [value] : 'blob' in value ? [file.append(value.blob)] : value;
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, index) => bytes.writeUInt32LE(number, index * 4));
  return { type: 4, count: numbers.length, bytes };
}

/** A box of the ISO base media format. */
export function aBox(type: string, ...content: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + content.reduce((sum, { length }) => sum + length, 0));
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, ...content]);
}

/** Sensor data: looks random, and holds what begins like a JPEG and is none. */
export function sensorData(bytes: number): Buffer {
  const data = Buffer.alloc(bytes);
  for (let at = 0, state = 1; at < bytes; at++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    data[at] = state >> 16;
  }
  for (let at = 1_000; at + 8 < bytes; at += 50_000) data.write('ffd8ffe1ffd8ffdb', at, 'hex');
  return data;
}
