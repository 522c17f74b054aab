import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** The part of a pg.Pool that is worth watching. */
export interface WatchedPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  /** A pool that has ended is shown no more. */
  readonly ended?: boolean;
}

/** Everything Prometheus sees. A registry of its own: two applications in one process (tests) do not clash. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly pools = new Map<string, WatchedPool>();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.poolGauge('connections', 'Open database connections of a pool', (pool) => pool.totalCount);
    this.poolGauge('connections_idle', 'Open database connections that nobody uses', (pool) => pool.idleCount);
    this.poolGauge('waiting', 'Callers that wait for a database connection', (pool) => pool.waitingCount);
  }

  /** Shows a pool under this name until it ends. */
  watchPool(name: string, pool: WatchedPool): void {
    this.pools.set(name, pool);
  }

  private poolGauge(name: string, help: string, read: (pool: WatchedPool) => number): void {
    const pools = this.pools;
    new Gauge({
      name: `photosafe_database_pool_${name}`,
      help,
      labelNames: ['pool'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [name, pool] of pools) {
          if (pool.ended) pools.delete(name);
          else this.set({ pool: name }, read(pool));
        }
      },
    });
  }
}
