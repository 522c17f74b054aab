import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsBoolean,
  IsInt,
  IsOptional,
  IsUUID,
  Max,
  Min,
} from 'class-validator';
import {
  type ChildrenSummary,
  defineTask,
  exponential,
  fanOut,
  type HandlerResult,
  Handles,
  PermanentError,
  type TaskContext,
  type TaskHandler,
} from '../../tasks/index.js';
import { AnalysisReportService } from '../analysis/analysis-report.service.js';
import { RootsService } from '../roots/roots.service.js';
import { ThumbnailFiles } from '../thumbnails/thumbnail-files.js';
import { type ThumbnailBatchResult, ThumbnailsService } from '../thumbnails/thumbnails.service.js';
import { inBatches } from './batches.js';
import { thumbnailsBatch } from './thumbnails-batch.task.js';

export class ThumbnailsInput {
  /** The catalogue whose images are to have thumbnails. */
  @IsUUID()
  catalog_id: string;

  /** Longest sides in pixels, 16 to 4096; as configured when left out. */
  @IsOptional()
  @IsInt({ each: true })
  @Min(16, { each: true })
  @Max(4_096, { each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(8)
  @ArrayUnique()
  sizes?: number[];

  /** JPEG quality; as configured when left out. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  quality?: number;

  /** Make all of them anew, not only those that are missing. */
  @IsOptional()
  @IsBoolean()
  force?: boolean;
}

/** Makes the thumbnails and placeholder hashes that images lack for what they hold now: one decode for all sizes. */
export const thumbnails = defineTask({
  name: 'thumbnails',
  version: 1,
  title: 'Make thumbnails',
  input: ThumbnailsInput,
  retry: { attempts: 5, backoff: exponential({ firstMs: 5_000, maxMs: 300_000 }) },
  // Listing what is missing and sweeping what is left over. Shorter: a large library's sweep never ends.
  timeoutMs: 3_600_000,
  dedupKey: ({ catalog_id }) => catalog_id,
});

/** Images a batch: some seconds of work, so that progress moves and little is done again after a crash. */
const IMAGES_A_BATCH = 50;
/** See {@link ThumbnailFiles.sweep}. */
const SWEEP_MIN_AGE_MS = 60_000;

@Handles(thumbnails)
export class ThumbnailsHandler implements TaskHandler<typeof thumbnails> {
  constructor(
    private readonly service: ThumbnailsService,
    private readonly files: ThumbnailFiles,
    private readonly reports: AnalysisReportService,
    private readonly roots: RootsService,
  ) {}

  async run(input: ThumbnailsInput, context: TaskContext): Promise<HandlerResult> {
    await this.roots.assertCatalog(input.catalog_id);
    const options = this.service.optionsOf(input);
    const ids = await this.service.imagesToRender(input.catalog_id, options);
    if (ids.length === 0) return this.finish(input, context, []);
    const batches = inBatches(ids, IMAGES_A_BATCH).map((batch) => ({
      input: { catalog_id: input.catalog_id, image_ids: batch, ...options, sizes: [...options.sizes] },
      weight: batch.length,
    }));
    return fanOut(thumbnailsBatch, batches);
  }

  async afterChildren(input: ThumbnailsInput, context: TaskContext, children: ChildrenSummary): Promise<HandlerResult> {
    if (children.completed < children.total) {
      const message = `${children.total - children.completed} of ${children.total} batches did not complete; retry them`;
      throw new PermanentError('batches_failed', message);
    }
    const results: ThumbnailBatchResult[] = [];
    for await (const { result } of children.results()) results.push(result as unknown as ThumbnailBatchResult);
    return this.finish(input, context, results);
  }

  private async finish(
    input: ThumbnailsInput,
    { signal }: TaskContext,
    results: readonly ThumbnailBatchResult[],
  ): Promise<HandlerResult> {
    await this.files.sweep(SWEEP_MIN_AGE_MS, signal);
    const { sizes, quality } = this.service.optionsOf(input);
    const sum = (key: keyof ThumbnailBatchResult): number => results.reduce((total, result) => total + result[key], 0);
    const counts = {
      images: sum('images'),
      rendered: sum('rendered'),
      renditions: sum('renditions'),
      bytes: sum('bytes'),
    };
    const failed = sum('failed');
    return {
      ...counts,
      failed,
      skipped: sum('skipped'),
      sizes,
      quality,
      ...(await this.reports.problems(input.catalog_id, 'thumbnails')),
      up_to_date: counts.images === 0,
      message:
        counts.images === 0
          ? 'No thumbnails are missing.'
          : `${counts.renditions} thumbnails of ${counts.rendered} images made, ${failed} with an error.`,
    };
  }
}
