/** What positioned reads come from: an open file, or a stand-in in tests. */
export interface PositionedReader {
  /** Fills `target` from `position`; returns how many bytes there were. */
  read(target: Buffer, position: number): Promise<number>;
}

/** A file that makes its reader jump about more than any real one does. What was found until then is kept. */
export class TooMuchToRead extends Error {}

/** The file cannot be read (or the reading was aborted), whatever its content; `cause` is what the system said. */
export class ReadFailure extends Error {}

/** Bytes a walk may fetch beyond the head: with the head, what bounds the memory and the time that one file can cost. */
const MAX_FETCHED_BYTES = 24 * 1024 * 1024;
/** Positioned reads per file. Too small: long PNGs (a chunk each 8 KB) lose their trailing text; too large: seconds per hostile file. */
const MAX_FETCHES = 60_000;
/** Neighbouring small reads (chunk headers, IFD entries) are served from one page. Larger pages would spend the budget on
 * the thousands of chunks of a large PNG. */
const PAGE_BYTES = 512;

interface Budget {
  bytes: number;
  fetches: number;
}

/**
 * Random access to a file within a fixed budget, so that a walk over hostile offsets ends. Reads never fail for being
 * out of bounds: they return fewer bytes, and every parser must look at the length that it got.
 */
export class ByteSource {
  private page: { readonly offset: number; readonly bytes: Buffer } | undefined;

  private constructor(
    /** Bytes that this source has. */
    readonly size: number,
    private readonly start: number,
    private readonly head: Buffer,
    private readonly reader: PositionedReader | undefined,
    private readonly budget: Budget,
  ) {}

  static ofFile(reader: PositionedReader, size: number, head: Buffer): ByteSource {
    return new ByteSource(size, 0, head, reader, { bytes: MAX_FETCHED_BYTES, fetches: MAX_FETCHES });
  }

  static ofBytes(bytes: Buffer): ByteSource {
    return new ByteSource(bytes.length, 0, bytes, undefined, { bytes: 0, fetches: 0 });
  }

  /** A part of this source, with offsets of its own; it spends the same budget. */
  window(offset: number, length = this.size - offset): ByteSource {
    const from = clamp(offset, 0, this.size);
    const size = clamp(length, 0, this.size - from);
    return new ByteSource(size, this.start + from, this.head, this.reader, this.budget);
  }

  /** The bytes at `offset`, fewer at the end. A view: callers must not write to it. */
  async read(offset: number, length: number): Promise<Buffer> {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= this.size || length <= 0) return Buffer.alloc(0);
    const from = this.start + offset;
    const to = from + Math.min(Math.floor(length), this.size - offset);
    if (to <= this.head.length) return this.head.subarray(from, to);
    if (this.reader === undefined) return this.head.subarray(Math.min(from, this.head.length), this.head.length);
    if (to - from > PAGE_BYTES) return this.fetch(this.reader, from, to - from);
    if (this.page === undefined || from < this.page.offset || to > this.page.offset + this.page.bytes.length) {
      const pageEnd = Math.max(to, Math.min(this.start + this.size, from + PAGE_BYTES));
      this.page = { offset: from, bytes: await this.fetch(this.reader, from, pageEnd - from) };
    }
    return this.page.bytes.subarray(from - this.page.offset, to - this.page.offset);
  }

  private async fetch(reader: PositionedReader, position: number, length: number): Promise<Buffer> {
    this.budget.bytes -= length;
    this.budget.fetches -= 1;
    if (this.budget.bytes < 0 || this.budget.fetches < 0) {
      throw new TooMuchToRead('the metadata is scattered over more of the file than is read');
    }
    const target = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const count = await reader.read(target.subarray(filled), position + filled);
      if (count === 0) break;
      filled += count;
    }
    return target.subarray(0, filled);
  }
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);
