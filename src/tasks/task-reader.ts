import { Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { conflict, invalid, notFound } from '../platform/errors/app-error.js';
import { EVENTS_OF_TASK, IDS_BY_PREFIX, TASK_BY_ID, TASK_COLUMNS, THROUGHPUT } from './queue/read.sql.js';
import { type Task, type TaskEvent, taskOf, type TaskRow } from './task.js';
import { TaskRegistry } from './task-registry.js';
import type { TaskStatus } from './task-state.js';

export interface TaskFilter {
  readonly statuses?: readonly TaskStatus[];
  /** Matched in any letter case. */
  readonly types?: readonly string[];
  readonly queue?: string;
  readonly parentId?: string;
  /** Only tasks that are not part of another one's work. */
  readonly topLevel?: boolean;
  /** In name or description, any letter case. */
  readonly text?: string;
  readonly createdFrom?: Date;
  readonly createdTo?: Date;
}

export interface Page {
  readonly limit: number;
  /** Id of the last task of the page before. */
  readonly after?: string;
  readonly offset?: number;
}

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

const PREFIX = /^[0-9a-f]{4,8}(-[0-9a-f]{0,4}){0,3}(-[0-9a-f]{0,12})?$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads of tasks and their history. Newest first: ids are UUID v7, so their order is that of creation. */
@Injectable()
export class TaskReader {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly registry: TaskRegistry,
  ) {}

  /** By full id or unique prefix. @throws not-found `task_not_found`, conflict `ambiguous_task_id`, invalid `invalid_task_id`. */
  async get(idOrPrefix: string): Promise<Task> {
    const id = await this.resolve(idOrPrefix);
    const [row] = await this.database.query<TaskRow>(TASK_BY_ID, [id]);
    if (!row) throw notFound('task_not_found', `there is no task ${idOrPrefix}`);
    return taskOf(row, this.clock.now());
  }

  async resolve(idOrPrefix: string): Promise<string> {
    const prefix = idOrPrefix.toLowerCase();
    if (UUID.test(prefix)) return prefix;
    if (!PREFIX.test(prefix)) {
      throw invalid('invalid_task_id', `"${idOrPrefix}" is neither a task id nor the beginning of one`, {
        fields: [{ path: 'id', message: 'must be a UUID or its first 4 or more digits', value: idOrPrefix }],
      });
    }
    const digits = prefix.replaceAll('-', '');
    const rows = await this.database.query<{ id: string }>(IDS_BY_PREFIX, [
      digits.padEnd(32, '0'),
      digits.padEnd(32, 'f'),
    ]);
    const [only, another] = rows;
    if (!only) throw notFound('task_not_found', `there is no task ${idOrPrefix}`);
    if (another)
      throw conflict('ambiguous_task_id', `more than one task id begins with ${idOrPrefix}; give more digits`);
    return only.id;
  }

  async list(filter: TaskFilter, page: Page): Promise<Task[]> {
    const where = new Conditions();
    where.add('status = ANY(?::task_status[])', filter.statuses);
    // Stored as defined; asked for in any letter case, also when no handler is left.
    const types = filter.types?.map((type) => this.registry.find(type)?.definition.name ?? type);
    where.add('type = ANY(?::text[])', types);
    where.add('queue = ?', filter.queue);
    where.add('parent_id = ?', filter.parentId);
    if (filter.topLevel) where.always('parent_id IS NULL');
    where.add(`(name ILIKE ? OR description ILIKE ?)`, filter.text && `%${filter.text.replace(/[\\%_]/g, '\\$&')}%`);
    where.add('id >= ?', filter.createdFrom && firstIdAt(filter.createdFrom));
    where.add('id < ?', filter.createdTo && firstIdAt(filter.createdTo));
    where.add('id < ?', page.after);
    const rows = await this.database.query<TaskRow>(
      `SELECT ${TASK_COLUMNS} FROM tasks ${where.sql()} ORDER BY id DESC LIMIT ${where.bind(page.limit)} OFFSET ${where.bind(page.offset ?? 0)}`,
      where.values,
    );
    const now = this.clock.now();
    return rows.map((row) => taskOf(row, now));
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

/** The last one that fits into a UUID v7, in the year 10889. */
const LAST_MS = 2 ** 48 - 1;

/** The smallest UUID v7 of a millisecond (RFC 9562 §5.7): turns a time range into a range of the primary key. */
export function firstIdAt(time: Date): string {
  const ms = Math.min(Math.max(0, time.getTime()), LAST_MS);
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** A WHERE clause from fixed fragments; `?` stands for the bound value. */
class Conditions {
  readonly values: unknown[] = [];
  private readonly parts: string[] = [];

  always(sql: string): void {
    this.parts.push(sql);
  }

  add(sql: string, value: unknown): void {
    if (value === undefined || value === '') return;
    this.parts.push(sql.replaceAll('?', this.bind(value)));
  }

  bind(value: unknown): string {
    this.values.push(value);
    return `$${String(this.values.length)}`;
  }

  sql(): string {
    return this.parts.length === 0 ? '' : `WHERE ${this.parts.join(' AND ')}`;
  }
}
