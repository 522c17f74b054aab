import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Database } from '../../platform/database/database.js';
import { MARK } from './trail.sql.js';
import { POSITION_LASTS_S } from './trail-reader.js';

/** Smaller makes more marks than readers use; of what happens in between, each page of a reader looks at all. */
const MARK_EVERY_MS = 1_000;

/** Marks how far the audit trail has come, so that readers can catch up in stretches. Every process tries, one succeeds. */
@Injectable()
export class TrailMarker implements OnModuleDestroy {
  private readonly logger = new Logger(TrailMarker.name);
  private marking: Promise<void> | undefined;
  private failing = false;
  private stopped = false;

  constructor(private readonly database: Database) {}

  @Interval('event marks', MARK_EVERY_MS)
  async heartbeat(): Promise<void> {
    if (this.stopped || this.marking) return;
    this.marking = this.mark().then(
      () => {
        this.failing = false;
      },
      (error: unknown) => {
        if (!this.failing) this.logger.warn({ message: 'the audit trail cannot be marked, trying again', err: error });
        this.failing = true;
      },
    );
    await this.marking;
    this.marking = undefined;
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    await this.marking;
  }

  /** Where nothing has happened since the last mark, or that is no older than `everyMs`, none is made. */
  async mark(everyMs = MARK_EVERY_MS): Promise<void> {
    await this.database.query(MARK, [everyMs, POSITION_LASTS_S]);
  }
}
