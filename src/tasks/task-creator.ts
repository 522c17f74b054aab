import { Injectable } from '@nestjs/common';
import { retrySerializationFailures } from '../platform/database/retry-transaction.js';
import type { Sql, Transaction } from '../platform/database/transaction.js';
import type { AnyTaskDefinition, AnyTaskType, TaskType } from './define-task.js';
import { makeOnce } from './idempotency.js';
import { concurrencyKeyOf } from './limits/concurrency-key.js';
import { EnginePool } from './queue/engine-pool.js';
import type { EnqueueTerms, NewTask, SingleTask } from './queue/enqueue-values.js';
import { Enqueuer, ROWS_A_STATEMENT, type EnqueuedTask } from './queue/enqueuer.js';
import { RUN_CREATED } from './queue/rerun.sql.js';
import { type Opening, Wakeup } from './queue/wakeup.js';
import { parseTaskInput } from './task-input.js';
import { TaskTypes } from './task-types.js';
import { TaskMetrics } from './worker/task-metrics.js';

/** How a task is to be added. `actor` says who asks: `token:…`, `cli:…`, `schedule:…`, `task:…`. */
export interface EnqueueOptions extends Omit<EnqueueTerms, 'parent'> {
  /** Adds it in this transaction: it exists if, and only if, that commits. */
  readonly tx?: Transaction;
  /** Overrides the definition's dedup key. */
  readonly dedupKey?: string;
  /** The same key from the same actor gives the same task, whatever became of it since. */
  readonly idempotencyKey?: string;
  /** Refuses, by throwing, a task that is not there yet. A repeated request is not asked: its task was fine when it was made. */
  readonly refuse?: () => void;
}

/** Checks inputs and adds tasks; wakes workers once what was added is committed. */
@Injectable()
export class TaskCreator {
  constructor(
    private readonly pool: EnginePool,
    private readonly enqueuer: Enqueuer,
    private readonly wakeup: Wakeup,
    private readonly types: TaskTypes,
    private readonly metrics: TaskMetrics,
  ) {}

  async create(type: string, params: unknown, options: EnqueueOptions): Promise<EnqueuedTask> {
    return this.enqueue(await this.types.get(type), params, options);
  }

  async enqueue(definition: AnyTaskType, params: unknown, options: EnqueueOptions): Promise<EnqueuedTask> {
    const input = parseTaskInput(definition, params);
    const dedupKey = options.dedupKey ?? definition.dedupKey?.(input);
    const task: NewTask = { params: input, dedupKey, concurrencyKey: concurrencyKeyOf(definition, input) };
    const { idempotencyKey } = options;
    if (idempotencyKey !== undefined) return this.addOnce(definition, task, { ...options, idempotencyKey });
    options.refuse?.();
    return this.addOne(definition, task, options);
  }

  async enqueueMany(
    definition: AnyTaskDefinition,
    inputs: readonly object[],
    options: Omit<EnqueueOptions, 'dedupKey' | 'idempotencyKey'>,
  ): Promise<EnqueuedTask[]> {
    const tasks = checked(definition, inputs);
    return this.within(definition, options, (sql) => {
      const add = (to: Sql, all: Iterable<NewTask>): Promise<EnqueuedTask[]> =>
        this.enqueuer.add(to, { definition, tasks: all, terms: options });
      // In the caller's transaction nothing is written before all is checked.
      if (options.tx) return add(options.tx, [...tasks]);
      if (inputs.length > ROWS_A_STATEMENT) return this.pool.transaction((own) => add(own, tasks));
      // One statement is a transaction already; it may lose against another with the same dedup keys in another order.
      const some = [...tasks];
      return retrySerializationFailures(() => add(sql, some));
    });
  }

  /** Straight to a worker of this process, if one has nothing to do; else into the queue. */
  private async addOne(definition: AnyTaskType, task: NewTask, options: EnqueueOptions): Promise<EnqueuedTask> {
    const opening = startsNow(options) ? this.wakeup.opening(definition) : undefined;
    const one = { definition, task, terms: options };
    const added = opening && (await this.startOne(one, opening));
    if (!added) return this.within(definition, options, (sql) => this.enqueuer.addOne(sql, one));
    this.metrics.tasksEnqueued(definition.name, 1);
    if (!added.started) this.wakeup.queued(definition.queue);
    return added;
  }

  private async startOne(one: SingleTask, opening: Opening): ReturnType<Enqueuer['addStarted']> {
    try {
      return await this.enqueuer.addStarted(one, opening);
    } catch (error) {
      this.wakeup.queued(one.definition.queue); // it may have been added, and queued, before the connection was lost
      throw error;
    }
  }

  /**
   * Adds in the caller's transaction if there is one; workers hear of it once it is committed. What was there already and waits for
   * somebody to run it is run: it is asked for now.
   */
  private async within<T extends EnqueuedTask | readonly EnqueuedTask[]>(
    definition: TaskType,
    options: EnqueueOptions,
    add: (sql: Sql) => Promise<T>,
  ): Promise<T> {
    let created = 0;
    const announce = (): void => {
      this.metrics.tasksEnqueued(definition.name, created);
      if (options.runImmediately !== false) this.wakeup.queued(definition.queue);
    };
    options.tx?.afterCommit(announce);
    const sql = options.tx ?? this.pool.prepared;
    const added = await add(sql);
    const answers = [added].flat();
    const there = answers.filter((task) => !task.created).map(({ id }) => id);
    created = answers.length - there.length;
    if (there.length > 0 && options.runImmediately !== false) await sql.query(RUN_CREATED, [there, options.actor]);
    if (options.tx) return added;
    announce();
    // A task that was there may have been seen before it was on disk (see ENQUEUE_STARTED).
    if (there.length > 0) await this.pool.untilDurable();
    return added;
  }

  private async addOnce(
    definition: TaskType,
    task: NewTask,
    options: EnqueueOptions & { readonly idempotencyKey: string },
  ): Promise<EnqueuedTask> {
    const { actor, idempotencyKey: key } = options;
    const keyed = { actor, key, request: [definition.name, task.params, askedFor(options)] };
    const once = (sql: Sql): Promise<EnqueuedTask> =>
      makeOnce(sql, keyed, () => {
        options.refuse?.();
        return this.enqueuer.addOne(sql, { definition, task, terms: options });
      });
    return this.within(definition, options, (sql) => (options.tx ? once(sql) : this.pool.transaction(once)));
  }
}

const startsNow = ({ tx, runImmediately, runAt, startBy }: EnqueueOptions): boolean =>
  !(tx ?? runAt ?? startBy) && runImmediately !== false;

/**
 * Of a request beside its type and input: another one of the same key asks for the same, or is refused. Times are not compared: who
 * repeats a request for "in an hour" may have worked them out anew.
 */
function askedFor(options: EnqueueOptions): unknown {
  const { name, description, domain, driftScore, priority, metadata, runImmediately, dedupKey } = options;
  return { name, description, domain, driftScore, priority, metadata, runImmediately, dedupKey };
}

/** Tasks of these inputs, each checked when it is asked for. */
function checked(definition: AnyTaskDefinition, inputs: readonly object[]): Iterable<NewTask> {
  return {
    *[Symbol.iterator]() {
      for (const params of inputs) {
        const input = parseTaskInput(definition, params);
        const concurrencyKey = concurrencyKeyOf(definition, input);
        yield { params: input, dedupKey: definition.dedupKey?.(input), concurrencyKey };
      }
    },
  };
}
