import { Injectable } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';
import { Metrics } from '../../platform/metrics/metrics.js';
import type { AttemptEnd } from './outcome-writer.js';

const SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200];

/** What the engine tells Prometheus. Labels are task types and ends: a bounded set. */
@Injectable()
export class TaskMetrics {
  private readonly started: Counter<'type'>;
  private readonly ended: Counter<'type' | 'outcome'>;
  private readonly seconds: Histogram<'type'>;
  private readonly waitSeconds: Histogram<'type'>;

  constructor(metrics: Metrics) {
    const registers = [metrics.registry];
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

  attemptStarted(type: string, waitedMs: number | undefined): void {
    this.started.inc({ type });
    if (waitedMs !== undefined) this.waitSeconds.observe({ type }, Math.max(0, waitedMs) / 1_000);
  }

  attemptEnded(type: string, outcome: AttemptEnd, ranMs: number): void {
    this.ended.inc({ type, outcome });
    this.seconds.observe({ type }, ranMs / 1_000);
  }
}
