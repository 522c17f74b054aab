import { FINISHED_STATUSES, isFinished, TASK_STATUSES, type TaskStatus } from '../task-state.js';
import { Conditions, matching, type TaskFilter, withinIds } from './task-filter.js';

/**
 * How many rows of an index one page looks at. No index serves every filter, and each one would cost every task that
 * settles; so a page that finds too little stops here, and its cursor goes on from there. Larger: rare matches come in
 * fewer pages, and the slowest page takes longer (5,000 rows: some 2 ms; text is compared at a fifth of that speed).
 */
export const LOOK = { rows: 5_000, rowsWithText: 1_000 } as const;
/** Matches counted where an index alone tells that they match (some 4 ms); what is more is estimated. */
const MOST_COUNTED = 10_000;
/** More combinations of type and status than this are not looked up one by one. */
const MAX_SOURCES = 60;

export interface ListStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface ListRow {
  /** The page, newest first. */
  readonly ids: string[];
  /** Where looking stopped short: what is older has not been looked at. */
  readonly floor: string | null;
}

export interface ListWindow {
  readonly limit: number;
  readonly offset: number;
  readonly after?: string;
  /** {@link LOOK}, or less in tests. */
  readonly look: number;
}

/**
 * A page of ids, and where looking stopped. Each source reads one index backwards, in the order of the answer, and only as
 * far as is needed; what its index does not decide is compared with what it gives.
 */
export function listStatement(filter: TaskFilter, { limit, offset, after, look }: ListWindow): ListStatement {
  const values: unknown[] = [];
  const wanted = limit + offset;
  const each = sources(filter).map((source) => {
    const range = rangeOf(source, filter, values).add('id < ?', after);
    const found = `(SELECT id FROM ${newest(source, range, `LIMIT ${String(look)}`)} looked ${restOf(source, filter, values)})`;
    const end = newest(source, range.always('id > (SELECT id FROM last)'), `OFFSET ${String(look - 1)} LIMIT 1`);
    return { found, end };
  });
  const text = `
    WITH hits AS MATERIALIZED (
      SELECT id FROM (${each.map(({ found }) => found).join(' UNION ALL ')}) found ORDER BY id DESC LIMIT ${String(wanted)}
    ), last AS MATERIALIZED (
      SELECT CASE WHEN (SELECT count(*) FROM hits) = ${String(wanted)} THEN (SELECT id FROM hits ORDER BY id LIMIT 1)
        ELSE '00000000-0000-0000-0000-000000000000'::uuid END AS id
    )
    SELECT ARRAY(SELECT id FROM hits ORDER BY id DESC LIMIT ${String(limit)} OFFSET ${String(offset)}) AS ids,
      (SELECT id FROM (${each.map(({ end }) => `SELECT id FROM ${end} looked`).join(' UNION ALL ')}) ends
        ORDER BY id DESC LIMIT 1) AS floor`;
  return { text, values };
}

/** Counts matches among the newest rows of each source; `is_cut` when a source has more rows than were looked at. */
export function countStatement(filter: TaskFilter, look: number): ListStatement {
  const values: unknown[] = [];
  const all = sources(filter);
  const counts = all.map((source) => {
    const range = rangeOf(source, filter, values);
    const rest = restOf(source, filter, values);
    const most = Math.ceil((rest === '' ? MOST_COUNTED : look) / all.length);
    const rows = newest(source, range, `LIMIT ${String(most + 1)}`);
    const matches = rest === '' ? 'count(*)' : `count(*) FILTER (${rest})`;
    return `SELECT ${matches} AS found, count(*) > ${String(most)} AS cut FROM ${rows} looked`;
  });
  const text = `SELECT sum(found)::int AS found, bool_or(cut) AS is_cut FROM (${counts.join(' UNION ALL ')}) counts`;
  return { text, values };
}

/** What the planner believes: for totals that are too large to count. */
export function estimateStatement(filter: TaskFilter): ListStatement {
  const where = matching(withinIds(new Conditions(), filter), filter);
  return { text: `EXPLAIN (FORMAT JSON) SELECT id FROM tasks ${where.sql()}`, values: where.values };
}

const COLUMNS = 'id, status, type, queue, name, description, parent_id';

const newest = ({ table }: Source, range: Conditions, bounds: string): string =>
  `(SELECT ${COLUMNS} FROM ${table} ${range.sql()} ORDER BY id DESC ${bounds})`;

/** What the source's index decides. */
function rangeOf({ where }: Source, filter: TaskFilter, values: unknown[]): Conditions {
  const range = withinIds(new Conditions(values), filter);
  for (const [sql, value] of where) range.add(sql, value);
  return range;
}

/** And what it does not. */
const restOf = ({ decides }: Source, filter: TaskFilter, values: unknown[]): string =>
  matching(new Conditions(values), {
    ...filter,
    ...Object.fromEntries(decides.map((part) => [part, undefined])),
  }).sql();

interface Source {
  readonly table: 'live_tasks' | 'finished_tasks';
  /** A range of one index. */
  readonly where: readonly (readonly [sql: string, value: unknown])[];
  /** The parts of the filter that hold for all of its rows. */
  readonly decides: readonly (keyof TaskFilter)[];
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
  const table = 'live_tasks';
  if (parentId !== undefined) return { table, where: [['parent_id = ?', parentId]], decides: ['parentId'] };
  const wanted = statuses?.filter((status) => !isFinished(status));
  if (wanted?.every((status) => status === 'running')) {
    return { table, where: [['status = ?', 'running']], decides: ['statuses'] };
  }
  return { table, where: [], decides: includesAll(wanted, LIVE_STATUSES) ? ['statuses'] : [] };
}

/** finished_tasks_children, finished_tasks_kind, finished_tasks_unsuccessful, or the primary key. */
function finishedSources({ parentId, statuses, types }: TaskFilter): Source[] {
  const table = 'finished_tasks';
  const wanted: readonly TaskStatus[] = statuses?.filter(isFinished) ?? FINISHED_STATUSES;
  if (parentId !== undefined) return [{ table, where: [['parent_id = ?', parentId]], decides: ['parentId'] }];
  if (types !== undefined && types.length * wanted.length <= MAX_SOURCES) {
    return types.flatMap((type) => wanted.map((status) => ofKind(type, status)));
  }
  if (!wanted.includes('completed')) {
    return wanted.map((status) => ({ table, where: [['status = ?', status]], decides: ['statuses'] }));
  }
  return [{ table, where: [], decides: includesAll(wanted, FINISHED_STATUSES) ? ['statuses'] : [] }];
}

const ofKind = (type: string, status: TaskStatus): Source => ({
  table: 'finished_tasks',
  where: [
    ['type = ?', type],
    ['status = ?', status],
  ],
  decides: ['types', 'statuses'],
});

const LIVE_STATUSES = TASK_STATUSES.filter((status) => !isFinished(status));

const includesAll = (wanted: readonly TaskStatus[] | undefined, all: readonly TaskStatus[]): boolean =>
  wanted === undefined || all.every((status) => wanted.includes(status));
