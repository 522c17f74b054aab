import { setTimeout } from 'node:timers/promises';

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
