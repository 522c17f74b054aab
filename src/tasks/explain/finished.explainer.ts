import { Injectable } from '@nestjs/common';
import type { ExplainedTask, Explainer, Reason } from './reason.js';
import { at, because, count, moment } from './words.js';

/** How a task ended, and what can be done about it. */
@Injectable()
export class FinishedExplainer implements Explainer {
  explain(task: ExplainedTask): readonly Reason[] {
    if (task.status === 'completed') return [completed(task)];
    if (task.status === 'cancelled') return [cancelled(task)];
    if (task.status !== 'failed') return [];
    return [task.errorCode === 'poison_pill' ? quarantined(task) : failed(task)];
  }
}

const completed = (task: ExplainedTask): Reason => ({
  code: 'completed',
  message: `It completed ${at(task.completedAt)}.`,
  facts: { completed_at: iso(task.completedAt), attempt: task.attempt },
});

const cancelled = (task: ExplainedTask): Reason => ({
  code: task.errorCode === 'skipped' ? 'skipped' : 'cancelled',
  message: cancelledHow(task),
  advice: startAgain(task),
  facts: { completed_at: iso(task.completedAt), by: task.lastActor, parent_id: task.parentId },
});

function cancelledHow(task: ExplainedTask): string {
  const when = at(task.completedAt);
  if (task.errorCode === 'skipped') return `It was skipped ${when}${because(task)}.`;
  if (task.lastReason !== 'parent_cancelled') return `${task.lastActor ?? 'Somebody'} cancelled it ${when}.`;
  return `It was cancelled ${when}, with the task that it is a part of, by ${String(task.lastActor)}.`;
}

const failed = (task: ExplainedTask): Reason => ({
  code: 'failed',
  message: `It failed ${at(task.completedAt)}${tries(task)}${because(task)}.`,
  advice: startAgain(task),
  facts: {
    completed_at: iso(task.completedAt),
    error_code: task.errorCode,
    error_category: task.errorCategory,
    error_message: task.errorMessage,
    attempt: task.attempt,
    max_attempts: task.maxAttempts,
  },
});

const quarantined = (task: ExplainedTask): Reason => ({
  code: 'quarantined',
  // The reason counts what it ran alone in; before that it was lost in company, which made it a suspect.
  message:
    `It is quarantined since ${moment(task.completedAt)}${because(task)}. ` +
    `In all, ${count(task.crashCount, 'process was', 'processes were')} lost while working on it, alone or beside other tasks.`,
  advice: 'Find out what in its input kills the process before it is started again with retry.',
  facts: { completed_at: iso(task.completedAt), crash_count: task.crashCount, error_message: task.errorMessage },
});

/** A permanent error fails at once, which is worth saying; nobody counts a first attempt. */
function tries({ attempt, maxAttempts, errorCategory }: ExplainedTask): string {
  if (errorCategory === 'permanent') return ' with an error that trying again does not mend';
  return attempt > 1 && attempt >= maxAttempts ? ` after ${String(attempt)} attempts` : '';
}

function startAgain({ parentId, workflowId, errorCode, errorCategory }: ExplainedTask): string {
  if (errorCode === 'dependency_failed' || errorCode === 'skipped') {
    return `Retry what it depends on, or the workflow ${String(workflowId)}: what hangs below runs again with it.`;
  }
  if (parentId !== null) return `Retry the failed batches of task ${parentId}, which it is a part of.`;
  if (errorCode === 'batches_failed') return 'Retry its failed batches: what completed is kept.';
  if (errorCategory === 'permanent') return 'Mend what the error names, then start it again with retry.';
  return 'Start it again with retry.';
}

const iso = (time: Date | null): string | null => time?.toISOString() ?? null;
