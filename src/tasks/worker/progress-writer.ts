import { Logger } from '@nestjs/common';
import type { EnginePool } from '../queue/engine-pool.js';
import { WRITE_PROGRESS } from '../queue/settle.sql.js';
import type { Attempt } from './attempt.js';

/** One write a second for all tasks together, however often handlers report. */
const INTERVAL_MS = 1_000;

/** Throttles and batches the progress of one worker's attempts. Progress is news, not truth: a failed write is dropped. */
export class ProgressWriter {
  private readonly logger = new Logger(ProgressWriter.name);
  private readonly changed = new Set<Attempt>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly workerId: string,
    private readonly pool: EnginePool,
  ) {}

  report(attempt: Attempt): void {
    this.changed.add(attempt);
    this.timer ??= setTimeout(() => void this.write(), INTERVAL_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.changed.clear();
  }

  private async write(): Promise<void> {
    this.timer = undefined;
    const attempts = [...this.changed].filter((attempt) => !attempt.closed);
    this.changed.clear();
    if (attempts.length === 0) return;
    try {
      await this.pool.query(WRITE_PROGRESS, [
        this.workerId,
        attempts.map((attempt) => attempt.row.id),
        attempts.map((attempt) => attempt.row.fence),
        attempts.map((attempt) => attempt.processed),
        attempts.map((attempt) => attempt.total ?? null),
      ]);
    } catch (error) {
      this.logger.debug({ message: 'progress not written', err: error });
    }
  }
}
