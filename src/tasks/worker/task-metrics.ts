import { Injectable } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';
import { BoundedLabel } from '../../platform/metrics/bounded-label.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import type { AttemptEnd } from './outcome-writer.js';

const SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200];

/** Own types are a few dozen; what is declared for external workers may be any number. */
const MOST_TYPES = 200;

/** What the engine tells Prometheus. Labels are task types, the first 200 a process meets, and ends. */
@Injectable()
export class TaskMetrics {
  private readonly enqueued: Counter<'type'>;
  private readonly started: Counter<'type'>;
  private readonly ended: Counter<'type' | 'outcome'>;
  private readonly seconds: Histogram<'type'>;
  private readonly waitSeconds: Histogram<'type'>;
  private readonly types = new BoundedLabel(MOST_TYPES);
  private readonly series = new Map<string, SeriesOfType>();

  constructor(metrics: Metrics) {
    const registers = [metrics.registry];
    this.enqueued = new Counter({
      name: 'photosafe_tasks_enqueued_total',
      help: 'Tasks that were asked for and did not exist yet; without the batches that tasks split into, follow-ups and nodes of workflows',
      labelNames: ['type'],
      registers,
    });
    this.started = new Counter({
      name: 'photosafe_task_attempts_started_total',
      help: 'Attempts started',
      labelNames: ['type'],
      registers,
    });
    this.ended = new Counter({
      name: 'photosafe_task_attempts_ended_total',
      help: 'Attempts ended: completed, failed, cancelled, retry, released, waiting (for children), lost',
      labelNames: ['type', 'outcome'],
      registers,
    });
    this.seconds = new Histogram({
      name: 'photosafe_task_attempt_seconds',
      help: 'How long attempts ran',
      labelNames: ['type'],
      buckets: SECONDS,
      registers,
    });
    this.waitSeconds = new Histogram({
      name: 'photosafe_task_wait_seconds',
      help: 'From queued to started',
      labelNames: ['type'],
      buckets: SECONDS,
      registers,
    });
  }

  tasksEnqueued(type: string, count: number): void {
    if (count > 0) this.enqueued.inc({ type: this.types.of(type) }, count);
  }

  attemptStarted(type: string, waitedSeconds: number | null): void {
    const of = this.of(this.types.of(type));
    of.started.inc();
    if (waitedSeconds !== null) of.waitSeconds.observe(Math.max(0, waitedSeconds));
  }

  attemptEnded(type: string, outcome: AttemptEnd, ranMs: number): void {
    const label = this.types.of(type);
    const of = this.of(label);
    of.ended[outcome] ??= this.ended.labels(label, outcome);
    of.ended[outcome].inc();
    of.seconds.observe(ranMs / 1_000);
  }

  /** A type's own series, looked up once: finding them by their labels costs more than counting. */
  private of(type: string): SeriesOfType {
    let series = this.series.get(type);
    if (!series) {
      series = {
        started: this.started.labels(type),
        waitSeconds: this.waitSeconds.labels(type),
        seconds: this.seconds.labels(type),
        ended: {},
      };
      this.series.set(type, series);
    }
    return series;
  }
}

interface SeriesOfType {
  readonly started: Counter.Internal;
  readonly waitSeconds: Histogram.Internal<'type'>;
  readonly seconds: Histogram.Internal<'type'>;
  readonly ended: Partial<Record<AttemptEnd, Counter.Internal>>;
}
