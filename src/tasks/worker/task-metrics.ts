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
    const { series } = this;
    new Counter({
      name: 'photosafe_task_attempts_started_total',
      help: 'Attempts started',
      labelNames: ['type'],
      registers,
      collect() {
        for (const [type, of] of series) {
          this.inc({ type }, of.started);
          of.started = 0;
        }
      },
    });
    new Counter({
      name: 'photosafe_task_attempts_ended_total',
      help: 'Attempts ended: completed, failed, cancelled, retry, released, parked, waiting (for children), lost',
      labelNames: ['type', 'outcome'],
      registers,
      collect() {
        for (const [type, { ended }] of series) {
          for (const [outcome, count] of ended) this.inc({ type, outcome }, count);
          ended.clear();
        }
      },
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
    of.started += 1;
    if (waitedSeconds !== null) of.waitSeconds.observe(Math.max(0, waitedSeconds));
  }

  attemptEnded(type: string, outcome: AttemptEnd, ranMs: number): void {
    const of = this.of(this.types.of(type));
    of.ended.set(outcome, (of.ended.get(outcome) ?? 0) + 1);
    of.seconds.observe(ranMs / 1_000);
  }

  /** A type's own series, looked up once: finding them by their labels costs more than counting. */
  private of(type: string): SeriesOfType {
    let series = this.series.get(type);
    if (!series) {
      const waitSeconds = this.waitSeconds.labels(type);
      series = { waitSeconds, seconds: this.seconds.labels(type), started: 0, ended: new Map() };
      this.series.set(type, series);
    }
    return series;
  }
}

/** Attempts are counted here, and handed over when somebody asks. */
interface SeriesOfType {
  readonly waitSeconds: Histogram.Internal<'type'>;
  readonly seconds: Histogram.Internal<'type'>;
  started: number;
  readonly ended: Map<AttemptEnd, number>;
}
