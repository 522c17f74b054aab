import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Metrics } from '../../platform/metrics/metrics.js';

/** What Prometheus sees of a broker's dispatch. Without a broker all of it stays 0. */
@Injectable()
export class DispatchMetrics {
  readonly offered: Counter;
  readonly claimed: Counter<'via'>;
  readonly dropped: Counter;
  readonly sweeps: Counter;
  readonly fallback: Gauge;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.offered = new Counter({
      name: 'photosafe_dispatch_offered_total',
      help: 'Ready tasks that were given to Redis to carry',
      registers,
    });
    this.claimed = new Counter({
      name: 'photosafe_dispatch_claimed_total',
      help: 'Tasks claimed by a process whose dispatch is Redis, by what brought them: redis, postgres',
      labelNames: ['via'],
      registers,
    });
    this.dropped = new Counter({
      name: 'photosafe_dispatch_dropped_total',
      help: 'What Redis handed out and was no ready task: ended, cancelled or claimed meanwhile, or never one of ours',
      registers,
    });
    this.sweeps = new Counter({
      name: 'photosafe_dispatch_sweeps_total',
      help: 'How often the line of ready tasks of a queue was compared with what Redis knows',
      registers,
    });
    this.fallback = new Gauge({
      name: 'photosafe_dispatch_fallback',
      help: '1 while Redis should carry tasks and PostgreSQL does it in its place',
      registers,
    });
  }
}
