import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { type AppError, invalid } from '../../platform/errors/app-error.js';
import type { Task } from '../task.js';
import { TaskReader } from '../task-reader.js';
import { TaskRegistry } from '../task-registry.js';
import { TaskCounter, type TaskTotal } from './task-counter.js';
import type { TaskFilter } from './task-filter.js';
import { type ListRow, listStatement, LOOK } from './task-list.sql.js';

export interface Page {
  readonly limit: number;
  /** Id of the last task of the page before. */
  readonly after?: string;
}

/** Only from the newest: beside `after` it is refused. */
export interface PageAt extends Page {
  readonly offset?: number;
}

/** The total comes with the first page only. */
export interface TaskPage extends Partial<TaskTotal> {
  readonly tasks: readonly Task[];
  /** For {@link Page.after}; null after the last page. A page may be short, even empty, and not be the last. */
  readonly after: string | null;
}

interface Found {
  readonly ids: readonly string[];
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
    private readonly counter: TaskCounter,
  ) {}

  /**
   * One page, in bounded time whatever the filter and the history.
   * @throws invalid where `offset` stands beside `after`, or lies beyond what a page looks at.
   */
  async page(asked: TaskFilter, page: PageAt): Promise<TaskPage> {
    const { offset = 0 } = page;
    if (offset > 0 && page.after !== undefined)
      throw offsetRefused(offset, 'counts from the newest task, not from cursor');
    const filter = this.resolved(asked);
    const isFirst = page.after === undefined && offset === 0;
    const [{ tasks, after }, total] = await Promise.all([
      this.tasksOf(filter, page),
      isFirst ? this.count(filter) : undefined,
    ]);
    if (offset > 0 && tasks.length === 0 && after !== null) {
      throw offsetRefused(offset, 'is farther than a page looks for what this filter admits');
    }
    return { tasks, after, ...total };
  }

  /** As many as `limit` if there are as many, however long they have to be looked for. */
  async list(asked: TaskFilter, page: Page): Promise<Task[]> {
    const filter = this.resolved(asked);
    const ids: string[] = [];
    let rest: Page | undefined = page;
    while (rest) {
      const found: Found = await this.find(filter, rest);
      ids.push(...found.ids);
      const limit = page.limit - ids.length;
      rest = limit === 0 || found.after === null ? undefined : { limit, after: found.after };
    }
    return this.reader.getMany(ids);
  }

  private async tasksOf(filter: TaskFilter, page: PageAt): Promise<Pick<TaskPage, 'tasks' | 'after'>> {
    const { ids, after } = await this.find(filter, page);
    return { tasks: await this.reader.getMany(ids), after };
  }

  /** What stopped short is cut at its floor: below it, something newer may have been missed. */
  private async find(filter: TaskFilter, { limit, after, offset = 0 }: PageAt): Promise<Found> {
    if (admitsNothing(filter)) return { ids: [], after: null };
    const { text, values } = listStatement(filter, { limit, offset, after, look: this.lookFor(filter) });
    const [row] = await this.database.query<ListRow>(text, values);
    const { ids: looked = [], floor = null } = row ?? {};
    const ids = floor === null ? looked : looked.filter((id) => id >= floor);
    return { ids, after: ids.length === limit ? (ids.at(-1) ?? null) : floor };
  }

  private async count(filter: TaskFilter): Promise<TaskTotal> {
    return admitsNothing(filter)
      ? { total: 0, totalIsEstimate: false }
      : this.counter.count(filter, this.lookFor(filter));
  }

  private lookFor({ text }: TaskFilter): number {
    return text ? this.look.rowsWithText : this.look.rows;
  }

  /** Types are stored as defined, and asked for in any letter case, also when no handler is left; each is looked for once. */
  private resolved(filter: TaskFilter): TaskFilter {
    const types = filter.types?.map((type) => this.registry.find(type)?.definition.name ?? type);
    return { ...filter, types: types && [...new Set(types)] };
  }
}

const admitsNothing = ({ statuses, types }: TaskFilter): boolean => statuses?.length === 0 || types?.length === 0;

/** Rather than a page that leaves something out or has it twice. */
const offsetRefused = (offset: number, message: string): AppError =>
  invalid('validation_failed', 'One field of the query parameters is not acceptable: offset.', {
    fields: [
      { path: 'offset', message, value: offset, allowed: 'next_cursor of the page before as cursor, without offset' },
    ],
  });
