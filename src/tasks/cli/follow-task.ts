import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../../platform/cli/errors.js';
import { showProgress } from '../../platform/cli/progress.js';
import type { Task } from '../task.js';
import type { TaskService } from '../task.service.js';
import { isFinished } from '../task-state.js';

const LOOK_EVERY_MS = 400;

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** What is counted: `photos`. */
  readonly unit: string;
  /** Without a progress bar. */
  readonly quiet?: boolean;
}

/** Shows a task's progress until it has finished or `signal` fires; gives it as it then is. */
export async function followTask(tasks: TaskService, taskId: string, options: FollowOptions): Promise<Task> {
  let task = await tasks.get(taskId);
  const progress = options.quiet ? undefined : await showProgress(task.name, options.unit);
  try {
    while (!isFinished(task.status) && !options.signal.aborted) {
      progress?.update(task.processed, task.total ?? undefined);
      await sleep(LOOK_EVERY_MS, undefined, { signal: options.signal }).catch(() => undefined);
      task = await tasks.get(taskId);
    }
    progress?.update(task.processed, task.total ?? undefined);
    return task;
  } finally {
    progress?.end();
  }
}

/** A finished task that did not complete is a failure of the command. */
export function assertCompleted(task: Task): void {
  if (task.status === 'completed') return;
  const why = task.errorMessage === null ? '' : `: ${task.errorMessage} (${String(task.errorCode)})`;
  throw new CliError(`${task.name} ended as ${task.status}${why}`, {
    advice: `See npx photosafe task show ${task.id}; start it again with npx photosafe task retry ${task.id}.`,
  });
}
