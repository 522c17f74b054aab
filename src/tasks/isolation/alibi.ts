import { Injectable, Logger } from '@nestjs/common';
import { EnginePool } from '../queue/engine-pool.js';
import { LEASE_LOCK_CLASS } from '../queue/lease.sql.js';
import { Wakeup } from '../queue/wakeup.js';
import { AWAIT_RESCUE_LOCK, CLEAR_SUSPECTS, RETRACT_LOSS } from './isolation.sql.js';

/** What a worker held when it lost its lease, although its process was alive and awake all the while. */
export interface Held {
  readonly workerId: string;
  readonly tasks: readonly { readonly id: string; readonly fence: number }[];
}

/**
 * A process that lost its lease to a broken network or an absent database is the proof that its tasks have not killed it:
 * as soon as it can, it says so, and takes the suspicion from them.
 */
@Injectable()
export class Alibi {
  private readonly logger = new Logger(Alibi.name);

  constructor(
    private readonly pool: EnginePool,
    private readonly wakeup: Wakeup,
  ) {}

  async give({ workerId, tasks }: Held): Promise<void> {
    try {
      const cleared = await this.pool.transaction(async (sql) => {
        await sql.query(AWAIT_RESCUE_LOCK, [LEASE_LOCK_CLASS]);
        const losses = await sql.query(RETRACT_LOSS, [workerId]);
        if (losses.length === 0 || tasks.length === 0) return [];
        const values = [tasks.map(({ id }) => id), tasks.map(({ fence }) => fence)];
        return sql.query<{ queue: string }>(CLEAR_SUSPECTS, values);
      });
      for (const { queue } of cleared) this.wakeup.queued(queue);
    } catch (error) {
      this.logger.warn({
        message: 'could not clear tasks of suspicion; they run alone and clear themselves',
        err: error,
      });
    }
  }
}
