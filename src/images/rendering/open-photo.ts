import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { ByteSource, type PositionedReader } from '../metadata/byte-source.js';
import { emptyFile, Undecodable, unreadable } from './problems.js';

const HEAD_BYTES = 64 * 1024;

/**
 * Files up to this size are decoded from memory, which keeps what is wrong with reading (thrown as the system's error)
 * apart from what is wrong with the content, and the file's name away from libvips, which takes part of it for options.
 * Larger: more memory per decoder; smaller: fewer files whose damage can be told.
 */
const MAX_BYTES_IN_MEMORY = 256 * 1024 * 1024;

/** An open photo. It stays the same file to its end, whatever happens to its name. */
export class OpenPhoto implements PositionedReader {
  private constructor(
    private readonly handle: FileHandle,
    private readonly path: string,
    readonly sizeBytes: number,
    /** The first bytes. */
    readonly head: Buffer,
  ) {}

  /** Throws the system's error when it cannot be read, Undecodable when there is nothing to read. */
  static async open(path: string): Promise<OpenPhoto> {
    // Non-blocking, because opening a named pipe would wait for its writer.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = await handle.stat();
      if (!status.isFile()) throw new Undecodable(unreadable('It is not a file.'));
      if (status.size === 0) throw new Undecodable(emptyFile('The file is empty.'));
      const head = Buffer.alloc(Math.min(HEAD_BYTES, status.size));
      const { bytesRead } = await handle.read(head, 0, head.length, 0);
      return new OpenPhoto(handle, path, status.size, head.subarray(0, bytesRead));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  async read(target: Buffer, position: number): Promise<number> {
    return (await this.handle.read(target, 0, target.length, position)).bytesRead;
  }

  /** For walks over its structure, with a budget of its own. */
  source(): ByteSource {
    return ByteSource.ofFile(this, this.sizeBytes, this.head);
  }

  /** The bytes of a range, fewer where the file ends. */
  async range(offset: number, length: number): Promise<Buffer> {
    const target = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.sizeBytes - offset)));
    let filled = 0;
    while (filled < target.length) {
      const count = await this.read(target.subarray(filled), offset + filled);
      if (count === 0) break;
      filled += count;
    }
    return target.subarray(0, filled);
  }

  /** All of it, or undefined when that is more than is held in memory. */
  async whole(): Promise<Buffer | undefined> {
    return this.sizeBytes > MAX_BYTES_IN_MEMORY ? undefined : this.range(0, this.sizeBytes);
  }

  /** What a decoder gets: the bytes, or the name of a file too large for that. */
  async decoderInput(): Promise<Buffer | string> {
    return (await this.whole()) ?? this.path;
  }
}
