import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import { EnginePool } from '../queue/engine-pool.js';
import { LOCK_LIMITS } from '../queue/lanes.sql.js';
import { Wakeup } from '../queue/wakeup.js';
import {
  AGE_LANES,
  MOVE_TO_LANES,
  NEXT_PASS,
  NOTE_SWEEP,
  SETTLE_LANES,
  TAKE_SWEEP,
  UNSETTLED_LANES,
} from './lane-mover.sql.js';
import { NEXT_REVISION } from './limits.sql.js';

/** Rows looked at in one transaction: a fraction of a second, in which those that are moved cannot be claimed. */
const BATCH = 5_000;
/** For so long a statement may be under way that looked up lanes before a new one was there. */
const STALE_MS = 5_000;

interface Moved {
  readonly sweptTo: string | null;
  readonly looked: number;
  readonly isClean: boolean;
  readonly queues: string[];
}

interface Done {
  readonly queues: readonly string[];
  readonly hasSettled: boolean;
  readonly hasMore: boolean;
}

/**
 * Brings the tasks of types that have just got lanes of their own into these: passes over all unfinished tasks, a batch at a
 * time, until no transaction can be left that added some to a queue's lane. Until then claims leave the types out of that.
 */
@Injectable()
export class LaneMover {
  constructor(
    private readonly pool: EnginePool,
    private readonly wakeup: Wakeup,
  ) {}

  /** Moves one batch. Gives whether there is more to do at once. */
  async move(): Promise<boolean> {
    const unsettled = await this.pool.prepared.query<{ type: string }>(UNSETTLED_LANES);
    if (unsettled.length === 0) return false;
    const types = unsettled.map(({ type }) => type);
    const done = await this.pool.transaction((sql) => moveBatch(sql, types));
    for (const queue of done.queues) this.wakeup.queued(queue);
    if (done.hasSettled) this.wakeup.limitsChanged();
    return done.hasMore;
  }
}

async function moveBatch(sql: Sql, types: readonly string[]): Promise<Done> {
  const nothing = { queues: [], hasSettled: false, hasMore: false };
  const [sweep] = await sql.query<{ sweptTo: string }>(TAKE_SWEEP);
  const [moved] = sweep ? await sql.query<Moved>(MOVE_TO_LANES, [types, sweep.sweptTo, BATCH]) : [];
  if (!moved) return nothing;
  const { queues, isClean, looked, sweptTo } = moved;
  if (looked === BATCH) {
    await sql.query(NOTE_SWEEP, [sweptTo, isClean]);
    return { queues, hasSettled: false, hasMore: true };
  }
  const settled = await sql.query(SETTLE_LANES, [isClean]);
  if (settled.length > 0) {
    await sql.query(LOCK_LIMITS);
    await sql.query(NEXT_REVISION);
  }
  await sql.query(AGE_LANES, [STALE_MS]);
  await sql.query(NEXT_PASS);
  return { queues, hasSettled: settled.length > 0, hasMore: false };
}
