import { FINISHED_STATUSES, isFinished, TASK_STATUSES, type TaskStatus } from '../task-state.js';
import { Conditions, idsWithin, matching, type TaskFilter, withinIds } from './task-filter.js';

/**
 * How many rows one page looks at where no index decides. No index serves every filter, and each one would cost every task
 * that settles; so a page that finds too little stops here, and its cursor goes on from there. Larger: rare matches come in
 * fewer pages, and the slowest page takes longer (2,000 rows: some 1 ms; text is compared at a fifth of that speed).
 */
export const LOOK = { rows: 2_000, rowsWithText: 1_000 } as const;
/** How many fewer through an index whose rows lie scattered over the table, a page of the file for each. */
const SCATTERED = 4;
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
 * far as is needed; what its index does not decide is compared with what it gives. Each has its own LIMIT, because the
 * planner, which cannot tell how many rows will match, might otherwise read all of them and sort.
 */
export function listStatement(filter: TaskFilter, { limit, offset, after, look }: ListWindow): ListStatement {
  const values: unknown[] = [];
  const wanted = String(limit + offset);
  const ends: string[] = [];
  const found = sources(filter).map((source) => {
    const range = rangeOf(source, filter, { values, after });
    const rest = restOf(source, filter, values);
    if (rest === '') return newest(source, range, `LIMIT ${wanted}`);
    const most = mostRows(source, look) + offset;
    const looked = newest(source, range, `LIMIT ${String(most)}`);
    const bounds = `OFFSET ${String(most - 1)} LIMIT 1`;
    ends.push(newest(source, bounded(range, source, ['>', '(SELECT id FROM last)']), bounds));
    return `(SELECT id FROM ${looked} looked ${rest} ORDER BY id DESC LIMIT ${wanted})`;
  });
  const text = `
    WITH hits AS MATERIALIZED (
      SELECT id FROM (${found.map((rows) => `SELECT id FROM ${rows} source`).join(' UNION ALL ')}) found
      ORDER BY id DESC LIMIT ${wanted}
    ), last AS MATERIALIZED (
      SELECT CASE WHEN (SELECT count(*) FROM hits) = ${wanted} THEN (SELECT id FROM hits ORDER BY id LIMIT 1)
        ELSE '${FIRST_ID}'::uuid END AS id
    )
    SELECT ARRAY(SELECT id FROM hits ORDER BY id DESC LIMIT ${String(limit)} OFFSET ${String(offset)}) AS ids,
      ${floorOf(ends)} AS floor`;
  return { text, values };
}

const floorOf = (ends: readonly string[]): string =>
  ends.length === 0
    ? 'NULL::uuid'
    : `(SELECT id FROM (${ends.map((end) => `SELECT id FROM ${end} looked`).join(' UNION ALL ')}) ends ORDER BY id DESC LIMIT 1)`;

/** Counts matches among the newest rows of each source; `is_cut` when a source has more rows than were looked at. */
export function countStatement(filter: TaskFilter, look: number): ListStatement {
  const values: unknown[] = [];
  const all = sources(filter);
  const counts = all.map((source) => {
    const range = rangeOf(source, filter, { values });
    const rest = restOf(source, filter, values);
    const most = Math.ceil((rest === '' ? MOST_COUNTED : mostRows(source, look)) / all.length);
    const rows = newest(source, range, `LIMIT ${String(most + 1)}`);
    const matches = rest === '' ? 'count(*)' : `count(*) FILTER (${rest})`;
    return `SELECT ${matches} AS found, count(*) > ${String(most)} AS cut FROM ${rows} looked`;
  });
  const text = `SELECT sum(found)::int AS found, bool_or(cut) AS is_cut FROM (${counts.join(' UNION ALL ')}) counts`;
  return { text, values };
}

const mostRows = ({ isScattered }: Source, look: number): number => (isScattered ? Math.ceil(look / SCATTERED) : look);

/** What the planner believes: for totals that are too large to count. */
export function estimateStatement(filter: TaskFilter): ListStatement {
  const where = matching(withinIds(new Conditions(), filter), filter);
  return { text: `EXPLAIN (FORMAT JSON) SELECT id FROM tasks ${where.sql()}`, values: where.values };
}

const COLUMNS = 'id, status, type, queue, name, description, parent_id';

const newest = ({ table, kind }: Source, range: Conditions, bounds: string): string =>
  `(SELECT ${COLUMNS} FROM ${table} ${range.sql()} ORDER BY ${kind ? BY_KIND : 'id DESC'} ${bounds})`;

/** The order of finished_tasks_kind, which no other index has. */
const BY_KIND = 'hashtext(type) DESC, status DESC, id DESC';

interface From {
  readonly values: unknown[];
  /** Only what is older. */
  readonly after?: string;
}

/** What the source's index decides. */
function rangeOf(source: Source, filter: TaskFilter, { values, after }: From): Conditions {
  const range = new Conditions(values);
  const { first, end } = idsWithin(filter, after);
  const { kind, where } = source;
  if (kind || first !== undefined) bounded(range, source, ['>=', `${range.bind(first ?? FIRST_ID)}::uuid`]);
  if (kind || end !== undefined) bounded(range, source, ['<', `${range.bind(end ?? LAST_ID)}::uuid`]);
  for (const [sql, value] of where) range.add(sql, value);
  return range;
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Those of a kind are bounds of all columns of finished_tasks_kind, which alone has that order. Were type and status equal to
 * something, the primary key would have it too, and where a kind is frequent the planner would take that: however long ago
 * the last of the kind was.
 */
function bounded(
  range: Conditions,
  { kind }: Source,
  [operator, id]: readonly [operator: string, id: string],
): Conditions {
  if (!kind) return range.always(`id ${operator} ${id}`);
  const wanted = `hashtext(${range.bind(kind.type)}), ${range.bind(kind.status)}::task_status, ${id}`;
  return range.always(`(hashtext(type), status, id) ${operator} (${wanted})`);
}

/** And what it does not. */
const restOf = ({ decides }: Source, filter: TaskFilter, values: unknown[]): string =>
  matching(new Conditions(values), {
    ...filter,
    ...Object.fromEntries(decides.map((part) => [part, undefined])),
  }).sql();

interface Source {
  readonly table: 'live_tasks' | 'finished_tasks' | typeof RUNNING;
  /** A range of one index. */
  readonly where: readonly (readonly [sql: string, value: unknown])[];
  /** The parts of the filter that hold for all of its rows. */
  readonly decides: readonly (keyof TaskFilter)[];
  /** Neighbours in the index are far from each other in the table. */
  readonly isScattered: boolean;
  /** Where the index is finished_tasks_kind. */
  readonly kind?: Kind;
}

interface Kind {
  readonly type: string;
  readonly status: TaskStatus;
}

/** Indexes that, between them, hold every match. */
function sources(filter: TaskFilter): Source[] {
  const statuses = filter.statuses;
  const live = statuses === undefined || statuses.some((status) => !isFinished(status));
  const finished = statuses === undefined || statuses.some(isFinished);
  return [...(live ? [liveSource(filter)] : []), ...(finished ? finishedSources(filter) : [])];
}

/**
 * All of what runs (index live_tasks_running), which is not much: beside a million newer tasks that wait, the primary key in
 * the order of the answer, which the planner would like, comes to them last.
 */
const RUNNING = `(SELECT * FROM live_tasks WHERE status = 'running' OFFSET 0) running`;

/** live_tasks_children, live_tasks_running, or the primary key. */
function liveSource({ parentId, statuses }: TaskFilter): Source {
  const table = 'live_tasks';
  if (parentId !== undefined) return batchesOf(parentId, table);
  const wanted = statuses?.filter((status) => !isFinished(status));
  if (wanted?.every((status) => status === 'running')) {
    return { table: RUNNING, where: [], decides: ['statuses'], isScattered: true };
  }
  return { table, where: [], decides: includesAll(wanted, LIVE_STATUSES) ? ['statuses'] : [], isScattered: false };
}

/** finished_tasks_children, finished_tasks_kind, finished_tasks_unsuccessful, or the primary key. */
function finishedSources({ parentId, statuses, types }: TaskFilter): Source[] {
  const table = 'finished_tasks';
  const wanted: readonly TaskStatus[] = statuses?.filter(isFinished) ?? FINISHED_STATUSES;
  if (parentId !== undefined) return [batchesOf(parentId, table)];
  if (types !== undefined && types.length * wanted.length <= MAX_SOURCES) {
    return types.flatMap((type) => wanted.map((status) => ofKind(type, status)));
  }
  if (!wanted.includes('completed')) {
    return wanted.map((status) => ({
      ...{ table, where: [['status = ?', status]], decides: ['statuses'] },
      isScattered: true,
    }));
  }
  return [
    { table, where: [], decides: includesAll(wanted, FINISHED_STATUSES) ? ['statuses'] : [], isScattered: false },
  ];
}

const ofKind = (type: string, status: TaskStatus): Source => ({
  table: 'finished_tasks',
  // Two types may have the same hash. With `=` the planner would find the kind so rare that it reads and sorts all of it.
  where: [['texteq(type, ?)', type]],
  decides: ['types', 'statuses'],
  isScattered: true,
  kind: { type, status },
});

const batchesOf = (parentId: string, table: Source['table']): Source => ({
  ...{ table, where: [['parent_id = ?', parentId]], decides: ['parentId'] },
  isScattered: false,
});

const LIVE_STATUSES = TASK_STATUSES.filter((status) => !isFinished(status));

const includesAll = (wanted: readonly TaskStatus[] | undefined, all: readonly TaskStatus[]): boolean =>
  wanted === undefined || all.every((status) => wanted.includes(status));
