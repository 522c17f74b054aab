import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { Database } from '../platform/database/database.js';
import { AppError, notFound } from '../platform/errors/app-error.js';
import { BlobStore } from '../storage/index.js';
import type { Image, ImageDetails, RecordedRendition } from './image.js';
import type { ImageFilter, ImagePage, ImagePosition } from './image-query.js';
import { ImagesRepository } from './images.repository.js';
import { RootsService } from './roots/roots.service.js';

export interface ImageList {
  readonly items: readonly Image[];
  /** Where the next page goes on; undefined on the last. */
  readonly next: ImagePosition | undefined;
}

export interface OpenThumbnail {
  readonly rendition: RecordedRendition;
  /** Makes the bytes flow; not called when the caller has them already. */
  open(): Promise<Readable>;
}

@Injectable()
export class ImagesService {
  constructor(
    private readonly database: Database,
    private readonly images: ImagesRepository,
    private readonly roots: RootsService,
    private readonly blobs: BlobStore,
  ) {}

  /** Without a catalogue in the filter: of the only one there is, or of all. */
  async list(filter: ImageFilter, page: ImagePage): Promise<ImageList> {
    const rows = await this.images.list(this.database, await this.within(filter), page);
    return {
      items: rows.map(({ image }) => image),
      next: rows.length < page.limit ? undefined : rows.at(-1)?.position,
    };
  }

  async count(filter: ImageFilter): Promise<number> {
    return this.images.count(this.database, await this.within(filter));
  }

  /** @throws not-found `image_not_found`. */
  async get(id: string): Promise<ImageDetails> {
    const image = await this.images.findDetails(this.database, id);
    if (image === undefined) throw notFound('image_not_found', `there is no image ${id}`);
    return image;
  }

  /**
   * A thumbnail of what the image holds now.
   * @throws not-found `image_not_found`, `thumbnail_failed` (there will be none, and why), `thumbnail_pending` (not made yet).
   */
  async thumbnail(imageId: string, size: number): Promise<OpenThumbnail> {
    const renditions = await this.images.renditionsOf(this.database, imageId);
    const rendition = renditions.find((one) => one.size === size && one.current);
    if (rendition === undefined) throw await this.whyNoThumbnail(imageId, size);
    return { rendition, open: () => this.read(imageId, rendition) };
  }

  private async read(imageId: string, rendition: RecordedRendition): Promise<Readable> {
    try {
      return await this.blobs.read(rendition.blobKey);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'blob_not_found') throw error;
      await this.images.forgetRendition(this.database, imageId, rendition);
      throw notFound('thumbnail_pending', 'this thumbnail was lost; the next thumbnails job makes it again', {
        cause: error,
      });
    }
  }

  private async whyNoThumbnail(imageId: string, size: number): Promise<AppError> {
    const image = await this.get(imageId);
    const error = image.problems.find(({ severity }) => severity === 'error');
    if (error !== undefined && image.thumbnails.length === 0) {
      return notFound('thumbnail_failed', `there is no thumbnail of this image: ${error.message} (${error.code})`);
    }
    const there = image.thumbnails.length === 0 ? '' : ` Sizes that are there: ${image.thumbnails.join(', ')}.`;
    return notFound('thumbnail_pending', `the thumbnail of size ${size} has not been made yet.${there}`);
  }

  private async within(filter: ImageFilter): Promise<ImageFilter> {
    return filter.catalogId === undefined ? { ...filter, catalogId: await this.roots.onlyCatalogId() } : filter;
  }
}
