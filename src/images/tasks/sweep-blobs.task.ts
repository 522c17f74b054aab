import { IsInt, IsOptional, Min } from 'class-validator';
import {
  defineTask,
  exponential,
  type HandlerResult,
  Handles,
  type TaskContext,
  type TaskHandler,
} from '../../tasks/index.js';
import { ThumbnailFiles } from '../thumbnails/thumbnail-files.js';

export class SweepBlobsInput {
  /** Only those that were let go of at least so long ago, in milliseconds; images that are gone get no thumbnails again. */
  @IsOptional()
  @IsInt()
  @Min(0)
  min_age_ms?: number;
}

/** Deletes the files of thumbnails that nothing names any more: those of a catalogue that was removed. */
export const sweepBlobs = defineTask({
  name: 'sweep_blobs',
  version: 1,
  title: 'Delete files of removed thumbnails',
  input: SweepBlobsInput,
  retry: { attempts: 5, backoff: exponential({ firstMs: 10_000, maxMs: 600_000 }) },
  timeoutMs: 3_600_000,
  dedupKey: () => 'all',
});

@Handles(sweepBlobs)
export class SweepBlobsHandler implements TaskHandler<typeof sweepBlobs> {
  constructor(private readonly files: ThumbnailFiles) {}

  async run({ min_age_ms: minAgeMs = 0 }: SweepBlobsInput, { signal }: TaskContext): Promise<HandlerResult> {
    return { deleted: await this.files.sweep(minAgeMs, signal) };
  }
}
