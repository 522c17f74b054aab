import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { Scraped, scrapedGauge } from '../../platform/metrics/scraped.js';
import { BACKLOG } from './backlog.sql.js';

/** Counting stops here: a scrape costs the same beside a million tasks. */
const MOST_COUNTED = 10_000;

interface BacklogRow {
  readonly what: 'ready' | 'running' | 'delayed';
  readonly queue: string | null;
  readonly count: number;
  readonly oldest_seconds: number | null;
}

/**
 * What is in the database, asked when somebody scrapes. Every process that is scraped shows the same: take `max`, not
 * `sum`, over processes. While the database does not answer, they are absent.
 */
@Injectable()
export class BacklogMetrics {
  constructor(database: Database, metrics: Metrics) {
    const from = new Scraped(() => database.query<BacklogRow>(BACKLOG, [MOST_COUNTED]));
    const gauge = (
      [what, name, help]: [BacklogRow['what'], string, string],
      value: (row: BacklogRow) => number,
    ): void => {
      const labels = what === 'ready' ? ['queue'] : [];
      scrapedGauge(metrics, [name, help, ...labels], {
        from,
        read: (rows, show) => {
          for (const row of rows ?? [])
            if (row.what === what) show(value(row), row.queue === null ? {} : { queue: row.queue });
        },
      });
    };
    gauge(['ready', 'photosafe_tasks_ready', 'Tasks that any worker may start now, up to 10000'], ({ count }) => count);
    const oldest = 'How long the longest of the next 10000 ready tasks has waited';
    gauge(['ready', 'photosafe_tasks_ready_oldest_seconds', oldest], (row) => row.oldest_seconds ?? 0);
    gauge(['running', 'photosafe_tasks_running', 'Tasks that workers hold, up to 10000'], ({ count }) => count);
    gauge(['delayed', 'photosafe_tasks_delayed', 'Tasks whose time has not come, up to 10000'], ({ count }) => count);
  }
}
