import { IsBoolean, IsOptional, IsUUID } from 'class-validator';
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
import { AnalysisReportService, type WorkDone } from '../analysis/analysis-report.service.js';
import { IdentityService } from '../analysis/identity.service.js';
import type { ScanReport } from '../scan/scan-report.js';
import { type ScanContext, ScannerService } from '../scan/scanner.service.js';
import { analyzeBatch } from './analyze-batch.task.js';
import { inBatches } from './batches.js';

export class AnalyzeInput {
  /** The catalogue to bring up to date. */
  @IsUUID()
  catalog_id: string;

  /** Read every file again, not only what is new or has changed. */
  @IsOptional()
  @IsBoolean()
  force?: boolean;
}

/** Brings what the catalogue knows of its files up to date: finds what is new, changed, moved and missing, and reads it. */
export const analyze = defineTask({
  name: 'analyze',
  version: 1,
  title: 'Analyse photos',
  input: AnalyzeInput,
  retry: { attempts: 5, backoff: exponential({ firstMs: 5_000, maxMs: 300_000 }) },
  // The scan alone: a million files on a slow share take an hour. Shorter: large libraries never get through it.
  timeoutMs: 4 * 3_600_000,
  dedupKey: ({ catalog_id }) => catalog_id,
});

/** Files a batch: some seconds of work, so that progress moves and little is done again after a crash. */
const IMAGES_A_BATCH = 100;

@Handles(analyze)
export class AnalyzeHandler implements TaskHandler<typeof analyze> {
  constructor(
    private readonly scanner: ScannerService,
    private readonly identities: IdentityService,
    private readonly reports: AnalysisReportService,
  ) {}

  async run({ catalog_id: catalogId, force }: AnalyzeInput, context: TaskContext): Promise<HandlerResult> {
    const scanContext = contextOf(context);
    const scan = await this.scanner.scan(catalogId, scanContext);
    await this.scanner.markOutdated(catalogId, scanContext, { version: analyzeBatch.version, force: force ?? false });
    const due = await this.scanner.dueImages(catalogId);
    if (due.length === 0) return this.finish(catalogId, context, { scan, read: 0, analyzed: 0 });
    const batches = inBatches(due, IMAGES_A_BATCH).map((ids) => ({
      input: { catalog_id: catalogId, image_ids: ids },
      weight: ids.length,
    }));
    return fanOut(analyzeBatch, batches, { checkpoint: { ...scan } });
  }

  async afterChildren(
    { catalog_id: catalogId }: AnalyzeInput,
    context: TaskContext,
    children: ChildrenSummary,
  ): Promise<HandlerResult> {
    if (children.completed < children.total) {
      const message = `${children.total - children.completed} of ${children.total} batches did not complete; retry them`;
      throw new PermanentError('batches_failed', message);
    }
    let [read, analyzed] = [0, 0];
    for await (const { result } of children.results()) {
      const batch = result as { read: number; analyzed: number };
      read += batch.read;
      analyzed += batch.analyzed;
    }
    const scan = context.checkpoint as unknown as ScanReport;
    return this.finish(catalogId, context, { scan, read, analyzed });
  }

  private async finish(catalogId: string, context: TaskContext, done: WorkDone): Promise<HandlerResult> {
    await this.identities.settle(catalogId, context.task.id, context);
    return { ...(await this.reports.report(catalogId, context.task.id, done)) };
  }
}

const contextOf = (context: TaskContext): ScanContext => ({
  jobId: context.task.id,
  signal: context.signal,
  transaction: (work) => context.transaction(work),
});
