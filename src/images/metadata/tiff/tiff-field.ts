import { decodeTerminated } from '../text.js';

/** Bytes of one element by TIFF type; index 0 and other unknown types are refused. */
export const TYPE_SIZES: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

const ASCII = 2;
const RATIONAL = 5;
const UNDEFINED = 7;
const SIGNED_RATIONAL = 10;

/** Elements decoded of one field; the longest that anything reads are lists of strips. */
const MAX_ELEMENTS = 4096;

export interface Rational {
  readonly numerator: number;
  readonly denominator: number;
}

export interface TiffEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly offset: number;
}

/** One entry of an IFD with its value's bytes, decoded on demand: what a writer meant is known by who asks. */
export class TiffField {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Where the value stands in the source. */
  readonly offset: number;

  constructor(
    entry: TiffEntry,
    /** Undefined when the value is too large to be read at sight. */
    readonly bytes: Buffer | undefined,
    readonly littleEndian: boolean,
  ) {
    this.tag = entry.tag;
    this.type = entry.type;
    this.count = entry.count;
    this.offset = entry.offset;
  }

  get sizeBytes(): number {
    return this.count * (TYPE_SIZES[this.type] ?? 0);
  }

  get isText(): boolean {
    return this.type === ASCII;
  }

  get isOpaque(): boolean {
    return this.type === UNDEFINED;
  }

  /** Text up to the first NUL; numeric fields have none. */
  text(): string | undefined {
    if (this.bytes === undefined || (this.type !== ASCII && this.type !== UNDEFINED && this.type !== 1))
      return undefined;
    return decodeTerminated(this.bytes);
  }

  /** Each element as a number; a fraction over zero is NaN, digits written as text count. */
  numbers(): number[] {
    if (this.bytes === undefined) return [];
    if (this.type === ASCII) {
      const digits = decodeTerminated(this.bytes).match(/-?\d+(?:\.\d+)?/g) ?? [];
      return digits.slice(0, MAX_ELEMENTS).map(Number);
    }
    if (this.type === RATIONAL || this.type === SIGNED_RATIONAL) {
      return this.rationals().map(({ numerator, denominator }) => (denominator === 0 ? NaN : numerator / denominator));
    }
    return this.elements((bytes, at) => this.element(bytes, at));
  }

  number(): number | undefined {
    const first = this.numbers()[0];
    return first !== undefined && Number.isFinite(first) ? first : undefined;
  }

  rationals(): Rational[] {
    if (this.bytes === undefined || (this.type !== RATIONAL && this.type !== SIGNED_RATIONAL)) return [];
    const signed = this.type === SIGNED_RATIONAL;
    return this.elements((bytes, at) => ({
      numerator: signed ? this.int32(bytes, at) : this.uint32(bytes, at),
      denominator: signed ? this.int32(bytes, at + 4) : this.uint32(bytes, at + 4),
    }));
  }

  private elements<T>(decode: (bytes: Buffer, at: number) => T): T[] {
    const size = TYPE_SIZES[this.type] ?? 0;
    const bytes = this.bytes;
    if (bytes === undefined || size === 0) return [];
    const count = Math.min(Math.floor(bytes.length / size), MAX_ELEMENTS);
    return Array.from({ length: count }, (_, index) => decode(bytes, index * size));
  }

  private element(bytes: Buffer, at: number): number {
    const little = this.littleEndian;
    switch (this.type) {
      case 3:
        return little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
      case 4:
      case 13:
        return this.uint32(bytes, at);
      case 6:
        return bytes.readInt8(at);
      case 8:
        return little ? bytes.readInt16LE(at) : bytes.readInt16BE(at);
      case 9:
        return this.int32(bytes, at);
      case 11:
        return little ? bytes.readFloatLE(at) : bytes.readFloatBE(at);
      case 12:
        return little ? bytes.readDoubleLE(at) : bytes.readDoubleBE(at);
      case 16:
      case 18:
        return Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
      case 17:
        return Number(little ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at));
      default:
        return bytes.readUInt8(at);
    }
  }

  private uint32(bytes: Buffer, at: number): number {
    return this.littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  private int32(bytes: Buffer, at: number): number {
    return this.littleEndian ? bytes.readInt32LE(at) : bytes.readInt32BE(at);
  }
}
