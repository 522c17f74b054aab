import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { TaskStatus } from '../task-state.js';
import { LAST_FAN_OUT, OPEN_CHILDREN } from './explain.sql.js';
import type { ExplainedTask, Explainer, Reason } from './reason.js';
import { at, count } from './words.js';

/** How many of the tasks that it waits for are named. */
const NAMED = 5;

interface FanOutRow {
  round: number;
  total: number;
  open: number;
  completed: number;
  failed: number;
  cancelled: number;
}

/** It has split its work, and waits for the parts. */
@Injectable()
export class ChildrenExplainer implements Explainer {
  constructor(private readonly database: Database) {}

  async explain(task: ExplainedTask): Promise<readonly Reason[]> {
    if (!task.waiting) return [];
    const [fanOut] = await this.database.query<FanOutRow>(LAST_FAN_OUT, [task.id]);
    if (!fanOut) return [];
    const open = await this.database.query<OpenChild>(OPEN_CHILDREN, [task.id, NAMED]);
    return [waiting(task, fanOut, open)];
  }
}

interface OpenChild {
  readonly id: string;
  readonly type: string;
  readonly status: TaskStatus;
}

function waiting(task: ExplainedTask, fanOut: FanOutRow, open: readonly OpenChild[]): Reason {
  const { total, completed, failed, cancelled } = fanOut;
  const unsuccessful = failed + cancelled;
  const eta = task.eta === null ? '' : `; at this rate it is done ${at(task.eta)}`;
  return {
    code: 'waiting_for_children',
    message:
      `It waits for ${String(fanOut.open)} of its ${count(total, 'batch', 'batches')}; ${String(completed)} have completed` +
      `${unsuccessful > 0 ? ` and ${String(unsuccessful)} have failed or were cancelled` : ''}${eta}.`,
    next: 'When the last of them has ended, it goes on with its final step.',
    advice: 'Explain one of the batches to see what it waits for.',
    facts: {
      ...fanOut,
      progress: task.progress,
      eta: task.eta?.toISOString() ?? null,
      waits_for: open.map(({ id, type, status }) => ({ id, type, status })),
    },
  };
}
