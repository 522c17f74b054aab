import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { invalid } from '../../platform/errors/app-error.js';
import { ByteSource, ReadFailure, type PositionedReader } from './byte-source.js';

/** One read of the checksum pass: large enough that the system calls cost nothing, small enough to hold many at once. */
const CHUNK_BYTES = 512 * 1024;
/** Kept of the beginning: holds the metadata of nearly every file, so that these are read once. */
const HEAD_BYTES = 256 * 1024;

export interface PhotoFile {
  /** SHA-256 of all bytes. */
  readonly checksum: Buffer;
  readonly sizeBytes: number;
  /** As it was before the first byte was read: a file that changes meanwhile is seen as changed by the next scan. */
  readonly modifiedAt: Date;
  readonly source: ByteSource;
}

/** Opens a file, reads it through once for its checksum, and hands it over for positioned reads while it is open. */
export async function withPhotoFile<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: (file: PhotoFile) => Promise<T>,
): Promise<T> {
  // Not blocking: opening a pipe that someone laid among the photos would otherwise wait for its writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw invalid('not_a_file', 'What has a photo’s name is no regular file.');
    const { checksum, sizeBytes, head } = await digest(handle, signal);
    const source = ByteSource.ofFile(readerOf(handle, signal), sizeBytes, head);
    return await work({ checksum, sizeBytes, modifiedAt: stats.mtime, source });
  } catch (error) {
    throw error instanceof ReadFailure ? error.cause : error;
  } finally {
    await handle.close();
  }
}

/** Marks its errors, so that parsers' errors over damaged bytes are not taken for them, nor they for those. */
function readerOf(handle: FileHandle, signal: AbortSignal | undefined): PositionedReader {
  return {
    read: async (target, position) => {
      try {
        signal?.throwIfAborted();
        return (await handle.read(target, 0, target.length, position)).bytesRead;
      } catch (error) {
        throw new ReadFailure('the file cannot be read', { cause: error });
      }
    },
  };
}

async function digest(
  handle: FileHandle,
  signal: AbortSignal | undefined,
): Promise<{ checksum: Buffer; sizeBytes: number; head: Buffer }> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let head = Buffer.alloc(0);
  let sizeBytes = 0;
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, sizeBytes);
    if (bytesRead === 0) break;
    const bytes = chunk.subarray(0, bytesRead);
    hash.update(bytes);
    if (sizeBytes === 0) head = Buffer.from(bytes.subarray(0, HEAD_BYTES));
    sizeBytes += bytesRead;
  }
  return { checksum: hash.digest(), sizeBytes, head };
}
