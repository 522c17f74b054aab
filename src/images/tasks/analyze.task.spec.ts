import type { ChildResult, ChildrenSummary, TaskContext } from '../../tasks/index.js';
import { FanOut } from '../../tasks/index.js';
import type { AnalysisReportService } from '../analysis/analysis-report.service.js';
import type { IdentityService } from '../analysis/identity.service.js';
import type { ScannerService } from '../scan/scanner.service.js';
import { AnalyzeHandler } from './analyze.task.js';

const INPUT = { catalog_id: '0197c2a0-0000-7000-8000-000000000000' };
const SCAN = { found: 3, photos: 250 };

/** The handler with stand-ins that note what was asked of them. */
function aHandler(due: number): { handler: AnalyzeHandler; asked: string[] } {
  const asked: string[] = [];
  const note =
    <Result>(what: string, result: Result) =>
    (): Promise<Result> => {
      asked.push(what);
      return Promise.resolve(result);
    };
  const ids = Array.from({ length: due }, (_, number) => `id-${number}`);
  const scanner = { scan: note('scan', SCAN), markOutdated: note('outdated', undefined), dueImages: note('due', ids) };
  const identities = { settle: note('settle', undefined) };
  const reports = { report: (_catalog: string, _job: string, done: object) => Promise.resolve({ ...done }) };
  const handler = new AnalyzeHandler(
    scanner as unknown as ScannerService,
    identities as unknown as IdentityService,
    reports as unknown as AnalysisReportService,
  );
  return { handler, asked };
}

const context = { task: { id: 'job' }, checkpoint: SCAN } as unknown as TaskContext;

function childrenOf(results: readonly Partial<ChildResult>[]): ChildrenSummary {
  const by = (status: string): number => results.filter((result) => result.status === status).length;
  return {
    total: results.length,
    completed: by('completed'),
    failed: by('failed'),
    cancelled: by('cancelled'),
    async *results() {
      yield* results as ChildResult[];
      await Promise.resolve();
    },
  };
}

describe('the analysis', () => {
  it('ends at once, with identities settled, when there is nothing to read', async () => {
    const { handler, asked } = aHandler(0);
    expect(await handler.run(INPUT, context)).toEqual({ scan: SCAN, read: 0, analyzed: 0 });
    expect(asked).toEqual(['scan', 'outdated', 'due', 'settle']);
  });

  it('has what is due read in batches, each of which counts for its images', async () => {
    const { handler, asked } = aHandler(250);
    const fanOut = (await handler.run(INPUT, context)) as FanOut;
    expect(fanOut).toBeInstanceOf(FanOut);
    expect(fanOut.children.map(({ weight }) => weight)).toEqual([100, 100, 50]);
    expect(fanOut.options.checkpoint).toEqual(SCAN);
    expect(asked).not.toContain('settle');
  });

  it('settles identities when every batch has completed, and adds them up', async () => {
    const { handler, asked } = aHandler(0);
    const children = childrenOf([
      { status: 'completed', result: { read: 100, analyzed: 98 } },
      { status: 'completed', result: { read: 50, analyzed: 50 } },
    ]);
    expect(await handler.afterChildren(INPUT, context, children)).toEqual({ scan: SCAN, read: 150, analyzed: 148 });
    expect(asked).toEqual(['settle']);
  });

  it('fails when a batch has not, and leaves identities alone: what was not read may be what has moved', async () => {
    const { handler, asked } = aHandler(0);
    const children = childrenOf([{ status: 'completed', result: { read: 1, analyzed: 1 } }, { status: 'failed' }]);
    await expect(handler.afterChildren(INPUT, context, children)).rejects.toMatchObject({ code: 'batches_failed' });
    expect(asked).toEqual([]);
  });
});
