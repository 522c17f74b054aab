import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/metrics.js';
import { Scraped, scrapedGauge, type Show } from '../metrics/scraped.js';
import { clockSkewMs } from './clock-skew.js';
import { Database } from './database.js';
import { DEAD_ROWS, type DeadRows, type Holder, HOLDERS } from './vacuum.sql.js';

/**
 * How the database is, asked when somebody scrapes. While it does not answer, `photosafe_database_up` is 0 and the others
 * are absent.
 */
@Injectable()
export class DatabaseMetrics {
  constructor(
    private readonly database: Database,
    private readonly metrics: Metrics,
  ) {
    this.showClock();
    this.showVacuum();
  }

  private showClock(): void {
    const clock = new Scraped(() => clockSkewMs(this.database));
    this.gauge(['photosafe_database_up', 'Whether the database answered'], clock, (skewMs, show) => {
      show(skewMs === undefined ? 0 : 1);
    });
    const skew = 'How far the clock of this process is ahead of that of the database';
    this.gauge(['photosafe_clock_skew_seconds', skew], clock, (skewMs, show) => {
      if (skewMs !== undefined) show(skewMs / 1_000);
    });
  }

  private showVacuum(): void {
    const holders = new Scraped(() => this.database.query<Holder>(HOLDERS));
    const oldest = 'How long the oldest transaction keeps dead rows from being removed';
    this.gauge(['photosafe_database_oldest_transaction_seconds', oldest], holders, (found, show) => {
      if (found) show(Math.max(0, ...found.map(({ seconds }) => seconds ?? 0)));
    });
    const held = 'Transactions since the oldest one whose dead rows must stay, by the kind of what holds them';
    this.gauge(['photosafe_database_held_back_transactions', held, 'holder'], holders, (found, show) => {
      for (const { kind, transactions } of found ?? []) show(transactions, { holder: kind });
    });
    const tables = new Scraped(() => this.database.query<DeadRows>(DEAD_ROWS));
    const dead = 'Rows that nobody sees any more and that still take room, as PostgreSQL estimates them';
    this.gauge(['photosafe_database_dead_rows', dead, 'table'], tables, (found, show) => {
      for (const { table, dead: count } of found ?? []) show(count, { table });
    });
    const live = 'Rows that are there, as PostgreSQL estimates them';
    this.gauge(['photosafe_database_live_rows', live, 'table'], tables, (found, show) => {
      for (const { table, live: count } of found ?? []) show(count, { table });
    });
  }

  private gauge<Answer>(
    named: [name: string, help: string, ...labels: string[]],
    from: Scraped<Answer>,
    read: (answer: Answer | undefined, show: Show) => void,
  ): void {
    scrapedGauge(this.metrics, named, { from, read });
  }
}
