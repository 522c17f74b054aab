import { setTimeout } from 'node:timers/promises';
import { Gauge } from 'prom-client';
import type { Metrics } from './metrics.js';

/** The gauges of a scrape, and the scrapes of several Prometheus servers, share an answer for so long. */
const FRESH_MS = 5_000;
/** Prometheus gives up on a scrape after ten seconds, and would lose the rest as well. */
const ANSWER_MS = 3_000;

/** What several gauges show and one look tells, taken when somebody scrapes. */
export class Scraped<Answer> {
  private asked: Promise<Answer | undefined> | undefined;
  private askedMs = -FRESH_MS;

  constructor(private readonly look: () => Promise<Answer>) {}

  /** Undefined when there is no answer in time: the other metrics are worth having all the more then. */
  ask(): Promise<Answer | undefined> {
    if (performance.now() - this.askedMs >= FRESH_MS) {
      this.askedMs = performance.now();
      this.asked = this.inTime();
    }
    return this.asked ?? Promise.resolve(undefined);
  }

  private async inTime(): Promise<Answer | undefined> {
    const answered = new AbortController();
    const { signal } = answered;
    const tooLong = setTimeout(ANSWER_MS, undefined, { signal, ref: false }).catch(() => undefined);
    try {
      return await Promise.race([this.look(), tooLong]);
    } catch {
      return undefined;
    } finally {
      answered.abort();
    }
  }
}

export type Show = (value: number, labels?: Record<string, string>) => void;

/** Shows what `read` makes of the answer, and nothing else: what it does not show is absent. */
export function scrapedGauge<Answer>(
  { registry }: Metrics,
  [name, help, ...labelNames]: [name: string, help: string, ...labels: string[]],
  { from, read }: { readonly from: Scraped<Answer>; readonly read: (answer: Answer | undefined, show: Show) => void },
): void {
  new Gauge({
    ...{ name, help, labelNames, registers: [registry] },
    async collect() {
      const answer = await from.ask();
      this.reset();
      if (labelNames.length === 0) this.remove(); // reset leaves a 0 where there are no labels
      read(answer, (value, labels = {}) => {
        this.set(labels, value);
      });
    },
  });
}
