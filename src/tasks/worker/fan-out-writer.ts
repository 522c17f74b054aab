import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { Transaction } from '../../platform/database/transaction.js';
import { invalid } from '../../platform/errors/app-error.js';
import type { AnyTaskDefinition } from '../define-task.js';
import { Canceller } from '../queue/canceller.js';
import { IDLE_IN_TRANSACTION_MS } from '../queue/engine-pool.js';
import type { NewTask } from '../queue/enqueue-values.js';
import { Enqueuer } from '../queue/enqueuer.js';
import { HOLD, NEXT_ROUND, PIN_ANCESTORS, WAIT_FOR_CHILDREN } from '../queue/settle.sql.js';
import { Wakeup } from '../queue/wakeup.js';
import { concurrencyKeyOf } from '../limits/concurrency-key.js';
import type { FanOut } from '../task-handler.js';
import { parseTaskInput } from '../task-input.js';
import { type Attempt, LeaseLostError } from './attempt.js';
import { EffectsWriter } from './effects-writer.js';
import { toStoredJson } from './stored-json.js';
import type { AttemptContext } from './task-context.js';

/** What the column holds. */
const MAX_WEIGHT = 2 ** 31 - 1;

interface HeldParent {
  readonly cancel: boolean;
  readonly cancel_requested_by: string | null;
}

interface Batch extends NewTask {
  readonly weight: number;
}

/** Turns a handler's fan-out into child tasks and puts the parent aside, in one transaction with the handler's effects. */
@Injectable()
export class FanOutWriter {
  constructor(
    private readonly database: Database,
    private readonly enqueuer: Enqueuer,
    private readonly effects: EffectsWriter,
    private readonly wakeup: Wakeup,
    private readonly canceller: Canceller,
  ) {}

  /** @throws LeaseLostError when the attempt no longer holds the task: then no child was added either. */
  async write(workerId: string, attempt: Attempt, { fanOut, context }: { fanOut: FanOut; context: AttemptContext }) {
    const { row } = attempt;
    const batches = parse(fanOut);
    const { parent, queues } = await this.database.transaction(async (tx) => {
      const { parent, round } = await this.putAside(tx, workerId, { attempt, fanOut, batches });
      const { startBy } = fanOut.options;
      const terms = { actor: row.requested_by, priority: row.priority, startBy, parent: { id: row.id, round } };
      await this.enqueuer.add(tx, { definition: fanOut.task, tasks: batches, terms });
      return { parent, queues: await this.effects.write(tx, context) };
    });
    for (const queue of queues.add(fanOut.task.queue)) this.wakeup.queued(queue);
    if (parent.cancel) await this.canceller.cancel(row.id, parent.cancel_requested_by ?? 'engine');
  }

  private async putAside(
    tx: Transaction,
    workerId: string,
    { attempt, fanOut, batches }: { attempt: Attempt; fanOut: FanOut; batches: readonly Batch[] },
  ): Promise<{ parent: HeldParent; round: number }> {
    const { row } = attempt;
    const weight = batches.reduce((sum, batch) => sum + batch.weight, 0);
    const held = await tx.query(HOLD, [workerId, row.id, row.fence, String(IDLE_IN_TRANSACTION_MS)]);
    if (held.length === 0) throw new LeaseLostError(row.id);
    const [next] = await tx.query<{ round: number; weight: string }>(NEXT_ROUND, [row.id]);
    const round = next?.round ?? 1;
    if (round > 1 && row.parent_id !== null) await tx.query(PIN_ANCESTORS, [row.id]);
    const [parent] = await tx.query<HeldParent>(WAIT_FOR_CHILDREN, [
      workerId,
      row.id,
      row.fence,
      round,
      toStoredJson(fanOut.options.checkpoint ?? attempt.checkpoint ?? null),
      fanOut.options.total ?? Number(next?.weight ?? 0) + weight,
      batches.length,
      weight,
    ]);
    if (!parent) throw new LeaseLostError(row.id);
    return { parent, round };
  }
}

/** Children are split work: a dedup key would make a batch vanish into somebody else's. */
function parse(fanOut: FanOut): Batch[] {
  const definition: AnyTaskDefinition = fanOut.task;
  return fanOut.children.map(({ input, weight = 1 }) => {
    if (!Number.isInteger(weight) || weight < 0 || weight > MAX_WEIGHT) {
      throw invalid('invalid_task_input', `the weight of a batch is a whole number, not ${String(weight)}`);
    }
    const params = parseTaskInput(definition, input);
    return { params, weight, concurrencyKey: concurrencyKeyOf(definition, params) };
  });
}
