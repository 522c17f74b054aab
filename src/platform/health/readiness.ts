import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../database/database.js';
import { migrationState } from '../database/migrate.js';

/** Longer than any healthy answer takes, and well within the timeout of those who ask. */
const PROBE_TIMEOUT_MS = 1_500;

export interface ReadinessReport {
  readonly ready: boolean;
  /** Why not. */
  readonly reason?: string;
}

const READY: ReadinessReport = { ready: true };

/** Whether this process can serve now. Asked anew each time, so that it recovers by itself when the cause is gone. */
@Injectable()
export class Readiness {
  private readonly logger = new Logger(Readiness.name);
  private stopping = false;
  /** The schema was seen to be complete since the database last was away: a restore may have brought back an older one. */
  private migrated = false;
  private probe: Promise<ReadinessReport> | undefined;
  private last = READY;

  constructor(private readonly database: Database) {}

  /** From now on never ready again: load balancers look elsewhere while the running requests end. */
  stop(): void {
    this.stopping = true;
  }

  async report(): Promise<ReadinessReport> {
    if (this.stopping) return { ready: false, reason: 'shutting down' };
    // A database that hangs is asked once, however many ask us.
    this.probe ??= this.askDatabase().finally(() => (this.probe = undefined));
    const report = await within(PROBE_TIMEOUT_MS, this.probe);
    if (report.ready !== this.last.ready) this.logChange(report);
    this.last = report;
    return report;
  }

  private async askDatabase(): Promise<ReadinessReport> {
    try {
      await this.database.query('SELECT 1');
      if (this.migrated) return READY;
      const { pending } = await migrationState(this.database.url);
      this.migrated = pending.length === 0;
      return this.migrated ? READY : { ready: false, reason: `migrations are missing: ${pending.join(', ')}` };
    } catch (error) {
      this.migrated = false;
      return { ready: false, reason: `the database does not answer: ${messageOf(error)}` };
    }
  }

  private logChange(report: ReadinessReport): void {
    if (report.ready) this.logger.log({ message: 'ready again' });
    else this.logger.warn({ message: 'not ready', reason: report.reason });
  }
}

function within(timeoutMs: number, probe: Promise<ReadinessReport>): Promise<ReadinessReport> {
  return new Promise((resolve) => {
    const late: ReadinessReport = { ready: false, reason: `the database does not answer within ${timeoutMs} ms` };
    const timer = setTimeout(() => {
      resolve(late);
    }, timeoutMs);
    void probe.then((report) => {
      clearTimeout(timer);
      resolve(report);
    });
  });
}

/** Node leaves the message empty when it tried several addresses. */
const messageOf = (error: unknown): string =>
  error instanceof Error && error.message !== '' ? error.message : 'no connection';
