import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { BoundedLabel } from '../../platform/metrics/bounded-label.js';
import { Metrics } from '../../platform/metrics/metrics.js';

/** What isolation tells Prometheus. */
@Injectable()
export class IsolationMetrics {
  readonly suspects: Gauge;
  readonly workersLost: Counter;
  readonly rescued: Counter;
  readonly quarantined: Counter<'type'>;
  /** Values of the label `type`. */
  readonly types = new BoundedLabel(200);

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.suspects = new Gauge({
      name: 'photosafe_task_suspects',
      help: 'Tasks that were running when a worker was lost, and wait to run alone',
      registers,
    });
    this.workersLost = new Counter({
      name: 'photosafe_workers_lost_total',
      help: 'Workers that this process found dead or silent',
      registers,
    });
    this.rescued = new Counter({
      name: 'photosafe_tasks_rescued_total',
      help: 'Tasks that this process took back from lost workers',
      registers,
    });
    this.quarantined = new Counter({
      name: 'photosafe_tasks_quarantined_total',
      help: 'Tasks that killed their process again and again while they ran alone',
      labelNames: ['type'],
      registers,
    });
  }
}
