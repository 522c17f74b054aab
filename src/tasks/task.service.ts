import { Injectable } from '@nestjs/common';
import type { AnyTaskDefinition, InputOf } from './define-task.js';
import type { TaskFilter } from './listing/task-filter.js';
import { type Page, type PageAt, TaskLister, type TaskPage } from './listing/task-lister.js';
import { Canceller } from './queue/canceller.js';
import type { EnqueuedTask } from './queue/enqueuer.js';
import type { Task, TaskEvent } from './task.js';
import { type EnqueueOptions, TaskCreator } from './task-creator.js';
import { TaskReader } from './task-reader.js';
import { TaskStarter } from './task-starter.js';
import { isFinished } from './task-state.js';

/**
 * What features, controllers and commands do with tasks. Every method takes effect for all processes; those that ask for
 * a state the task already is in change nothing and succeed, so that a repeated request is harmless.
 */
@Injectable()
export class TaskService {
  constructor(
    private readonly creator: TaskCreator,
    private readonly reader: TaskReader,
    private readonly lister: TaskLister,
    private readonly starter: TaskStarter,
    private readonly canceller: Canceller,
  ) {}

  /** Adds one task. @throws invalid `invalid_task_input` before anything is written. */
  enqueue<D extends AnyTaskDefinition>(
    definition: D,
    input: InputOf<D>,
    options: EnqueueOptions,
  ): Promise<EnqueuedTask> {
    return this.creator.enqueue(definition, input, options);
  }

  /** Adds many tasks of one type: all or none. */
  enqueueMany<D extends AnyTaskDefinition>(
    definition: D,
    inputs: readonly InputOf<D>[],
    options: Omit<EnqueueOptions, 'dedupKey' | 'idempotencyKey'>,
  ): Promise<EnqueuedTask[]> {
    return this.creator.enqueueMany(definition, inputs, options);
  }

  /** Adds a task of a type that is only known by its name. @throws invalid `unknown_task_type`, `invalid_task_input`. */
  create(type: string, params: unknown, options: EnqueueOptions): Promise<EnqueuedTask> {
    return this.creator.create(type, params, options);
  }

  /** By full id or unique prefix. @throws not-found, conflict `ambiguous_task_id`. */
  get(idOrPrefix: string): Promise<Task> {
    return this.reader.get(idOrPrefix);
  }

  /** Newest first; as many as `limit` if there are as many, however long they have to be looked for. */
  list(filter: TaskFilter, page: Page): Promise<Task[]> {
    return this.lister.list(filter, page);
  }

  /** Newest first, in bounded time: a page may be short and not be the last. The first one has a total. */
  page(filter: TaskFilter, page: PageAt): Promise<TaskPage> {
    return this.lister.page(filter, page);
  }

  async events(idOrPrefix: string, options: { readonly after?: string; readonly limit: number }): Promise<TaskEvent[]> {
    return this.reader.events(await this.reader.resolve(idOrPrefix), options);
  }

  /** Items a second of the last tasks of this type; undefined before the first. */
  itemsPerSecond(type: string): Promise<number | undefined> {
    return this.reader.itemsPerSecond(type);
  }

  /** Starts what waits for a person, or what failed or was cancelled; running, queued and completed tasks stay as they are. */
  async run(idOrPrefix: string, actor: string): Promise<Task> {
    const task = await this.reader.get(idOrPrefix);
    if (task.status === 'created') await this.starter.runCreated(task, actor);
    else if (task.status === 'failed' || task.status === 'cancelled') await this.starter.rerun(task, actor, 'run');
    return this.reader.get(task.id);
  }

  /** Like {@link run}, for finished tasks only in name: the audit trail says `retry`. */
  async retry(idOrPrefix: string, actor: string): Promise<Task> {
    const task = await this.reader.get(idOrPrefix);
    if (task.status === 'failed' || task.status === 'cancelled') await this.starter.rerun(task, actor, 'retry');
    return this.reader.get(task.id);
  }

  /** @throws conflict `nothing_to_retry`. */
  async retryFailedBatches(idOrPrefix: string, actor: string): Promise<Task> {
    const task = await this.reader.get(idOrPrefix);
    await this.starter.retryFailedBatches(task, actor);
    return this.reader.get(task.id);
  }

  /** Ends a task and everything below it; a finished one stays as it is. A running one ends within seconds. */
  async cancel(idOrPrefix: string, actor: string): Promise<Task> {
    const task = await this.reader.get(idOrPrefix);
    if (!isFinished(task.status)) await this.canceller.cancel(task.id, actor);
    return this.reader.get(task.id);
  }
}
