import type { ByteSource } from '../byte-source.js';
import { TiffField, TYPE_SIZES } from './tiff-field.js';

/** Real directories have at most a few hundred entries. */
const MAX_ENTRIES = 1000;
/** Values up to this size are read with their directory; larger ones (previews, maker notes, XMP) only when asked for. */
const MAX_VALUE_AT_SIGHT = 16 * 1024;

/** TIFF's own number, BigTIFF's, and those of ORF (`RO`, `RS`) and RW2, which are TIFF but for it. */
const CLASSIC_MAGICS = [42, 0x4f52, 0x5352, 0x55];
const BIG_TIFF_MAGIC = 43;

export interface Ifd {
  readonly fields: ReadonlyMap<number, TiffField>;
  /** Offset of the next directory of the chain; 0 = last. */
  readonly next: number;
  /** The source ends within the directory. */
  readonly cut: boolean;
}

export const EMPTY_IFD: Ifd = { fields: new Map(), next: 0, cut: false };

interface Layout {
  readonly big: boolean;
  readonly countSize: number;
  readonly entrySize: number;
  readonly inlineSize: number;
}

const CLASSIC: Layout = { big: false, countSize: 2, entrySize: 12, inlineSize: 4 };
const BIG: Layout = { big: true, countSize: 8, entrySize: 20, inlineSize: 8 };

/**
 * Reads directories (IFDs) of TIFF 6.0, BigTIFF and EXIF. It trusts no count and no offset: a damaged entry is left
 * out, and each directory is read at most once, which ends cycles.
 */
export class TiffReader {
  private readonly seen = new Set<number>();

  constructor(
    readonly source: ByteSource,
    readonly littleEndian: boolean,
    readonly firstIfdOffset: number,
    private readonly layout: Layout = CLASSIC,
  ) {}

  /** Undefined when the source does not begin as TIFF does. */
  static async open(source: ByteSource): Promise<TiffReader | undefined> {
    const header = await source.read(0, 16);
    if (header.length < 8) return undefined;
    const order = header.toString('latin1', 0, 2);
    if (order !== 'II' && order !== 'MM') return undefined;
    const little = order === 'II';
    const magic = little ? header.readUInt16LE(2) : header.readUInt16BE(2);
    if (CLASSIC_MAGICS.includes(magic)) {
      return new TiffReader(source, little, little ? header.readUInt32LE(4) : header.readUInt32BE(4));
    }
    if (magic !== BIG_TIFF_MAGIC || header.length < 16) return undefined;
    return new TiffReader(source, little, Number(little ? header.readBigUInt64LE(8) : header.readBigUInt64BE(8)), BIG);
  }

  /** The directory at `offset`; empty when there is none or when it was read before. */
  async readIfd(offset: number): Promise<Ifd> {
    const { countSize, entrySize } = this.layout;
    if (this.seen.has(offset)) return EMPTY_IFD;
    this.seen.add(offset);
    const counter = await this.source.read(offset, countSize);
    if (counter.length < countSize) return EMPTY_IFD;
    const count = this.unsigned(counter, 0, countSize);
    if (count === 0 || count > MAX_ENTRIES) return EMPTY_IFD;

    const tableLength = count * entrySize;
    const table = await this.source.read(offset + countSize, tableLength + (this.layout.big ? 8 : 4));
    const fields = new Map<number, TiffField>();
    for (let at = 0; at + entrySize <= Math.min(table.length, tableLength); at += entrySize) {
      const field = await this.readField(table, at, offset + countSize + at);
      if (field !== undefined && !fields.has(field.tag)) fields.set(field.tag, field);
    }
    const trailer = table.subarray(tableLength);
    const next = trailer.length >= (this.layout.big ? 8 : 4) ? this.unsigned(trailer, 0, trailer.length) : 0;
    return { fields, next, cut: table.length < tableLength };
  }

  /** A value's bytes whatever its size, up to `limit`; undefined when it is larger or not wholly there. */
  async bytesOf(field: TiffField, limit: number): Promise<Buffer | undefined> {
    if (field.bytes !== undefined) return field.bytes;
    if (field.sizeBytes > limit) return undefined;
    const bytes = await this.source.read(field.offset, field.sizeBytes);
    return bytes.length === field.sizeBytes ? bytes : undefined;
  }

  private async readField(table: Buffer, at: number, tableOffset: number): Promise<TiffField | undefined> {
    const { big, inlineSize } = this.layout;
    const tag = this.unsigned(table, at, 2);
    const type = this.unsigned(table, at + 2, 2);
    const count = this.unsigned(table, at + 4, big ? 8 : 4);
    const size = (TYPE_SIZES[type] ?? 0) * count;
    if (size === 0 || !Number.isSafeInteger(size)) return undefined;
    const valueAt = at + (big ? 12 : 8);
    if (size <= inlineSize) {
      const bytes = table.subarray(valueAt, valueAt + size);
      return new TiffField({ tag, type, count, offset: tableOffset + valueAt - at }, bytes, this.littleEndian);
    }
    const offset = this.unsigned(table, valueAt, inlineSize);
    if (offset + size > this.source.size) return undefined;
    const bytes = size <= MAX_VALUE_AT_SIGHT ? await this.source.read(offset, size) : undefined;
    return new TiffField({ tag, type, count, offset }, bytes, this.littleEndian);
  }

  private unsigned(bytes: Buffer, at: number, size: number): number {
    if (size === 8) return Number(this.littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    return this.littleEndian ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
  }
}
