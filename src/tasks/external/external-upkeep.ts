import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { EnginePool } from '../queue/engine-pool.js';
import { timeoutFailure } from '../worker/outcome-writer.js';
import { Rescuer } from '../worker/rescuer.js';
import { OVERDUE } from './external-attempts.sql.js';
import { ExternalSettler } from './external-settler.js';
import type { HeldAttempt } from './held-attempt.js';

/** How often attempts that take too long are looked for: one statement over what external workers hold. */
const TICK_MS = 1_000;
/** What a worker that was told to stop gets to do so. Smaller cuts off its cleaning up; larger keeps the task from ending. */
const STOP_GRACE_MS = 5_000;

/**
 * What a worker process does for its own attempts, the server does for external ones: it ends those that take too long or do
 * not stop when told to, and rescues those whose lease has run out. Every process that answers HTTP does it for all.
 */
@Injectable()
export class ExternalUpkeep implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ExternalUpkeep.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly pool: EnginePool,
    private readonly settler: ExternalSettler,
    private readonly rescuer: Rescuer,
  ) {}

  onApplicationBootstrap(): void {
    this.rescuer.start();
    this.next();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await Promise.all([this.running, this.rescuer.stop()]);
  }

  private next(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.endOverdue().then(() => {
        this.next();
      });
    }, TICK_MS);
  }

  private async endOverdue(): Promise<void> {
    try {
      const overdue = await this.pool.query<HeldAttempt>(OVERDUE, [STOP_GRACE_MS]);
      for (const held of overdue) {
        // A task that somebody wants cancelled ends so: fail() sees to it.
        await this.settler.fail(held, timeoutFailure(held.timeout_ms), 'engine');
      }
    } catch (error) {
      if (!this.stopped) this.logger.warn({ message: 'overdue attempts were not ended, trying again', err: error });
    }
  }
}
