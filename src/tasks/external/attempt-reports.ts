import { Injectable, Logger } from '@nestjs/common';
import { Tracing } from '../../platform/tracing/tracing.js';
import type { WrittenOutcome } from '../worker/outcome-writer.js';
import { TaskMetrics } from '../worker/task-metrics.js';
import type { HeldAttempt } from './held-attempt.js';

/**
 * Tells metrics, traces and the log how attempts of external workers ended. Which process an attempt is claimed from is no
 * matter to the one that settles it: its span is made here, as of its beginning.
 */
@Injectable()
export class AttemptReports {
  private readonly logger = new Logger('ExternalSettler');

  constructor(
    private readonly metrics: TaskMetrics,
    private readonly tracing: Tracing,
  ) {}

  ended(held: HeldAttempt, { end: outcome, failure }: WrittenOutcome): void {
    const now = Date.now();
    const startedAt = new Date(Math.min(held.started_at.getTime(), now)); // of the database's clock
    const durationMs = now - startedAt.getTime();
    this.metrics.attemptEnded(held.type, outcome, durationMs);
    const { id: jobId, type: taskName, version: taskVersion, attempt, fence } = held;
    const fields = { outcome, jobId, taskName, taskVersion, attempt, fence };
    const { code: errorCode, category: errorCategory, message: errorMessage } = failure ?? {};
    const span = this.tracing.spans?.open({
      ...{ name: `run ${taskName}`, kind: 'consumer', parent: held.trace_parent, startedAt },
      attributes: { ...fields, queue: held.queue, workerId: held.worker_id, errorCode, errorCategory },
    });
    span?.end({}, errorMessage);
    const line = { message: 'attempt ended', ...fields, durationMs, ...span?.logFields };
    if (failure) this.logger.warn({ ...line, errorCode, errorCategory, errorMessage });
    else this.logger.log(line);
  }
}
