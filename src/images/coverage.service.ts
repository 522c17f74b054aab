import { Injectable } from '@nestjs/common';
import { Settings } from '../platform/config/settings.js';
import { Database } from '../platform/database/database.js';
import { COVERAGE, FAILURES } from './coverage.sql.js';

/** How far one kind of metadata is, in images whose file is there. */
export interface KindCoverage {
  /** `checksum`, `metadata`, `dates`, `instants`, `camera`, `gps`, `geohash`, `thumbnails`. */
  readonly kind: string;
  /** Could have it. */
  readonly eligible: number;
  readonly done: number;
  /** Looked at: the file does not say. */
  readonly absent: number;
  /** Tried, with an error recorded. */
  readonly failed: number;
  /** Still to be looked at. */
  readonly gap: number;
  /** Of what is eligible, how much has been dealt with: done, absent or failed. Two digits, rounded down. */
  readonly percentage: number;
}

export interface FailureCount {
  readonly phase: string;
  readonly code: string;
  readonly count: number;
}

/** What is known of a catalogue's images, and what is missing. */
@Injectable()
export class CoverageService {
  constructor(
    private readonly database: Database,
    private readonly settings: Settings,
  ) {}

  async coverage(catalogId: string): Promise<KindCoverage[]> {
    const rows = await this.database.query<Omit<KindCoverage, 'gap' | 'percentage'>>(COVERAGE, [
      catalogId,
      this.settings.thumbnailSizes,
    ]);
    return rows.map((row) => {
      const dealtWith = Math.min(row.eligible, row.done + row.absent + row.failed);
      const percentage = row.eligible === 0 ? 100 : Math.floor((10_000 * dealtWith) / row.eligible) / 100;
      return { ...row, gap: row.eligible - dealtWith, percentage };
    });
  }

  failures(catalogId: string): Promise<FailureCount[]> {
    return this.database.query<FailureCount & Record<string, unknown>>(FAILURES, [catalogId]);
  }
}
