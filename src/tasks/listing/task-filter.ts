import type { TaskStatus } from '../task-state.js';

/** Which tasks a list, a count or a bulk operation is about. What is left out does not narrow. */
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

/** The last one that fits into a UUID v7, in the year 10889. */
const LAST_MS = 2 ** 48 - 1;

/** The smallest UUID v7 of a millisecond (RFC 9562 §5.7): turns a time range into a range of the primary key. */
export function firstIdAt(time: Date): string {
  const ms = Math.min(Math.max(0, time.getTime()), LAST_MS);
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** A WHERE clause from fixed fragments; `?` stands for the bound value. Several clauses may share one list of values. */
export class Conditions {
  private readonly parts: string[] = [];

  constructor(readonly values: unknown[] = []) {}

  always(sql: string): this {
    this.parts.push(sql);
    return this;
  }

  /** A value that is left out, or an empty text, adds no condition. */
  add(sql: string, value: unknown): this {
    return value === undefined || value === '' ? this : this.always(sql.replaceAll('?', this.bind(value)));
  }

  bind(value: unknown): string {
    this.values.push(value);
    return `$${String(this.values.length)}`;
  }

  sql(): string {
    return this.parts.length === 0 ? '' : `WHERE ${this.parts.join(' AND ')}`;
  }
}

/** The first id that a filter admits, and where they end: there, or before the id `after`, whichever is older. */
export function idsWithin({ createdFrom, createdTo }: TaskFilter, after?: string): { first?: string; end?: string } {
  const ends = [createdTo && firstIdAt(createdTo), after?.toLowerCase()].filter((id) => id !== undefined).sort();
  return { first: createdFrom && firstIdAt(createdFrom), end: ends[0] };
}

/** The part of a filter that is a range of ids (UUID v7: the order of creation). */
export function withinIds(where: Conditions, filter: TaskFilter): Conditions {
  const { first, end } = idsWithin(filter);
  return where.add('id >= ?', first).add('id < ?', end);
}

/** All the rest of it. */
export function matching(where: Conditions, filter: TaskFilter): Conditions {
  where
    .add('status = ANY(?::task_status[])', filter.statuses)
    .add('type = ANY(?::text[])', filter.types)
    .add('queue = ?', filter.queue)
    .add('parent_id = ?', filter.parentId)
    .add('(name ILIKE ? OR description ILIKE ?)', filter.text && `%${filter.text.replace(/[\\%_]/g, '\\$&')}%`);
  return filter.topLevel ? where.always('parent_id IS NULL') : where;
}
