import { table } from '../../platform/cli/output.js';
import type { Task, TaskEvent } from '../task.js';

/** A task for a person: what it is, how it stands, and every change of its status. */
export async function taskDetails(task: Task, events: readonly TaskEvent[]): Promise<string> {
  const facts = await table(
    ['field', 'value'],
    [
      ['id', task.id],
      ['name', task.name],
      ['type', `${task.type} v${String(task.version)}`],
      ['status', task.waiting ? `${task.status}, waiting for its batches` : task.status],
      [
        'progress',
        `${String(task.progress)}% (${String(task.processed)}/${task.total === null ? '?' : String(task.total)})`,
      ],
      ['attempt', `${String(task.attempt)} of ${String(task.maxAttempts)}, ${String(task.crashCount)} crashes`],
      ['requested by', task.requestedBy],
      ['created', task.createdAt],
      ['started', task.startedAt],
      ['finished', task.completedAt],
      ['input', JSON.stringify(task.params)],
      ['result', task.result === null ? null : JSON.stringify(task.result)],
      [
        'error',
        task.errorCode === null
          ? null
          : `${task.errorCode} (${String(task.errorCategory)}): ${String(task.errorMessage)}`,
      ],
    ],
  );
  const trail = await table(
    ['at', 'from', 'to', 'reason', 'attempt', 'actor', 'error'],
    events.map((event) => [event.at, event.from, event.to, event.reason, event.attempt, event.actor, event.errorCode]),
  );
  return `${facts}\n\n${trail}`;
}
