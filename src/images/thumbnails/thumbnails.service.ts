import { Injectable } from '@nestjs/common';
import type { FileHandle } from 'node:fs/promises';
import { Settings } from '../../platform/config/settings.js';
import { Database } from '../../platform/database/database.js';
import type { TaskContext } from '../../tasks/index.js';
import { boundedParallel } from '../bounded-parallel.js';
import { bytesOfPlace, descriptorPath, isErrno, isOutsideRoot, openPhoto } from '../photo-file.js';
import type { Lineage } from '../problems.repository.js';
import type { RenderOutcome } from '../rendering/render-request.js';
import { Renderer } from '../rendering/renderer.js';
import {
  type FileToRender,
  type RenderCounts,
  type RenderedImage,
  RenditionsRepository,
} from './renditions.repository.js';
import { ThumbnailFiles } from './thumbnail-files.js';

/** What to make: longest sides in pixels, JPEG quality 1–100. */
export interface ThumbnailOptions {
  readonly sizes: readonly number[];
  readonly quality: number;
  /** Make anew what is there. */
  readonly force: boolean;
}

export interface ThumbnailBatchResult extends RenderCounts {
  /** Images of this batch. */
  readonly images: number;
  /** Whose file is gone or has changed since it was analysed: the next analysis sees to them. */
  readonly skipped: number;
}

/**
 * A picture that decodes at all does so within seconds. Shorter: a panorama on a loaded machine fails; longer: a picture
 * made to hang holds its decoder for that long.
 */
const PICTURE_TIMEOUT_MS = 60_000;
/** One transaction's cost for so many images; at most so many are rendered again after a crash. */
const IMAGES_A_WRITE = 16;

/** Renders images' thumbnails and keeps them. */
@Injectable()
export class ThumbnailsService {
  constructor(
    private readonly database: Database,
    private readonly settings: Settings,
    private readonly renditions: RenditionsRepository,
    private readonly renderer: Renderer,
    private readonly files: ThumbnailFiles,
  ) {}

  /** The options of a job: what it leaves out, or gives as null, is as configured. */
  optionsOf(asked: {
    readonly sizes?: readonly number[] | null;
    readonly quality?: number | null;
    readonly force?: boolean | null;
  }): ThumbnailOptions {
    return {
      sizes: [...new Set(asked.sizes ?? this.settings.thumbnailSizes)].sort((a, b) => a - b),
      quality: asked.quality ?? this.settings.thumbnailQuality,
      force: asked.force ?? false,
    };
  }

  /** Ids of the images that lack any of the sizes for what they hold now, or all with `force`. */
  imagesToRender(catalogId: string, options: ThumbnailOptions): Promise<string[]> {
    return this.renditions.imagesToRender(this.database, catalogId, options);
  }

  /** Idempotent: sizes that an earlier attempt (without `force`: or any task) has made are not made again. */
  async renderBatch(
    imageIds: readonly string[],
    options: ThumbnailOptions,
    { context, lineage }: { readonly context: TaskContext; readonly lineage: Lineage },
  ): Promise<ThumbnailBatchResult> {
    const onlyOwn = options.force ? lineage.taskId : undefined;
    const listed = await this.renditions.filesToRender(this.database, imageIds, onlyOwn);
    const files = listed.filter(({ present }) => !options.sizes.every((size) => present.includes(size)));
    let done = imageIds.length - files.length;
    let skipped = imageIds.length - listed.length;
    const rendered: RenderedImage[] = [];
    const write = async (): Promise<void> => {
      const images = rendered.splice(0);
      if (images.length === 0) return;
      const replaced = await context.transaction((tx) =>
        this.renditions.save(tx, images, { quality: options.quality, lineage }),
      );
      await this.files.discard(replaced);
    };
    await boundedParallel(files, this.settings.decoderProcesses, async (file) => {
      context.signal.throwIfAborted();
      const image = await this.renderFile(file, options, context.signal);
      if (image === undefined) skipped += 1;
      else rendered.push(image);
      context.progress((done += 1), imageIds.length);
      if (rendered.length >= IMAGES_A_WRITE) await write();
    });
    await write();
    const counts = await this.renditions.batchCounts(this.database, imageIds, lineage.taskId);
    return { images: imageIds.length, skipped, ...counts };
  }

  /** Undefined when the file is not the one that was analysed. */
  private async renderFile(
    file: FileToRender,
    options: ThumbnailOptions,
    signal: AbortSignal,
  ): Promise<RenderedImage | undefined> {
    const outcome = await this.renderOpened(file, options, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (isErrno(error, 'ENOENT', 'ENOTDIR') || isOutsideRoot(error)) return undefined;
      if (isErrno(error, 'EACCES', 'EPERM', 'EIO', 'ESTALE', 'ENXIO')) return UNREADABLE;
      throw error;
    });
    if (outcome === undefined) return undefined;
    const { thumbhash, problems } = outcome;
    const renditions = await this.files.store(file, outcome.renditions);
    return { imageId: file.imageId, checksum: file.checksum, renditions, thumbhash, problems };
  }

  private async renderOpened(
    file: FileToRender,
    { sizes, quality, force }: ThumbnailOptions,
    signal: AbortSignal,
  ): Promise<RenderOutcome | undefined> {
    const handle = await openPhoto(file);
    try {
      if (!(await isAsAnalysed(handle, file))) return undefined;
      const request = {
        // What is rendered is what was checked, whatever its name leads to by the time that the decoder opens it.
        path: descriptorPath(handle) ?? bytesOfPlace(file).toString(),
        format: file.format,
        orientation: file.orientation,
        sizes: force ? sizes : sizes.filter((size) => !file.present.includes(size)),
        quality,
        maxPixels: this.settings.maxPixels,
      };
      const outcome = await this.renderer.render(request, { signal, timeoutMs: PICTURE_TIMEOUT_MS });
      return (await isAsAnalysed(handle, file)) ? outcome : undefined;
    } finally {
      await handle.close();
    }
  }
}

const UNREADABLE: Pick<RenderOutcome, 'renditions' | 'thumbhash' | 'problems'> = {
  renditions: [],
  thumbhash: undefined,
  problems: [{ severity: 'error', code: 'unreadable', message: 'The file could not be read.' }],
};

async function isAsAnalysed(handle: FileHandle, { sizeBytes, modifiedAt }: FileToRender): Promise<boolean> {
  const { size, mtime } = await handle.stat();
  return size === sizeBytes && mtime.getTime() === modifiedAt.getTime();
}
