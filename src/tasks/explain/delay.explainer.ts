import { Injectable } from '@nestjs/common';
import type { ExplainedTask, Explainer, Reason } from './reason.js';
import { at, because, moment } from './words.js';

/** Its time has not come: it was put off by whoever asked for it, or waits before it is tried again. */
@Injectable()
export class DelayExplainer implements Explainer {
  explain(task: ExplainedTask): readonly Reason[] {
    if (task.status !== 'queued' || task.ready || task.runAt <= task.now) return [];
    return [task.lastReason === 'backoff' ? retry(task) : delayed(task)];
  }
}

const retry = (task: ExplainedTask): Reason => ({
  code: 'retry_scheduled',
  message: `Attempt ${String(task.attempt + 1)} of ${String(task.maxAttempts)} begins ${at(task.runAt)}${because(task)}.`,
  next: 'It is tried again by itself.',
  advice:
    task.attempt + 1 >= task.maxAttempts ? 'This is the last attempt: mend what the error names before.' : undefined,
  facts: {
    run_at: task.runAt.toISOString(),
    next_attempt: task.attempt + 1,
    max_attempts: task.maxAttempts,
    error_code: task.errorCode,
    error_category: task.errorCategory,
    error_message: task.errorMessage,
  },
});

const delayed = (task: ExplainedTask): Reason => ({
  code: 'delayed',
  message: `It is not to start before ${moment(task.runAt)}.`,
  next: 'It is offered to workers at that time.',
  facts: { run_at: task.runAt.toISOString() },
});
