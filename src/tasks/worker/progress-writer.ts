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
  private stopped = false;

  constructor(
    private readonly workerId: string,
    private readonly pool: EnginePool,
  ) {}

  report(attempt: Attempt): void {
    if (this.stopped) return;
    this.changed.add(attempt);
    this.timer ??= setTimeout(() => void this.write(), INTERVAL_MS);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.changed.clear();
  }

  private async write(): Promise<void> {
    this.timer = undefined;
    const attempts = [...this.changed].filter((attempt) => !attempt.closed);
    this.changed.clear();
    if (attempts.length === 0) return;
    try {
      const written = await this.pool.byKey.query<{ id: string }>(WRITE_PROGRESS, [
        this.workerId,
        attempts.map((attempt) => attempt.row.id),
        attempts.map((attempt) => attempt.row.fence),
        attempts.map((attempt) => attempt.processed),
        attempts.map((attempt) => attempt.total ?? null),
      ]);
      const ids = new Set(written.map((row) => row.id));
      for (const attempt of attempts) if (!ids.has(attempt.row.id) && !attempt.closed) this.report(attempt);
    } catch (error) {
      this.logger.debug({ message: 'progress not written', err: error });
    }
  }
}
