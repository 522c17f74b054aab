import { ArrayMaxSize, ArrayMinSize, IsBoolean, IsInt, IsUUID, Max, Min } from 'class-validator';
import {
  defineTask,
  exponential,
  type HandlerResult,
  Handles,
  type TaskContext,
  type TaskHandler,
} from '../../tasks/index.js';
import { ThumbnailsService } from '../thumbnails/thumbnails.service.js';

export class ThumbnailsBatchInput {
  @IsUUID()
  catalog_id: string;

  /** Images to be rendered. */
  @IsUUID(undefined, { each: true })
  @ArrayMaxSize(1_000)
  image_ids: string[];

  @IsInt({ each: true })
  @Min(16, { each: true })
  @Max(4_096, { each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(8)
  sizes: number[];

  @IsInt()
  @Min(1)
  @Max(100)
  quality: number;

  @IsBoolean()
  force: boolean;
}

/** Renders some images. A part of `thumbnails`. */
export const thumbnailsBatch = defineTask({
  name: 'thumbnails_batch',
  version: 1,
  title: 'Make a batch of thumbnails',
  input: ThumbnailsBatchInput,
  queue: 'images',
  retry: { attempts: 5, backoff: exponential({ firstMs: 2_000, maxMs: 120_000 }) },
  // Fifty pictures of which each may take its minute, one after the other. Shorter: such a batch never ends.
  timeoutMs: 3_600_000,
  internal: true,
});

@Handles(thumbnailsBatch)
export class ThumbnailsBatchHandler implements TaskHandler<typeof thumbnailsBatch> {
  constructor(private readonly thumbnails: ThumbnailsService) {}

  async run(
    { image_ids: imageIds, sizes, quality, force }: ThumbnailsBatchInput,
    context: TaskContext,
  ): Promise<HandlerResult> {
    const { id, type, version } = context.task;
    const lineage = { taskId: id, taskType: type, taskVersion: version };
    return { ...(await this.thumbnails.renderBatch(imageIds, { sizes, quality, force }, { context, lineage })) };
  }
}
