import { Injectable } from '@nestjs/common';
import { LaneMover } from '../limits/lane-mover.js';
import { CancelCascade } from '../queue/cancel-cascade.js';
import { NEXT_DUE, PROMOTE } from '../queue/claim.sql.js';
import { Deadlines } from '../queue/deadlines.js';
import { EnginePool } from '../queue/engine-pool.js';
import { Wakeup } from '../queue/wakeup.js';

const PROMOTE_BATCH = 5_000;
/** Batches one process does of each chore before it looks after workers again. */
const BATCHES_A_TICK = 20;

/** What time does to tasks that wait: their moment comes, or passes, their lane or their parent has changed. */
@Injectable()
export class QueueUpkeep {
  constructor(
    private readonly pool: EnginePool,
    private readonly wakeup: Wakeup,
    private readonly deadlines: Deadlines,
    private readonly mover: LaneMover,
    private readonly cascade: CancelCascade,
  ) {}

  /** Makes delayed tasks ready that are due; gives when the next one is, in milliseconds, if there is one. */
  async promote(): Promise<number | undefined> {
    const promoted = await this.pool.prepared.query<{ queue: string; count: number }>(PROMOTE, [PROMOTE_BATCH]);
    for (const { queue } of promoted) this.wakeup.queued(queue);
    const [next] = await this.pool.prepared.query<{ due_in_ms: number | null }>(NEXT_DUE);
    return next?.due_in_ms ?? undefined;
  }

  async endOverdue(): Promise<void> {
    for (let batch = 0; batch < BATCHES_A_TICK && (await this.deadlines.endOverdue()); batch += 1);
  }

  async moveToLanes(): Promise<void> {
    for (let batch = 0; batch < BATCHES_A_TICK && (await this.mover.move()); batch += 1);
  }

  /** In its own time. */
  goOnCancelling(): void {
    this.cascade.begin();
  }

  async stop(): Promise<void> {
    await this.cascade.stop();
  }
}
