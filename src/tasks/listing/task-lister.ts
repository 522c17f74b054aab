import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { Task } from '../task.js';
import { TaskReader } from '../task-reader.js';
import { TaskRegistry } from '../task-registry.js';
import type { TaskFilter } from './task-filter.js';
import { estimateStatement, type ListRow, listStatement, type ListWindow, LOOK } from './task-list.sql.js';

export interface Page {
  readonly limit: number;
  /** Id of the last task of the page before. */
  readonly after?: string;
  readonly offset?: number;
}

/** Matches counted before the rest is estimated. */
const MAX_COUNTED = 10_000;

export interface TaskPage {
  readonly tasks: readonly Task[];
  /** For {@link Page.after}; null after the last page. A page may be short, even empty, and not be the last. */
  readonly after: string | null;
  /** Only for the first page. */
  readonly total?: number;
  /** The total is what the planner believes, not counted. */
  readonly totalIsEstimate?: boolean;
}

interface Hits extends ListRow {
  readonly after: string | null;
}

/** Lists of tasks, newest first: ids are UUID v7, so their order is that of creation. */
@Injectable()
export class TaskLister {
  /** Tests look at less. */
  look: { readonly rows: number; readonly rowsWithText: number } = LOOK;

  constructor(
    private readonly database: Database,
    private readonly reader: TaskReader,
    private readonly registry: TaskRegistry,
  ) {}

  /** One page, in bounded time whatever the filter and the history. */
  async page(asked: TaskFilter, page: Page): Promise<TaskPage> {
    const filter = this.resolved(asked);
    const first = page.after === undefined && (page.offset ?? 0) === 0;
    const hits = await this.find(filter, page, first ? MAX_COUNTED + 1 : 0);
    const tasks = await this.reader.getMany(hits.ids);
    if (!first) return { tasks, after: hits.after };
    const exact = hits.found <= MAX_COUNTED && hits.floor === null;
    const total = exact ? hits.found : Math.max(hits.found, await this.estimate(filter));
    return { tasks, after: hits.after, total, totalIsEstimate: !exact };
  }

  /** As many as `limit` if there are as many, however long they have to be looked for. */
  async list(asked: TaskFilter, page: Page): Promise<Task[]> {
    const filter = this.resolved(asked);
    const ids: string[] = [];
    let rest: Page | undefined = page;
    while (rest) {
      const hits: Hits = await this.find(filter, rest);
      ids.push(...hits.ids);
      const limit = page.limit - ids.length;
      rest = limit === 0 || hits.after === null ? undefined : { limit, after: hits.after };
    }
    return this.reader.getMany(ids);
  }

  /** What stopped short is cut at its floor: below it, something newer may have been missed. */
  private async find(filter: TaskFilter, { limit, after, offset = 0 }: Page, count = 0): Promise<Hits> {
    if (filter.statuses?.length === 0 || filter.types?.length === 0) return NOTHING;
    const look = (filter.text ? this.look.rowsWithText : this.look.rows) + offset;
    const window: ListWindow = { limit, offset, after, look, count: Math.max(count, limit + offset) };
    const { text, values } = listStatement(filter, window);
    const [row = NOTHING] = await this.database.query<ListRow>(text, values);
    const { floor } = row;
    const ids = floor === null ? row.ids : row.ids.filter((id) => id >= floor);
    return { ...row, ids, after: ids.length === limit ? (ids.at(-1) ?? null) : floor };
  }

  private async estimate(filter: TaskFilter): Promise<number> {
    const { text, values } = estimateStatement(filter);
    const [row] = await this.database.query<{ 'QUERY PLAN': { Plan: { 'Plan Rows': number } }[] }>(text, values);
    return row?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? 0;
  }

  /** Types are stored as defined, and asked for in any letter case, also when no handler is left. */
  private resolved(filter: TaskFilter): TaskFilter {
    return { ...filter, types: filter.types?.map((type) => this.registry.find(type)?.definition.name ?? type) };
  }
}

const NOTHING: Hits = { ids: [], found: 0, floor: null, after: null };
