import { Injectable } from '@nestjs/common';
import { v7 as uuidv7, validate as isUuid } from 'uuid';
import { Database } from '../../platform/database/database.js';
import { conflict, invalid } from '../../platform/errors/app-error.js';
import { Conditions, matching, type TaskFilter, withinIds } from '../listing/task-filter.js';
import { TaskRegistry } from '../task-registry.js';
import type { TaskStatus } from '../task-state.js';
import {
  ACTS_ON,
  type Bulk,
  type BulkAction,
  type BulkRequest,
  CHUNK,
  CONFIRMABLE_MS,
  type Confirmation,
  MAX_TASKS,
} from './bulk.js';
import { CONFIRM_BULK, FIND_BULK, planStatement, SAMPLE_OF_BULK, SWEEP_BULKS } from './bulk.sql.js';

interface BulkRow {
  id: string;
  action: BulkAction;
  statuses: TaskStatus[];
  task_count: number;
  is_complete: boolean;
  planned_by: string;
  planned_at: Date;
  confirmed_at: Date | null;
  processed: number;
  changed: number;
  finished_at: Date | null;
}

/** Chooses the tasks of an operation, and lets whoever saw the choice confirm it. */
@Injectable()
export class BulkPlanner {
  /** Tests take less. */
  limits = { chunk: CHUNK, tasks: MAX_TASKS };

  constructor(
    private readonly database: Database,
    private readonly registry: TaskRegistry,
  ) {}

  /** @throws invalid `bulk_too_wide`, `bulk_wrong_status`. */
  async plan({ action, filter, actor }: BulkRequest): Promise<Bulk> {
    const narrowed = this.narrowed(action, filter);
    await this.database.query(SWEEP_BULKS, [CONFIRMABLE_MS]);
    const values = [
      uuidv7(),
      action,
      JSON.stringify(filter),
      narrowed.statuses,
      actor,
      this.limits.chunk,
      this.limits.tasks,
    ];
    const where = matching(withinIds(new Conditions(values), narrowed), narrowed);
    if (action !== 'cancel') where.always('workflow_id IS NULL');
    const table = action === 'cancel' ? 'live_tasks' : 'finished_tasks';
    const [row] = await this.database.query<BulkRow>(planStatement({ table, where: where.sql() }), where.values);
    if (!row) throw new Error('a bulk operation was planned without an answer');
    return bulkOf(row);
  }

  /** Ids of some of the chosen tasks, newest first. */
  async sample(id: string, limit: number): Promise<string[]> {
    return (await this.database.query<{ id: string }>(SAMPLE_OF_BULK, [id, limit])).map((row) => row.id);
  }

  async find(id: string): Promise<Bulk | undefined> {
    const [row] = isUuid(id) ? await this.database.query<BulkRow>(FIND_BULK, [id]) : [];
    return row && bulkOf(row);
  }

  /** Idempotent. @throws conflict `bulk_not_confirmable`. */
  async confirm(id: string, { action, actor, filter }: Confirmation): Promise<Bulk> {
    const values = [id, action, actor, CONFIRMABLE_MS, filter === undefined ? null : JSON.stringify(filter)];
    const [row] = isUuid(id) ? await this.database.query<BulkRow>(CONFIRM_BULK, values) : [];
    if (row) return bulkOf(row);
    throw conflict(
      'bulk_not_confirmable',
      `this is no dry run of ${action} with this filter that you made in the last 15 minutes; make one`,
    );
  }

  private narrowed(action: BulkAction, filter: TaskFilter): TaskFilter & { readonly statuses: readonly TaskStatus[] } {
    if (Object.values(filter).every((value) => value === undefined || value === '')) {
      const message = 'an operation on all tasks there are must say so: give the filter the status "all"';
      throw invalid('bulk_too_wide', message, {
        fields: [{ path: 'filter', message: 'is empty', allowed: 'at least one field, such as {"status": "all"}' }],
      });
    }
    const possible = ACTS_ON[action];
    const statuses = filter.statuses?.filter((status) => possible.includes(status)) ?? possible;
    if (statuses.length === 0) {
      throw invalid('bulk_wrong_status', `${action} acts on tasks that are ${possible.join(', ')}`, {
        fields: [
          {
            path: 'filter.status',
            message: `names no status that ${action} acts on`,
            value: filter.statuses?.join(','),
            allowed: possible.join(', '),
          },
        ],
      });
    }
    const types = filter.types?.map((type) => this.registry.find(type)?.definition.name ?? type);
    return { ...filter, statuses, types, topLevel: true };
  }
}

const bulkOf = (row: BulkRow): Bulk => ({
  id: row.id,
  action: row.action,
  statuses: row.statuses,
  taskCount: row.task_count,
  isComplete: row.is_complete,
  plannedBy: row.planned_by,
  plannedAt: row.planned_at,
  confirmedAt: row.confirmed_at,
  processed: row.processed,
  changed: row.changed,
  finishedAt: row.finished_at,
});
