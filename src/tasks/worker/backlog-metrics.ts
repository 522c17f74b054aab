import { Injectable } from '@nestjs/common';
import { setTimeout } from 'node:timers/promises';
import { Gauge } from 'prom-client';
import { Database } from '../../platform/database/database.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { BACKLOG } from './backlog.sql.js';

/** Counting stops here: a scrape costs the same beside a million tasks. */
const MOST_COUNTED = 10_000;
/** The gauges of a scrape, and the scrapes of several Prometheus servers, share an answer for so long. */
const FRESH_MS = 5_000;
/** Prometheus gives up on a scrape after ten seconds, and would lose the rest as well. */
const ANSWER_MS = 3_000;

interface BacklogRow {
  readonly what: 'ready' | 'running' | 'delayed';
  readonly queue: string | null;
  readonly count: number;
  readonly oldest_seconds: number | null;
}

/**
 * What is in the database, asked when somebody scrapes. Every process that is scraped shows the same: take `max`, not
 * `sum`, over processes. While the database does not answer, `photosafe_database_up` is 0 and the others are absent.
 */
@Injectable()
export class BacklogMetrics {
  private asked: Promise<readonly BacklogRow[] | undefined> | undefined;
  private askedMs = -FRESH_MS;

  constructor(
    private readonly database: Database,
    { registry }: Metrics,
  ) {
    const registers = [registry];
    const ask = (): Promise<readonly BacklogRow[] | undefined> => this.ask();
    const gauge = (
      [what, name, help]: [BacklogRow['what'], string, string],
      read: (row: BacklogRow) => number,
    ): void => {
      new Gauge({
        ...{ name, help, registers },
        labelNames: what === 'ready' ? ['queue'] : [],
        async collect() {
          const rows = (await ask())?.filter((row) => row.what === what);
          this.reset();
          if (rows === undefined && what !== 'ready') this.remove(); // reset leaves a 0 where there are no labels
          for (const row of rows ?? []) this.set(row.queue === null ? {} : { queue: row.queue }, read(row));
        },
      });
    };
    gauge(['ready', 'photosafe_tasks_ready', 'Tasks that any worker may start now, up to 10000'], ({ count }) => count);
    const oldest = 'How long the longest of the next 10000 ready tasks has waited';
    gauge(['ready', 'photosafe_tasks_ready_oldest_seconds', oldest], (row) => row.oldest_seconds ?? 0);
    gauge(['running', 'photosafe_tasks_running', 'Tasks that workers hold, up to 10000'], ({ count }) => count);
    gauge(['delayed', 'photosafe_tasks_delayed', 'Tasks whose time has not come, up to 10000'], ({ count }) => count);
    new Gauge({
      name: 'photosafe_database_up',
      help: 'Whether the database answered',
      registers,
      async collect() {
        this.set((await ask()) === undefined ? 0 : 1);
      },
    });
  }

  /** Undefined when the database does not answer: the other metrics are worth having all the more then. */
  private ask(): Promise<readonly BacklogRow[] | undefined> {
    if (performance.now() - this.askedMs >= FRESH_MS) {
      this.askedMs = performance.now();
      this.asked = this.look();
    }
    return this.asked ?? Promise.resolve(undefined);
  }

  private async look(): Promise<readonly BacklogRow[] | undefined> {
    const answered = new AbortController();
    const { signal } = answered;
    const tooLong = setTimeout(ANSWER_MS, undefined, { signal, ref: false }).catch(() => undefined);
    try {
      return await Promise.race([this.database.query<BacklogRow>(BACKLOG, [MOST_COUNTED]), tooLong]);
    } catch {
      return undefined;
    } finally {
      answered.abort();
    }
  }
}
