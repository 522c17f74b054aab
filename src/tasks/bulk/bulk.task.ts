import { IsUUID } from 'class-validator';
import { defineTask } from '../define-task.js';
import { Handles } from '../handles.decorator.js';
import { exponential } from '../retry-policy.js';
import type { HandlerResult, TaskContext, TaskHandler } from '../task-handler.js';
import { BulkService } from './bulk.service.js';

export class BulkInput {
  /** A confirmed operation. */
  @IsUUID()
  bulk_id: string;
}

/** Carries out an operation on many tasks that was confirmed. */
export const changeTasks = defineTask({
  name: 'change_tasks',
  version: 1,
  title: 'Change many tasks',
  input: BulkInput,
  retry: { attempts: 10, backoff: exponential({ firstMs: 1_000, maxMs: 60_000 }) },
  timeoutMs: 3_600_000,
  dedupKey: ({ bulk_id }) => bulk_id,
  // An operation that nobody confirmed does nothing, whoever starts this.
  internal: true,
});

@Handles(changeTasks)
export class ChangeTasksHandler implements TaskHandler<typeof changeTasks> {
  constructor(private readonly bulks: BulkService) {}

  async run({ bulk_id: id }: BulkInput, context: TaskContext): Promise<HandlerResult> {
    const done = await this.bulks.perform(
      id,
      (bulk) => {
        context.progress(bulk.processed, bulk.taskCount);
      },
      context.signal,
    );
    return { action: done.action, tasks: done.taskCount, changed: done.changed };
  }
}
