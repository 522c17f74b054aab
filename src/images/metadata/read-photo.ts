import { basename } from 'node:path';
import type { PhotoFacts, PhotoProblem } from '../photo-facts.js';
import { ReadFailure, TooMuchToRead, type ByteSource } from './byte-source.js';
import { readContainer } from './containers/read-container.js';
import { badMetadata, corrupt, nothingFound } from './embedded-metadata.js';
import { factsOfPhoto, type PhotoContext } from './facts-of-photo.js';
import { withPhotoFile } from './photo-file.js';
import { extensionOf } from '../stored-path.js';
import { getPhotoFormat } from './photo-formats.js';
import { readSidecars } from './sidecars.js';
import { SNIFFED_BYTES, sniffFormat } from './sniff-format.js';

export interface PhotoReading {
  /** SHA-256 of the file's bytes. */
  readonly checksum: Buffer;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** Undefined when the content is no picture of a known format. */
  readonly facts: PhotoFacts | undefined;
  readonly problems: readonly PhotoProblem[];
}

export interface PhotoToRead {
  /** Absolute. */
  readonly path: string;
  /** Absolute, best first: `photo.jpg.xmp` before `photo.xmp`. */
  readonly sidecarPaths?: readonly string[];
}

export interface ReadPhotoOptions {
  readonly signal?: AbortSignal | undefined;
  /** Dates beyond a day after this are refused. */
  readonly now?: Date;
}

/**
 * Reads one photo file: its checksum and all that can be known without decoding the picture. Whatever is wrong with the
 * content is a problem in the result; it throws only for what is wrong with reading (ENOENT, EACCES, EIO, `not_a_file`)
 * and when aborted. Needs memory of some megabytes whatever the size of the file.
 */
export async function readPhoto(photo: PhotoToRead, options: ReadPhotoOptions = {}): Promise<PhotoReading> {
  return withPhotoFile(photo.path, options.signal, async ({ checksum, sizeBytes, modifiedAt, source }) => {
    const problems: PhotoProblem[] = [];
    const sidecar = await readSidecars(photo.sidecarPaths ?? [], problems);
    const context = { path: photo.path, modifiedAt, now: options.now ?? new Date(), sidecar };
    const facts = await readFacts(source, context, problems);
    return { checksum, sizeBytes, modifiedAt, facts, problems };
  });
}

/** The same of bytes wherever they are. */
export async function readFacts(
  source: ByteSource,
  context: PhotoContext,
  problems: PhotoProblem[],
): Promise<PhotoFacts | undefined> {
  if (source.size === 0) {
    problems.push({ severity: 'error', code: 'empty_file', message: 'The file is empty.' });
    return undefined;
  }
  const sniffed = sniffFormat(await source.read(0, SNIFFED_BYTES));
  if (sniffed.kind !== 'picture') {
    const what =
      sniffed.kind === 'other' ? `The file is ${sniffed.what}.` : 'The content is of no known kind of picture.';
    problems.push({ severity: 'error', code: 'not_an_image', message: what });
    return undefined;
  }
  const found = nothingFound();
  const fileName = basename(context.path);
  let format = sniffed.format;
  try {
    format = await readContainer(source, sniffed.format, found);
  } catch (error) {
    if (error instanceof ReadFailure) throw error;
    found.problems.push(
      error instanceof TooMuchToRead
        ? badMetadata(`Some is left out: ${error.message}.`)
        : corrupt('The container is damaged.'),
    );
  }
  problems.push(...found.problems, ...mismatchOf(format, fileName));
  return factsOfPhoto(format, found, { ...context, problems });
}

function mismatchOf(format: string, fileName: string): PhotoProblem[] {
  const extension = extensionOf(fileName);
  if (getPhotoFormat(format).extensions.includes(extension)) return [];
  const message = `The file is named .${extension} and its content is ${format.toUpperCase()}.`;
  return [{ severity: 'warning', code: 'extension_mismatch', message }];
}
