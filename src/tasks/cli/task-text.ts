import type { Task } from '../task.js';

export const progressText = (task: Task): string =>
  task.total === null ? '' : `${String(task.processed)}/${String(task.total)} (${String(task.progress)}%)`;

export function stateText(task: Task): string {
  const asked = task.cancelRequestedAt !== null && task.status === 'running' ? ', asked to stop' : '';
  return `${task.name} (${task.id}): ${task.status}${asked}`;
}
