import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { AHEAD_IN_QUEUE } from './explain.sql.js';
import type { ExplainedTask, Explainer, Reason } from './reason.js';
import { isSuspect } from './suspect.explainer.js';
import { count } from './words.js';

/** Counting stops here: more than that is "many" to anybody who waits. */
const MAX_COUNTED = 10_000;

/** It is its queue's turn that it waits for. */
@Injectable()
export class QueueExplainer implements Explainer {
  constructor(private readonly database: Database) {}

  async explain(task: ExplainedTask): Promise<readonly Reason[]> {
    if (task.status !== 'queued' || isSuspect(task)) return [];
    // Its time has come, and the next look for such tasks puts it into its queue.
    if (!task.ready) return task.runAt > task.now ? [] : [due(task)];
    const [row] = await this.database.query<{ ahead: number }>(AHEAD_IN_QUEUE, [task.id, MAX_COUNTED + 1]);
    const ahead = Math.min(row?.ahead ?? 0, MAX_COUNTED);
    const isBound = (row?.ahead ?? 0) > MAX_COUNTED;
    return [ahead === 0 ? next(task) : inQueue(task, ahead, isBound)];
  }
}

const due = ({ runAt, queue }: ExplainedTask): Reason => ({
  code: 'due',
  message: `Its time has come; a worker puts it into the queue ${queue} within a second.`,
  facts: { run_at: runAt.toISOString(), queue },
});

const next = ({ queue, priority }: ExplainedTask): Reason => ({
  code: 'next_in_queue',
  message: `It is the next one of the queue ${queue}.`,
  next: 'The next worker that has a free slot and knows its type takes it.',
  facts: { queue, priority, ahead: 0 },
});

const inQueue = ({ queue, priority }: ExplainedTask, ahead: number, isBound: boolean): Reason => ({
  code: 'in_queue',
  message: `${isBound ? 'More than ' : ''}${count(ahead, 'task')} of the queue ${queue} ${ahead === 1 ? 'is' : 'are'} before it.`,
  next: 'It is taken when those that came before it, and those of higher priority that came not much later, have been.',
  facts: { queue, priority, ahead, ahead_is_at_least: isBound },
});
