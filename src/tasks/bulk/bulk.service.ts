import { Injectable } from '@nestjs/common';
import { conflict, notFound } from '../../platform/errors/app-error.js';
import type { Task } from '../task.js';
import { TaskReader } from '../task-reader.js';
import type { Bulk, BulkRequest, Confirmation } from './bulk.js';
import { BulkPerformer } from './bulk-performer.js';
import { BulkPlanner } from './bulk-planner.js';

/** Tasks shown of what an operation is about. */
const SAMPLE = 10;

/** Cancels, retries or deletes many tasks: first a dry run, then, confirmed, exactly what it showed. */
@Injectable()
export class BulkService {
  constructor(
    private readonly planner: BulkPlanner,
    private readonly performer: BulkPerformer,
    private readonly reader: TaskReader,
  ) {}

  /** Chooses the tasks and changes nothing. @throws invalid `bulk_too_wide`, `bulk_wrong_status`. */
  dryRun(request: BulkRequest): Promise<Bulk> {
    return this.planner.plan(request);
  }

  /** @throws not-found `bulk_not_found`. */
  async get(id: string): Promise<Bulk> {
    const bulk = await this.planner.find(id);
    if (!bulk) throw notFound('bulk_not_found', 'there is no such bulk operation; dry runs are kept for 15 minutes');
    return bulk;
  }

  /** Some of the tasks that it is about, newest first; those that were deleted are not among them. */
  async sample(id: string): Promise<Task[]> {
    return this.reader.getMany(await this.planner.sample(id, SAMPLE));
  }

  /** Lets it act; again does no harm. @throws conflict `bulk_not_confirmable`. */
  confirm(id: string, request: Confirmation): Promise<Bulk> {
    return this.planner.confirm(id, request);
  }

  /**
   * Chooses and confirms in one, for whoever knows how many there are.
   * @throws conflict `bulk_count_differs` and changes nothing when there is another number of them.
   */
  async confirmCount(request: BulkRequest, expected: number): Promise<Bulk> {
    const bulk = await this.planner.plan(request);
    if (bulk.taskCount === expected && bulk.isComplete) return this.planner.confirm(bulk.id, request);
    const counted = `${bulk.isComplete ? '' : 'more than '}${String(bulk.taskCount)}`;
    throw conflict('bulk_count_differs', `${counted} tasks match, not ${String(expected)}; nothing was changed`);
  }

  /** Carries out a confirmed operation to its end, or until the signal fires; tells how far it is after each chunk. */
  async perform(id: string, onProgress?: (bulk: Bulk) => void, signal?: AbortSignal): Promise<Bulk> {
    while (await this.performer.step(id)) {
      onProgress?.(await this.get(id));
      signal?.throwIfAborted();
    }
    return this.get(id);
  }
}
