import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { notFound } from '../../platform/errors/app-error.js';
import { taskOf, type TaskRow } from '../task.js';
import { TaskReader } from '../task-reader.js';
import { EXPLAINED_TASK } from './explain.sql.js';
import { TASK_EXPLAINERS } from './explainers.js';
import type { ExplainedTask, Explainer, Reason } from './reason.js';

/** Why a task is where it is, and what happens next. */
export interface Explanation {
  readonly task: ExplainedTask;
  /** The weightiest first; at least one. */
  readonly reasons: readonly [Reason, ...Reason[]];
}

interface ExplainedRow extends TaskRow {
  worker_id: string | null;
  ready: boolean;
  last_actor: string | null;
  last_reason: string | null;
  now: Date;
}

/** Answers "why does this task not run?" from what the database knows, for any process's tasks. */
@Injectable()
export class ExplainService {
  constructor(
    private readonly database: Database,
    private readonly reader: TaskReader,
    @Inject(TASK_EXPLAINERS) private readonly explainers: readonly Explainer[],
  ) {}

  /** By full id or unique prefix. @throws not-found `task_not_found`, conflict `ambiguous_task_id`. */
  async explain(idOrPrefix: string): Promise<Explanation> {
    const id = await this.reader.resolve(idOrPrefix);
    const [row] = await this.database.query<ExplainedRow>(EXPLAINED_TASK, [id]);
    if (!row) throw notFound('task_not_found', `there is no task ${idOrPrefix}`);
    const task: ExplainedTask = {
      ...taskOf(row, row.now),
      now: row.now,
      ready: row.ready,
      workerId: row.worker_id,
      lastActor: row.last_actor,
      lastReason: row.last_reason,
    };
    const [first = nothingKnown(task), ...others] = (
      await Promise.all(this.explainers.map(async (explainer) => explainer.explain(task)))
    ).flat();
    return { task, reasons: [first, ...others] };
  }
}

const nothingKnown = ({ status }: ExplainedTask): Reason => ({
  code: status,
  message: `It is ${status}, and nothing more is known.`,
  facts: {},
});
