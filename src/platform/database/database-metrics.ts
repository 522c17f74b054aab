import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Metrics } from '../metrics/metrics.js';
import { Scraped } from '../metrics/scraped.js';
import { clockSkewMs } from './clock-skew.js';
import { Database } from './database.js';
import { DEAD_ROWS, type DeadRows, type Holder, HOLDERS } from './vacuum.sql.js';

interface Health {
  readonly holders: readonly Holder[];
  readonly deadRows: readonly DeadRows[];
  readonly skewMs: number;
}

/**
 * How the database is, asked when somebody scrapes. While it does not answer, `photosafe_database_up` is 0 and the others
 * are absent.
 */
@Injectable()
export class DatabaseMetrics {
  private readonly health: Scraped<Health>;

  constructor(
    private readonly database: Database,
    private readonly metrics: Metrics,
  ) {
    this.health = new Scraped(() => this.look());
    this.gauge(['photosafe_database_up', 'Whether the database answered'], (health, show) => {
      show(health ? 1 : 0);
    });
    const oldest = 'How long the oldest transaction keeps dead rows from being removed';
    this.gauge(['photosafe_database_oldest_transaction_seconds', oldest], (health, show) => {
      if (health) show(Math.max(0, ...health.holders.map(({ seconds }) => seconds ?? 0)));
    });
    const held = 'Transactions since the oldest one whose dead rows must stay, by the kind of what holds them';
    this.gauge(['photosafe_database_held_back_transactions', held, 'holder'], (health, show) => {
      for (const { kind, transactions } of health?.holders ?? []) show(transactions, { holder: kind });
    });
    const dead = 'Rows that nobody sees any more and that still take room, as PostgreSQL estimates them';
    this.gauge(['photosafe_database_dead_rows', dead, 'table'], (health, show) => {
      for (const { table, dead: count } of health?.deadRows ?? []) show(count, { table });
    });
    const skew = 'How far the clock of this process is ahead of that of the database';
    this.gauge(['photosafe_clock_skew_seconds', skew], (health, show) => {
      if (health) show(health.skewMs / 1_000);
    });
  }

  private gauge(
    [name, help, ...labelNames]: [name: string, help: string, ...labels: string[]],
    read: (health: Health | undefined, show: (value: number, labels?: Record<string, string>) => void) => void,
  ): void {
    const { health } = this;
    new Gauge({
      ...{ name, help, labelNames, registers: [this.metrics.registry] },
      async collect() {
        const found = await health.ask();
        this.reset();
        if (labelNames.length === 0) this.remove(); // reset leaves a 0 where there are no labels
        read(found, (value, labels = {}) => {
          this.set(labels, value);
        });
      },
    });
  }

  private async look(): Promise<Health> {
    const skewMs = await clockSkewMs(this.database);
    const holders = await this.database.query<Holder>(HOLDERS);
    return { skewMs, holders, deadRows: await this.database.query<DeadRows>(DEAD_ROWS) };
  }
}
