import { Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { conflict, invalid, notFound } from '../platform/errors/app-error.js';
import { absent, type Identified, idOf } from './id-prefix.js';
import { EVENTS_OF_TASK, IDS_BY_PREFIX, TASK_BY_ID, TASKS_BY_IDS, THROUGHPUT } from './queue/read.sql.js';
import { type Task, type TaskEvent, taskOf, type TaskRow } from './task.js';
import type { TaskStatus } from './task-state.js';

interface EventRow {
  id: string;
  at: Date;
  from_status: TaskStatus | null;
  to_status: TaskStatus;
  attempt: number;
  fence: number;
  worker_id: string | null;
  actor: string;
  reason: string;
  error_code: string | null;
  error_category: string | null;
  error_message: string | null;
}

const TASKS: Identified = {
  noun: 'task',
  idsByPrefix: IDS_BY_PREFIX,
  malformed: (message, more) => invalid('invalid_task_id', message, more),
  absent: (message) => notFound('task_not_found', message),
  ambiguous: (message, more) => conflict('ambiguous_task_id', message, more),
};

/** Reads of single tasks and their history. */
@Injectable()
export class TaskReader {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** By full id or unique prefix. @throws not-found `task_not_found`, conflict `ambiguous_task_id`, invalid `invalid_task_id`. */
  async get(idOrPrefix: string): Promise<Task> {
    const id = await this.resolve(idOrPrefix);
    const [row] = await this.database.prepared.query<TaskRow>(TASK_BY_ID, [id]);
    if (!row) throw absent(TASKS, idOrPrefix);
    return taskOf(row, this.clock.now());
  }

  /** Newest first; those that are not there any more are left out. */
  async getMany(ids: readonly string[]): Promise<Task[]> {
    if (ids.length === 0) return [];
    const rows = await this.database.prepared.query<TaskRow>(TASKS_BY_IDS, [ids]);
    const now = this.clock.now();
    return rows.map((row) => taskOf(row, now));
  }

  resolve(idOrPrefix: string): Promise<string> {
    return idOf(this.database, TASKS, idOrPrefix);
  }

  /** Items a second of the last tasks of this type; undefined before the first. */
  async itemsPerSecond(type: string): Promise<number | undefined> {
    const [row] = await this.database.query<{ per_second: number | null }>(THROUGHPUT, [type]);
    return row?.per_second ?? undefined;
  }

  async events(taskId: string, options: { readonly after?: string; readonly limit: number }): Promise<TaskEvent[]> {
    const rows = await this.database.query<EventRow>(EVENTS_OF_TASK, [taskId, options.after ?? '0', options.limit]);
    return rows.map((row) => ({
      id: row.id,
      at: row.at,
      from: row.from_status,
      to: row.to_status,
      attempt: row.attempt,
      fence: row.fence,
      workerId: row.worker_id,
      actor: row.actor,
      reason: row.reason,
      errorCode: row.error_code,
      errorCategory: row.error_category,
      errorMessage: row.error_message,
    }));
  }
}
