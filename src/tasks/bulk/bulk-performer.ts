import { Injectable } from '@nestjs/common';
import { sqlState } from '../../platform/database/sql-state.js';
import type { Sql } from '../../platform/database/transaction.js';
import { Settings } from '../../platform/config/settings.js';
import { Tracing } from '../../platform/tracing/tracing.js';
import { Canceller } from '../queue/canceller.js';
import { EnginePool } from '../queue/engine-pool.js';
import { MOVE_TRACE, REVIVE } from '../queue/rerun.sql.js';
import { Wakeup } from '../queue/wakeup.js';
import { HOLD_WORKFLOWS_OF_TASKS } from '../workflows/advance.sql.js';
import type { TaskStatus } from '../task-state.js';
import type { BulkAction } from './bulk.js';
import {
  CHUNK_OF_BULK,
  COUNT_CHANGED,
  DELETE_TASKS,
  GONE,
  HOLD_BULK,
  NEXT_CHUNK,
  STILL_LIVE,
  STILL_RETRYABLE,
} from './bulk.sql.js';
import { deleteBelow } from './delete-below.js';
import { nodesAhead } from './nodes-ahead.js';

interface Chunk {
  readonly action: BulkAction;
  readonly statuses: readonly TaskStatus[];
  readonly planned_by: string;
  readonly position: number;
  readonly task_ids: readonly string[];
}

interface Done {
  readonly changed: number;
  /** Tells workers, once it is committed. */
  readonly announce: () => void;
}

const UNIQUE_VIOLATION = '23505';
/** A dedup key may be taken between being looked at and being taken: then look again. */
const DEDUP_ROUNDS = 5;

/**
 * Carries out a confirmed operation, one chunk a transaction. Whoever goes on after a crash, or beside another process,
 * does what is left: a chunk's changes and the note that it is done are committed together.
 */
@Injectable()
export class BulkPerformer {
  constructor(
    private readonly pool: EnginePool,
    private readonly canceller: Canceller,
    private readonly wakeup: Wakeup,
    private readonly settings: Settings,
    private readonly tracing: Tracing,
  ) {}

  /** Does the next chunk; false when there is none. */
  async step(id: string): Promise<boolean> {
    for (let round = 1; ; round += 1) {
      try {
        return await this.chunk(id);
      } catch (error) {
        if (sqlState(error) !== UNIQUE_VIOLATION || round === DEDUP_ROUNDS) throw error;
      }
    }
  }

  private async chunk(id: string): Promise<boolean> {
    const done = await this.pool.transaction(async (sql) => {
      const chunk = await holdChunk(sql, id);
      if (!chunk) return undefined;
      const acted = await this.act(sql, id, chunk);
      await sql.query(COUNT_CHANGED, [id, acted.changed]);
      if (chunk.action !== 'delete') await finishChunk(sql, id, chunk);
      return { chunk, acted };
    });
    if (!done) return false;
    done.acted.announce();
    if (done.chunk.action === 'delete') {
      // The batches go after their tasks, which nobody can bring back any more, and before the chunk counts as done.
      const gone = await this.pool.query<{ id: string }>(GONE, [done.chunk.task_ids]);
      await deleteBelow(
        this.pool,
        gone.map((row) => row.id),
      );
      await finishChunk(this.pool, id, done.chunk);
    }
    return true;
  }

  private act(sql: Sql, bulkId: string, chunk: Chunk): Promise<Done> {
    switch (chunk.action) {
      case 'cancel':
        return this.cancel(sql, bulkId, chunk);
      case 'retry':
        return this.retry(sql, chunk);
      case 'delete':
        return deleteTasks(sql, chunk);
    }
  }

  private async cancel(sql: Sql, bulkId: string, chunk: Chunk): Promise<Done> {
    const { task_ids: ids, statuses, position, planned_by: actor } = chunk;
    const still = (await sql.query<{ id: string }>(STILL_LIVE, [ids, statuses])).map((row) => row.id);
    if (still.length === 0) return NOTHING;
    await sql.query(HOLD_WORKFLOWS_OF_TASKS, [still]);
    const wanted = [...still, ...(await nodesAhead(sql, still, { bulkId, position, statuses }))];
    const cancelled = await this.canceller.cancelWithin(sql, wanted, actor);
    const reached = new Set([...cancelled.ended, ...cancelled.asked]);
    return {
      changed: wanted.filter((id) => reached.has(id)).length,
      announce: () => {
        this.canceller.announce(cancelled);
      },
    };
  }

  private async retry(sql: Sql, { task_ids: ids, statuses, planned_by: actor }: Chunk): Promise<Done> {
    const still = (await sql.query<{ id: string }>(STILL_RETRYABLE, [ids, statuses])).map((row) => row.id);
    if (still.length === 0) return NOTHING;
    const revived = await sql.query<{ queue: string }>(REVIVE, [
      ...[still, actor, false, 'retry'],
      this.settings.prioritySeconds,
    ]);
    const traceParent = this.tracing.spans?.active();
    if (traceParent !== undefined) await sql.query(MOVE_TRACE, [still, traceParent]);
    const queues = new Set(revived.map((row) => row.queue));
    return {
      changed: revived.length,
      announce: () => {
        for (const queue of queues) this.wakeup.queued(queue);
      },
    };
  }
}

const NOTHING: Done = { changed: 0, announce: () => undefined };

async function deleteTasks(sql: Sql, { task_ids: ids, statuses }: Chunk): Promise<Done> {
  const gone = await sql.query(DELETE_TASKS, [ids, statuses]);
  return { ...NOTHING, changed: gone.length };
}

async function holdChunk(sql: Sql, id: string): Promise<Chunk | undefined> {
  const [bulk] = await sql.query<Omit<Chunk, 'task_ids'>>(HOLD_BULK, [id]);
  const [chunk] = bulk ? await sql.query<Pick<Chunk, 'task_ids'>>(CHUNK_OF_BULK, [id, bulk.position]) : [];
  return bulk && chunk && { ...bulk, ...chunk };
}

async function finishChunk(sql: Sql, id: string, { position, task_ids: ids }: Chunk): Promise<void> {
  await sql.query(NEXT_CHUNK, [id, position, ids.length]);
}
