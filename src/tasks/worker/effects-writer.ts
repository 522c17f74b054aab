import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../platform/database/transaction.js';
import type { AnyTaskDefinition } from '../define-task.js';
import { Enqueuer } from '../queue/enqueuer.js';
import { concurrencyKeyOf } from '../limits/concurrency-key.js';
import { parseTaskInput } from '../task-input.js';
import type { AttemptContext } from './task-context.js';

/** Writes what an attempt asked for with `onSettle` and `enqueue`, in the transaction that settles it. */
@Injectable()
export class EffectsWriter {
  constructor(private readonly enqueuer: Enqueuer) {}

  /** Gives the queues that are to be woken when it has committed. @throws invalid `invalid_task_input`. */
  async write(tx: Transaction, context: AttemptContext): Promise<Set<string>> {
    const queues = new Set<string>();
    for (const write of context.settlementWrites) await write(tx);
    for (const { task, input, terms } of context.followUps) {
      const definition: AnyTaskDefinition = task;
      const params = parseTaskInput(definition, input);
      const concurrencyKey = concurrencyKeyOf(definition, params);
      const tasks = [{ params, dedupKey: definition.dedupKey?.(params), concurrencyKey }];
      await this.enqueuer.add(tx, { definition, tasks, terms: { ...terms, actor: `task:${context.task.id}` } });
      queues.add(definition.queue);
    }
    return queues;
  }
}
