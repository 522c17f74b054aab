import { readContainer } from '../metadata/containers/read-container.js';
import { nothingFound, type EmbeddedMetadata } from '../metadata/embedded-metadata.js';
import { readTiff, type TiffContents } from '../metadata/tiff/read-tiff.js';
import type { OpenPhoto } from './open-photo.js';

/** The directories of a TIFF or a RAW file that is built like one; undefined for others, and for hopeless ones. */
export function tiffStructure(photo: OpenPhoto): Promise<TiffContents | undefined> {
  return readTiff(photo.source()).catch(rethrowSystemError);
}

/** What the container states about its picture and what is wrong with its structure, as far as it could be walked. */
export async function containerStructure(photo: OpenPhoto, format: string): Promise<EmbeddedMetadata> {
  const found = nothingFound();
  await readContainer(photo.source(), format, found).catch(rethrowSystemError);
  return found;
}

/** The file could not be read, as opposed to: its bytes made no sense. */
export function isSystemError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error;
}

function rethrowSystemError(error: unknown): undefined {
  if (isSystemError(error)) throw error;
  return undefined;
}
