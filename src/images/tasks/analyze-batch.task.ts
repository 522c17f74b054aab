import { ArrayMaxSize, IsUUID } from 'class-validator';
import {
  defineTask,
  exponential,
  type HandlerResult,
  Handles,
  type TaskContext,
  type TaskHandler,
} from '../../tasks/index.js';
import { AnalysisService } from '../analysis/analysis.service.js';

export class AnalyzeBatchInput {
  @IsUUID()
  catalog_id: string;

  /** Images whose files are to be read. */
  @IsUUID(undefined, { each: true })
  @ArrayMaxSize(1_000)
  image_ids: string[];
}

/** Reads the files of some images: checksum and metadata. A part of `analyze`. A new version reads every file again. */
export const analyzeBatch = defineTask({
  name: 'analyze_batch',
  version: 1,
  title: 'Analyse a batch of photos',
  input: AnalyzeBatchInput,
  queue: 'images',
  retry: { attempts: 5, backoff: exponential({ firstMs: 2_000, maxMs: 120_000 }) },
  // A hundred large files over a slow network. Shorter: they never get through; longer: a hung share holds a slot for that long.
  timeoutMs: 1_800_000,
  internal: true,
});

@Handles(analyzeBatch)
export class AnalyzeBatchHandler implements TaskHandler<typeof analyzeBatch> {
  constructor(private readonly analysis: AnalysisService) {}

  async run({ image_ids: imageIds }: AnalyzeBatchInput, context: TaskContext): Promise<HandlerResult> {
    const { id, type, version, parentId } = context.task;
    const lineage = { taskId: id, taskType: type, taskVersion: version, jobId: parentId ?? id };
    return { ...(await this.analysis.readBatch(imageIds, context, lineage)) };
  }
}
