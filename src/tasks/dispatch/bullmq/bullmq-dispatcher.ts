import type { Degradations } from '../../../platform/health/degradations.js';
import type { EnginePool } from '../../queue/engine-pool.js';
import type { Wakeup } from '../../queue/wakeup.js';
import type { DispatchMetrics } from '../dispatch-metrics.js';
import { Dispatcher, type SourceOptions, type TaskSource } from '../dispatcher.js';
import { BullmqSource } from './bullmq-source.js';
import { Carried } from './carried.js';
import { Feeder } from './feeder.js';
import { RedisLink } from './redis-link.js';

export interface BullmqParts {
  readonly pool: EnginePool;
  readonly wakeup: Wakeup;
  readonly metrics: DispatchMetrics;
  readonly degradations: Degradations;
}

/** BullMQ on Redis carries the tasks. A process that works on none has nothing to do with Redis, whatever it enqueues. */
export class BullmqDispatcher extends Dispatcher {
  private readonly link: RedisLink;
  private readonly feeder: Feeder;
  private readonly carried: Carried;

  constructor(
    private readonly parts: BullmqParts,
    redis: { readonly url: string; readonly prefix: string },
  ) {
    super();
    const { pool, wakeup, metrics, degradations } = parts;
    const onChange = (up: boolean, reason: string): void => {
      metrics.fallback.set(up ? 0 : 1);
      if (up) degradations.end('redis');
      else degradations.begin('redis', `workers take their tasks from PostgreSQL meanwhile: ${reason}`);
    };
    this.link = new RedisLink({ ...redis, onChange });
    this.carried = new Carried(pool);
    this.feeder = new Feeder(pool, wakeup, this.link, this.carried, metrics);
  }

  source(options: SourceOptions): TaskSource {
    const { pool, metrics } = this.parts;
    if (!this.link.session) metrics.fallback.set(1); // until it is there
    this.link.start();
    this.feeder.start();
    return new BullmqSource({ pool, metrics, link: this.link, carried: this.carried }, options);
  }

  /** After the worker has handed back what it had. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.feeder.stop();
    await this.link.close();
  }
}
