import { IsBoolean, IsOptional } from 'class-validator';
import { defineTask } from '../define-task.js';
import { Handles } from '../handles.decorator.js';
import { exponential } from '../retry-policy.js';
import type { HandlerResult, TaskContext, TaskHandler } from '../task-handler.js';
import { RetentionService } from './retention.service.js';

export class RetentionInput {
  /** Remove nothing, only count what would go. */
  @IsOptional()
  @IsBoolean()
  dry_run?: boolean;

  /** Write each task with its audit trail to a file of the data folder before it is removed. */
  @IsOptional()
  @IsBoolean()
  archive?: boolean;
}

/** Removes finished tasks that have been kept long enough. */
export const retention = defineTask({
  name: 'maintenance.retention',
  version: 1,
  title: 'Remove old finished tasks',
  input: RetentionInput,
  retry: { attempts: 5, backoff: exponential({ firstMs: 10_000, maxMs: 600_000 }) },
  // The first run over years of history. Shorter: it goes on in the next attempt, at the price of an attempt.
  timeoutMs: 4 * 3_600_000,
  dedupKey: ({ dry_run: dryRun }) => (dryRun ? 'count' : 'remove'),
});

@Handles(retention)
export class RetentionHandler implements TaskHandler<typeof retention> {
  constructor(private readonly service: RetentionService) {}

  run({ dry_run: dryRun = false, archive = false }: RetentionInput, context: TaskContext): Promise<HandlerResult> {
    return this.service.run({ dryRun, archive }, context);
  }
}
