import { FINISHED_STATUSES, isFinished, type TaskStatus } from '../task-state.js';
import { Conditions, matching, type TaskFilter, withinIds } from './task-filter.js';

/**
 * How many rows of an index one page looks at. No index serves every filter, and each one would cost every task that
 * settles; so a page that finds too little stops here, and its cursor goes on from there. Larger: rare matches come in
 * fewer pages, and the slowest page takes longer (20,000 rows: some 5 ms; text is compared at a fifth of that speed).
 */
export const LOOK = { rows: 20_000, rowsWithText: 3_000 } as const;
/** More combinations of type and status than this are not looked up one by one. */
const MAX_SOURCES = 60;

export interface ListStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface ListRow {
  /** The page, newest first. */
  readonly ids: string[];
  /** Matches found, up to the number asked for. */
  readonly found: number;
  /** Where looking stopped short: what is older has not been looked at. */
  readonly floor: string | null;
}

export interface ListWindow {
  readonly limit: number;
  readonly offset: number;
  readonly after?: string;
  /** How many matches to count; at least limit + offset. */
  readonly count: number;
  /** {@link LOOK}, or less in tests. */
  readonly look: number;
}

/**
 * A page of ids and how many matches there are, in one statement and so of one moment. Each source reads one index
 * backwards, in the order of the answer, and only as far as is needed; the filter as a whole is applied to what they give.
 */
export function listStatement(filter: TaskFilter, { limit, offset, after, count, look }: ListWindow): ListStatement {
  const values: unknown[] = [];
  const ranges = sources(filter).map(({ table, where }) => {
    const range = withinIds(new Conditions(values), filter).add('id < ?', after);
    for (const [sql, value] of where) range.add(sql, value);
    return { table, range };
  });
  const looked = ranges.map(({ table, range }) => newest(table, range, `LIMIT ${String(look)}`));
  const filtered = matching(new Conditions(values), filter);
  const last = `(SELECT id FROM last)`;
  const ends = ranges.map(({ table, range }) =>
    newest(table, range.always(`id > ${last}`), `OFFSET ${String(look - 1)} LIMIT 1`),
  );
  const text = `
    WITH hits AS MATERIALIZED (
      SELECT id FROM (${looked.join(' UNION ALL ')}) looked ${filtered.sql()} ORDER BY id DESC LIMIT ${String(count)}
    ), last AS MATERIALIZED (
      SELECT CASE WHEN (SELECT count(*) FROM hits) = ${String(count)} THEN (SELECT id FROM hits ORDER BY id LIMIT 1)
        ELSE '00000000-0000-0000-0000-000000000000'::uuid END AS id
    )
    SELECT ARRAY(SELECT id FROM hits ORDER BY id DESC LIMIT ${String(limit)} OFFSET ${String(offset)}) AS ids,
      (SELECT count(*)::int FROM hits) AS found,
      (SELECT id FROM (${ends.join(' UNION ALL ')}) ends ORDER BY id DESC LIMIT 1) AS floor`;
  return { text, values };
}

/** What the planner believes: for totals that are too large to count. */
export function estimateStatement(filter: TaskFilter): ListStatement {
  const where = matching(withinIds(new Conditions(), filter), filter);
  return { text: `EXPLAIN (FORMAT JSON) SELECT id FROM tasks ${where.sql()}`, values: where.values };
}

const COLUMNS = 'id, status, type, queue, name, description, parent_id';

const newest = (table: string, range: Conditions, bounds: string): string =>
  `(SELECT ${COLUMNS} FROM ${table} ${range.sql()} ORDER BY id DESC ${bounds})`;

interface Source {
  readonly table: 'live_tasks' | 'finished_tasks';
  readonly where: readonly (readonly [sql: string, value: unknown])[];
}

/** Indexes that, between them, hold every match. */
function sources(filter: TaskFilter): Source[] {
  const statuses = filter.statuses;
  const live = statuses === undefined || statuses.some((status) => !isFinished(status));
  const finished = statuses === undefined || statuses.some(isFinished);
  return [...(live ? [liveSource(filter)] : []), ...(finished ? finishedSources(filter) : [])];
}

/** live_tasks_children, live_tasks_running, or the primary key. */
function liveSource({ parentId, statuses }: TaskFilter): Source {
  const where: Source['where'] =
    parentId !== undefined
      ? [['parent_id = ?', parentId]]
      : statuses?.every((status) => status === 'running' || isFinished(status))
        ? [['status = ?', 'running']]
        : [];
  return { table: 'live_tasks', where };
}

/** finished_tasks_children, finished_tasks_kind, finished_tasks_unsuccessful, or the primary key. */
function finishedSources({ parentId, statuses, types }: TaskFilter): Source[] {
  const wanted: readonly TaskStatus[] = statuses?.filter(isFinished) ?? FINISHED_STATUSES;
  const table = 'finished_tasks';
  if (parentId !== undefined) return [{ table, where: [['parent_id = ?', parentId]] }];
  if (types !== undefined && types.length * wanted.length <= MAX_SOURCES) {
    return types.flatMap((type) =>
      wanted.map((status): Source => ({
        table,
        where: [
          ['type = ?', type],
          ['status = ?', status],
        ],
      })),
    );
  }
  if (!wanted.includes('completed')) return wanted.map((status) => ({ table, where: [['status = ?', status]] }));
  return [{ table, where: [] }];
}
