import { Injectable } from '@nestjs/common';
import { type FileHandle, stat } from 'node:fs/promises';
import { Database } from '../platform/database/database.js';
import { type AppError, notFound, unavailable } from '../platform/errors/app-error.js';
import { ImagesRepository, type OriginalPlace } from './images.repository.js';
import { errnoOf, isErrno, isOutsideRoot, openPhoto } from './photo-file.js';
import { bytesOfText, shownText } from './stored-path.js';

/** An original that is open for reading. Whoever has it closes `handle`. */
export interface OpenOriginal {
  readonly handle: FileHandle;
  readonly fileName: string;
  readonly mimeType: string | undefined;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** SHA-256 (hexadecimal) when the file is the one that was analysed. */
  readonly checksum: string | undefined;
}

/** The photo files themselves, as they lie in the catalogues' folders. */
@Injectable()
export class OriginalsService {
  constructor(
    private readonly database: Database,
    private readonly images: ImagesRepository,
  ) {}

  /**
   * Opens an image's file, never one outside its root.
   * @throws not-found `image_not_found`, `original_missing`; unavailable `original_offline`, `original_unreadable`.
   */
  async open(imageId: string): Promise<OpenOriginal> {
    const place = await this.images.findPlace(this.database, imageId);
    if (place === undefined) throw notFound('image_not_found', `there is no image ${imageId}`);
    if (place.root === undefined || place.state === 'missing') throw missing();
    if (!place.root.online || place.state === 'offline') throw offline(place.root.path);
    try {
      return await openDescribed(place, place.root.path);
    } catch (error) {
      throw await explained(error, place.root.path);
    }
  }
}

async function openDescribed(place: OriginalPlace, rootPath: string): Promise<OpenOriginal> {
  const handle = await openPhoto({ rootPath, path: place.path });
  try {
    return await described(handle, place);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function described(handle: FileHandle, place: OriginalPlace): Promise<OpenOriginal> {
  const { size, mtime } = await handle.stat();
  const isAnalysed = size === place.sizeBytes && mtime.getTime() === place.modifiedAt?.getTime();
  return {
    handle,
    fileName: shownText(place.path.slice(place.path.lastIndexOf('/') + 1)),
    mimeType: place.mimeType ?? undefined,
    sizeBytes: size,
    modifiedAt: mtime,
    checksum: isAnalysed ? (place.checksum ?? undefined) : undefined,
  };
}

async function explained(error: unknown, rootPath: string): Promise<unknown> {
  if (isOutsideRoot(error)) return missing(error);
  if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
    const isRootThere = await stat(bytesOfText(rootPath)).then(
      () => true,
      () => false,
    );
    return isRootThere ? missing(error) : offline(rootPath, error);
  }
  if (!isErrno(error, 'EACCES', 'EPERM', 'EIO', 'ESTALE', 'ENXIO', 'ENODEV')) return error;
  return unavailable('original_unreadable', `the file cannot be read (${errnoOf(error) ?? ''})`, { cause: error });
}

const missing = (cause?: unknown): AppError =>
  notFound('original_missing', 'the file is not there any more; analyse the catalogue to bring it up to date', {
    cause,
  });

const offline = (rootPath: string, cause?: unknown): AppError =>
  unavailable('original_offline', `the folder ${rootPath} is not there at present: is its disk mounted?`, { cause });
