import type { OfflineReason } from '../roots/root.js';
import type { FolderListing, ScanProblem } from './walk-root.js';

/** What a scan found, as the analysis's checkpoint and result hold it. */
export interface ScanReport {
  /** Files of every kind; `photos` + `sidecars` + `ignored`. */
  readonly found: number;
  readonly photos: number;
  readonly sidecars: number;
  readonly ignored: number;
  /** Photos that are as they were when last seen. */
  readonly unchanged: number;
  readonly roots_offline: readonly {
    readonly path: string;
    readonly reason: OfflineReason;
    readonly message: string;
  }[];
  /** Folders and files that could not be looked at: the first of them. */
  readonly unreadable: readonly {
    readonly path: string;
    readonly code: ScanProblem['code'];
    readonly message: string;
  }[];
  readonly unreadable_total: number;
}

/** A result is read by people: more than so many would hide the rest of it. */
const PROBLEMS_NAMED = 50;

/** Adds up a {@link ScanReport}. */
export class ScanTally {
  private readonly counts = { found: 0, photos: 0, sidecars: 0, ignored: 0, unchanged: 0 };
  private readonly offline: ScanReport['roots_offline'][number][] = [];
  private readonly problems: ScanProblem[] = [];
  private problemCount = 0;

  listed({ photos, sidecars, ignored, problems }: FolderListing): void {
    this.counts.photos += photos.length;
    this.counts.sidecars += sidecars;
    this.counts.ignored += ignored;
    this.counts.found += photos.length + sidecars + ignored;
    this.problemCount += problems.length;
    this.problems.push(...problems.slice(0, PROBLEMS_NAMED - this.problems.length));
  }

  unchanged(count: number): void {
    this.counts.unchanged += count;
  }

  rootOffline(path: string, reason: OfflineReason, message: string): void {
    this.offline.push({ path, reason, message });
  }

  report(): ScanReport {
    return {
      ...this.counts,
      roots_offline: this.offline,
      unreadable: this.problems,
      unreadable_total: this.problemCount,
    };
  }
}
