import { Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseServer } from '../database-server.js';
import { EmbeddedPostgres } from './embedded-postgres.js';

/** Between two attempts to bring the server back: from the first to the second value, doubling. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** A server that stays up for this long is a healthy one; one that goes sooner is brought back ever more slowly. */
const HEALTHY_AFTER_MS = 10_000;

/** The server of {@link EmbeddedPostgres} as this process sees it: brought back whenever it goes away. */
export class EmbeddedServer extends DatabaseServer {
  readonly description: string;
  private readonly logger = new Logger(EmbeddedServer.name);
  private readonly postgres: EmbeddedPostgres;
  private readonly closing = new AbortController();
  private pauseMs = FIRST_PAUSE_MS;
  private upSince = 0;

  constructor(options: { dataDir: string; database: string; settings?: Record<string, string> }) {
    super();
    this.description = `embedded PostgreSQL in ${options.dataDir}`;
    this.postgres = new EmbeddedPostgres({
      ...options,
      onLost: () => void this.bringBack(),
      onMoved: (home, becauseOf) => {
        this.logger.warn({
          message: 'the embedded PostgreSQL is kept outside of the data folder, which its user cannot reach',
          home,
          closedFolder: becauseOf,
        });
      },
    });
  }

  async url(): Promise<string> {
    const url = await this.postgres.ensure();
    this.upSince ||= Date.now();
    return url;
  }

  async release(): Promise<void> {
    this.closing.abort();
    await this.postgres.release();
  }

  private async bringBack(): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.pauseMs = Date.now() - this.upSince > HEALTHY_AFTER_MS ? FIRST_PAUSE_MS : this.nextPause();
    this.upSince = 0;
    this.logger.warn({ message: 'the embedded PostgreSQL went away; bringing it back' });
    const since = Date.now();
    while (await this.pause()) {
      try {
        await this.url();
        this.logger.log({ message: 'the embedded PostgreSQL is back', afterMs: Date.now() - since });
        return;
      } catch (error) {
        this.logger.error({ message: 'the embedded PostgreSQL could not be brought back yet', error });
        this.pauseMs = this.nextPause();
      }
    }
  }

  /**
   * Of a random length: several processes notice at the same moment, and most of them should then find it started.
   * False when this process is closing.
   */
  private async pause(): Promise<boolean> {
    const options = { signal: this.closing.signal, ref: false };
    return sleep(this.pauseMs * Math.random(), true, options).catch(() => false);
  }

  private nextPause(): number {
    return Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
