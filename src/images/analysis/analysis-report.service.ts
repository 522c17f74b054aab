import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { ProblemPhase } from '../problems.repository.js';
import type { ScanReport } from '../scan/scan-report.js';
import { CHANGES_BY, PROBLEM_COUNTS, STANDING } from './analysis-report.sql.js';

/** How many images have each problem, by code, most frequent first. */
export type CountsByCode = Readonly<Record<string, number>>;

/** An analysis's result. Counts are of photos unless they say otherwise. */
export interface AnalysisReport extends ScanReport {
  readonly new: number;
  readonly changed: number;
  readonly moved: number;
  readonly restored: number;
  readonly missing: number;
  /** Whose file this job has read. */
  readonly read: number;
  /** Of those, without an error. */
  readonly analyzed: number;
  /** That have an error recorded now, whichever job found it: after a first analysis, analyzed + failed = photos. */
  readonly failed: number;
  /** That are offline now. */
  readonly offline: number;
  readonly errors: CountsByCode;
  readonly warnings: CountsByCode;
  /** Nothing had changed: this job has written nothing. */
  readonly up_to_date: boolean;
  readonly message: string;
}

/** What an analysis has done, as far as its rows do not tell. */
export interface WorkDone {
  readonly scan: ScanReport;
  readonly read: number;
  readonly analyzed: number;
}

const CHANGES = ['new', 'changed', 'moved', 'restored', 'missing'] as const;
type Change = (typeof CHANGES)[number];

/** Adds up what an analysis has come to; from rows, so that it holds whatever interruptions there were. */
@Injectable()
export class AnalysisReportService {
  constructor(private readonly database: Database) {}

  async report(catalogId: string, jobId: string, { scan, read, analyzed }: WorkDone): Promise<AnalysisReport> {
    const rows = await this.database.query<{ change: string; count: number }>(CHANGES_BY, [jobId, catalogId]);
    const changes = new Map(rows.map(({ change, count }) => [change, count]));
    const [standing] = await this.database.query<{ offline: number; failed: number }>(STANDING, [catalogId]);
    const counts = Object.fromEntries(CHANGES.map((change) => [change, changes.get(change) ?? 0])) as Record<
      Change,
      number
    >;
    return {
      ...scan,
      ...counts,
      read,
      analyzed,
      failed: standing?.failed ?? 0,
      offline: standing?.offline ?? 0,
      ...(await this.problems(catalogId, 'analyze')),
      up_to_date: read === 0 && changes.size === 0,
      message: messageOf(scan, changes, read),
    };
  }

  /** What one phase found wrong with the images whose file is there. */
  async problems(catalogId: string, phase: ProblemPhase): Promise<{ errors: CountsByCode; warnings: CountsByCode }> {
    const count = async (severity: 'error' | 'warning'): Promise<CountsByCode> => {
      const rows = await this.database.query<{ code: string; count: number }>(PROBLEM_COUNTS, [
        catalogId,
        phase,
        severity,
      ]);
      return Object.fromEntries(rows.map(({ code, count: images }) => [code, images]));
    };
    return { errors: await count('error'), warnings: await count('warning') };
  }
}

function messageOf(
  { photos, roots_offline: offline }: ScanReport,
  changes: ReadonlyMap<string, number>,
  read: number,
): string {
  const unreachable = offline.length === 0 ? '' : ` Offline: ${offline.map(({ path }) => path).join(', ')}.`;
  if (read === 0 && changes.size === 0) {
    return `Nothing has changed since the last analysis: ${photos} photos.${unreachable}`;
  }
  const parts = [...changes].map(([change, count]) => `${count} ${change}`);
  const what = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
  return `${photos} photos found, ${read} read${what}.${unreachable}`;
}
