import { Injectable, Logger } from '@nestjs/common';
import { WorkflowAdvancer } from '../workflows/workflow-advancer.js';
import { END_OVERDUE, OVERDUE_TASKS } from './deadlines.sql.js';
import { EnginePool } from './engine-pool.js';
import { type EndedChild, Settlement } from './settlement.js';
import { Wakeup } from './wakeup.js';

/** Ended in one transaction, with what hangs on them. */
const BATCH = 500;

/** Fails tasks that were to have started by a time that has passed. Claims do not take them, so none starts late. */
@Injectable()
export class Deadlines {
  private readonly logger = new Logger(Deadlines.name);

  constructor(
    private readonly pool: EnginePool,
    private readonly settlement: Settlement,
    private readonly workflows: WorkflowAdvancer,
    private readonly wakeup: Wakeup,
  ) {}

  /** Ends one batch. Gives whether there may be more. */
  async endOverdue(): Promise<boolean> {
    const seen = await this.pool.prepared.query<{ id: string; workflowId: string | null }>(OVERDUE_TASKS, [BATCH]);
    if (seen.length === 0) return false;
    const { ended, queues } = await this.pool.transaction(async (sql) => {
      const ids = seen.flatMap(({ workflowId }) => workflowId ?? []);
      const workflows = await this.workflows.holdFree(sql, ids); // before their tasks are
      const ended = await sql.query<EndedChild>(END_OVERDUE, [seen.map(({ id }) => id), workflows]);
      return { ended, queues: await this.settlement.advanceParents(sql, ended) };
    });
    for (const queue of queues) this.wakeup.queued(queue);
    if (ended.length > 0)
      this.logger.warn({ message: 'tasks failed: they had not started in time', count: ended.length });
    return ended.length === BATCH;
  }
}
