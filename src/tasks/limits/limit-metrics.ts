import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { BoundedLabel } from '../../platform/metrics/bounded-label.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import type { Refusal } from './allowance.js';
import { LimitsView } from './limits-view.js';

const MOST_NAMES = 200;

/** What limits do, for Prometheus. */
@Injectable()
export class LimitMetrics {
  private readonly names = new BoundedLabel(MOST_NAMES);
  private readonly refusals: Counter<'name' | 'because'>;
  private readonly turns: Counter<'type' | 'to'>;

  constructor({ registry }: Metrics, view: LimitsView) {
    const registers = [registry];
    const { names } = this;
    new Gauge({
      name: 'photosafe_paused',
      help: 'Queues and task types that somebody has paused, as this process knows it',
      labelNames: ['scope', 'name'],
      registers,
      collect() {
        this.reset();
        for (const { scope, name, pause } of [...view.current.queues.values(), ...view.current.types.values()]) {
          if (pause) this.set({ scope, name: names.of(name) }, 1);
        }
      },
    });
    this.refusals = new Counter({
      name: 'photosafe_claims_refused_total',
      help: 'Claims of this process that found tasks which limits did not let start: queue_full, type_full, rate, circuit',
      labelNames: ['name', 'because'],
      registers,
    });
    this.turns = new Counter({
      name: 'photosafe_circuits_turned_total',
      help: 'Circuits of task types that this process opened, or closed again',
      labelNames: ['type', 'to'],
      registers,
    });
  }

  refused(name: string, because: Refusal): void {
    this.refusals.inc({ name: this.names.of(name), because });
  }

  circuitTurned(type: string, to: 'open' | 'closed'): void {
    this.turns.inc({ type: this.names.of(type), to });
  }
}
