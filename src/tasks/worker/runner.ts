import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { EnginePool } from '../queue/engine-pool.js';
import { PermanentError } from '../retry-policy.js';
import { type ChildrenSummary, FanOut, type HandlerResult, type Json, type TaskHandler } from '../task-handler.js';
import type { AnyTaskDefinition } from '../define-task.js';
import { parseTaskInput, upgradeParams } from '../task-input.js';
import { TaskRegistry } from '../task-registry.js';
import type { Attempt } from './attempt.js';
import { childrenOf } from './children.js';
import { AttemptContext } from './task-context.js';
import { whileHeld } from './while-held.js';

/** How a handler came back. */
export type Outcome =
  | { readonly kind: 'completed'; readonly result: Json | undefined; readonly context: AttemptContext }
  | { readonly kind: 'fan-out'; readonly fanOut: FanOut; readonly context: AttemptContext }
  | { readonly kind: 'threw'; readonly error: unknown };

/** A handler that answers an empty fan-out with the next one would never end; one with so many phases is not known. */
const MAX_EMPTY_FAN_OUTS = 100;

/** Runs the handler of one attempt and catches whatever comes out of it. Writes nothing. */
@Injectable()
export class Runner {
  constructor(
    private readonly registry: TaskRegistry,
    private readonly database: Database,
    private readonly pool: EnginePool,
  ) {}

  async run(workerId: string, attempt: Attempt, onProgress: (attempt: Attempt) => void): Promise<Outcome> {
    try {
      const { definition, handler } = this.registry.handlerFor(attempt.row.type);
      attempt.definition = definition;
      const input = this.inputOf(definition, attempt);
      const context = new AttemptContext(attempt, workerId, this.database, onProgress);
      let value = await (attempt.row.joining
        ? this.finalStep(handler, input, { attempt, context })
        : handler.run(input, context));
      for (let empty = 0; value instanceof FanOut; empty += 1) {
        if (value.children.length > 0) return { kind: 'fan-out', fanOut: value, context };
        if (empty === MAX_EMPTY_FAN_OUTS)
          throw new PermanentError('endless_fan_out', 'the task goes on splitting nothing');
        // Nothing to split: straight to the final step.
        attempt.checkpoint = value.options.checkpoint ?? attempt.checkpoint;
        value = await this.join(handler, input, { context, children: NO_CHILDREN });
      }
      return { kind: 'completed', result: value ?? undefined, context };
    } catch (error) {
      return { kind: 'threw', error };
    }
  }

  private async finalStep(
    handler: TaskHandler<AnyTaskDefinition>,
    input: object,
    { attempt, context }: { attempt: Attempt; context: AttemptContext },
  ): Promise<HandlerResult> {
    const children = await whileHeld(attempt, () => childrenOf(this.pool, attempt.row.id));
    return this.join(handler, input, { context, children });
  }

  private async join(
    handler: TaskHandler<AnyTaskDefinition>,
    input: object,
    { context, children }: { context: AttemptContext; children: ChildrenSummary },
  ): Promise<HandlerResult> {
    if (handler.afterChildren) return handler.afterChildren(input, context, children);
    const { total, completed, failed, cancelled } = children;
    if (failed + cancelled > 0) {
      throw new PermanentError(
        'batches_failed',
        `${String(failed)} of ${String(total)} batches failed and ${String(cancelled)} were cancelled; retry the failed batches`,
      );
    }
    return { total, completed };
  }

  /**
   * Rows written by an older version are brought up to date and checked again: what was valid then may not be now. So are
   * inputs of workflows: whoever put them together from results may not have known the type.
   */
  private inputOf(definition: AnyTaskDefinition, { row }: Attempt): object {
    if (row.version === definition.version && row.workflow_id === null)
      return Object.assign(new definition.input(), row.params) as object;
    if (row.version > definition.version) {
      throw new PermanentError(
        'unknown_task_version',
        `this worker knows ${row.type} up to version ${String(definition.version)}, the task is version ${String(row.version)}`,
      );
    }
    return parseTaskInput(definition, upgradeParams(definition, row.version, row.params));
  }
}

const NO_CHILDREN: ChildrenSummary = {
  total: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  async *results() {
    // none
  },
};
