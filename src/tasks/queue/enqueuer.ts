import { Injectable } from '@nestjs/common';
import { Settings } from '../../platform/config/settings.js';
import { sqlState } from '../../platform/database/sql-state.js';
import { unstorableTexts } from '../../platform/database/unstorable-text.js';
import type { Sql } from '../../platform/database/transaction.js';
import { conflict, invalid } from '../../platform/errors/app-error.js';
import { Tracing, within } from '../../platform/tracing/tracing.js';
import type { TaskType } from '../define-task.js';
import { TOGETHER_FROM } from './audit.sql.js';
import { EnginePool } from './engine-pool.js';
import {
  type EnqueueBatch,
  enqueueValues,
  type IdentifiedBatch,
  type NewTask,
  type SingleTask,
  startedRow,
  startedValues,
  type TracedBatch,
} from './enqueue-values.js';
import { ENQUEUE_STARTED, ENQUEUE_STARTED_WITHOUT_KEY } from './enqueue-started.sql.js';
import {
  ENQUEUE,
  ENQUEUE_MANY,
  ENQUEUE_MANY_WITHOUT_KEYS,
  ENQUEUE_WITHOUT_KEYS,
  FIND_BY_DEDUP_KEY,
} from './enqueue.sql.js';
import { newTaskIds } from './task-ids.js';
import type { Opening } from './wakeup.js';

export interface EnqueuedTask {
  readonly id: string;
  /** false: an unfinished task with the same dedup key was there already, and this is its id. */
  readonly created: boolean;
}

/** Rows a statement. Larger batches save round trips but hold more text in memory on both sides. */
export const ROWS_A_STATEMENT = 2_000;
/** The first statement's: the database waits while it is being made. Smaller is a statement that is hardly worth its plan. */
const ROWS_OF_THE_FIRST = 250;
/** A holder of a dedup key may finish between our insert and our look-up: then the key is free, try again. */
const DEDUP_ROUNDS = 5;

/** Adds tasks; in the caller's transaction when given its `sql`. */
@Injectable()
export class Enqueuer {
  constructor(
    private readonly pool: EnginePool,
    private readonly tracing: Tracing,
    private readonly settings: Settings,
  ) {}

  async addOne(sql: Sql, one: SingleTask): Promise<EnqueuedTask> {
    const [added] = await this.add(sql, { ...one, tasks: [one.task] });
    if (!added) throw new Error('a task was added without an answer');
    return added;
  }

  /**
   * Adds a task as the one that fills this opening; gives nothing, and adds nothing, when its dedup key is taken. A worker that
   * has just lost its lease does not start it: then `started` is false.
   */
  async addStarted(
    one: SingleTask,
    opening: Opening,
  ): Promise<(EnqueuedTask & { readonly started: boolean }) | undefined> {
    const { workerId, limitsRevision } = opening;
    const [added] = await this.traced(one.definition, async (traceParent) => {
      const terms = [workerId, limitsRevision, this.settings.prioritySeconds, traceParent ?? null];
      const [id = ''] = newTaskIds(1);
      const filled = { taken: false };
      try {
        const task = { ...one, id, paramsJson: JSON.stringify(one.task.params), traceParent };
        const start = ([answer]: Started[]): void => {
          if (!answer?.started) return;
          filled.taken = true;
          opening.take(startedRow(task));
        };
        const statement = one.task.dedupKey === undefined ? ENQUEUE_STARTED_WITHOUT_KEY : ENQUEUE_STARTED;
        const values = [...terms, ...startedValues(task)];
        const rows = await refusingBadData([one.task], () => this.pool.seenBeforeDurable(statement, values, start));
        return rows.map(({ started }) => ({ id, created: true, started }));
      } finally {
        if (!filled.taken) opening.decline();
      }
    });
    return added;
  }

  /** Gives one answer a task, in order. @throws invalid `invalid_task_input` for what the database cannot hold. */
  add(sql: Sql, batch: EnqueueBatch): Promise<EnqueuedTask[]> {
    return this.traced(batch.definition, (traceParent) => this.write(sql, { ...batch, traceParent }));
  }

  /** Where traces are on, in a span that the attempts of what is added go on from. */
  private async traced<T extends EnqueuedTask>(
    { name, version, queue }: TaskType,
    write: (traceParent: string | undefined) => Promise<T[]>,
  ): Promise<T[]> {
    const { spans } = this.tracing;
    if (spans === undefined) return write(undefined);
    const attributes = { taskName: name, taskVersion: version, queue };
    const span = spans.open({ name: `enqueue ${name}`, kind: 'producer', attributes });
    return within(span, async () => {
      const answers = await write(span.traceParent);
      span.set({ tasks: answers.length, jobId: answers.length === 1 ? answers[0]?.id : undefined });
      return answers;
    });
  }

  /**
   * While the database writes one chunk the next is made, and is there when it is done: two are on their way at most, one
   * where dedup keys may make it ask further. Nothing is on its way any more when this ends, however it does: what came
   * later would not be in the caller's transaction.
   */
  private async write(sql: Sql, batch: TracedBatch): Promise<EnqueuedTask[]> {
    const answers: EnqueuedTask[] = [];
    const underWay: Promise<EnqueuedTask[]>[] = [];
    const untilFewerThan = async (count: number): Promise<void> => {
      for (; underWay.length >= count; underWay.shift())
        for (const answer of (await underWay[0]) ?? []) answers.push(answer);
    };
    let position = 1;
    let keyed = false;
    try {
      for (const tasks of chunksOf(batch.tasks)) {
        const chunk = { ...batch, tasks, ids: newTaskIds(tasks.length), position };
        position += tasks.length;
        keyed ||= hasKeys(chunk);
        const values = this.valuesOf(chunk);
        await untilFewerThan(keyed ? 1 : 2);
        const writing = this.addChunk(sql, chunk, values);
        writing.catch(() => undefined); // it is awaited in its turn
        underWay.push(writing);
      }
      await untilFewerThan(1);
      return answers;
    } finally {
      await Promise.allSettled(underWay);
    }
  }

  private async addChunk(sql: Sql, chunk: IdentifiedBatch, values: unknown[]): Promise<EnqueuedTask[]> {
    const keyed = hasKeys(chunk);
    const added = await this.insert(sql, chunk, { values, statement: statementFor(chunk.ids.length, keyed) });
    if (!keyed || added.size === chunk.ids.length) return chunk.ids.map((id) => ({ id, created: true }));
    return this.settleDuplicates(sql, chunk, added);
  }

  /**
   * Some keys were taken: finds the holders, and inserts again where a holder has finished meanwhile. What was added is
   * never added again, though it too may have run and finished meanwhile.
   */
  private async settleDuplicates(sql: Sql, chunk: IdentifiedBatch, added: Set<string>): Promise<EnqueuedTask[]> {
    const { definition, tasks, ids } = chunk;
    const keyOf = (index: number): string => tasks[index]?.dedupKey ?? '';
    const holderOf = new Map(ids.flatMap((id, i) => (added.has(id) ? [[keyOf(i), id] as const] : [])));
    for (let round = 0; round < DEDUP_ROUNDS; round += 1) {
      const open = [...ids.keys()].filter((i) => !added.has(ids[i] ?? '') && !holderOf.has(keyOf(i)));
      if (open.length === 0) {
        return ids.map((id, i) =>
          added.has(id) ? { id, created: true } : { id: holderOf.get(keyOf(i)) ?? id, created: false },
        );
      }
      if (round > 0)
        for (const id of await this.insert(sql, chunk, { values: this.valuesOf(chunk, open), statement: ENQUEUE }))
          added.add(id);
      const keys = open.map(keyOf);
      const holders = await sql.query<{ dedup_key: string; id: string }>(FIND_BY_DEDUP_KEY, [definition.name, keys]);
      for (const holder of holders) holderOf.set(holder.dedup_key, holder.id);
    }
    throw conflict('dedup_key_contended', `dedup keys of ${definition.name} keep changing hands; try again`);
  }

  /** Of all tasks of a chunk, or of those at `places` in it. */
  private valuesOf(chunk: IdentifiedBatch, places?: readonly number[]): unknown[] {
    return [...enqueueValues(chunk, places), this.settings.prioritySeconds, chunk.traceParent ?? null];
  }

  private async insert(
    sql: Sql,
    { tasks }: IdentifiedBatch,
    { values, statement }: { readonly values: unknown[]; readonly statement: string },
  ): Promise<Set<string>> {
    const rows = await refusingBadData(tasks, () => sql.query<{ id: string }>(statement, values));
    return new Set(rows.map((row) => row.id));
  }
}

/** What ENQUEUE_STARTED answers. */
interface Started {
  readonly started: boolean;
}

/** Looks into the params only once they are refused: that takes a walk over each. */
async function refusingBadData<T>(tasks: readonly NewTask[], write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!REFUSED_DATA.test(sqlState(error) ?? '')) throw error;
    const message = `the task cannot be stored: ${error instanceof Error ? error.message : String(error)}`;
    const bad = tasks.map(({ params }) => unstorableTexts(params, 'params')).find((texts) => texts.length > 0);
    throw invalid('invalid_task_input', message, { fields: bad ?? [], cause: error });
  }
}

/** What is known to fit into one statement goes in one: outside a transaction, it is all or nothing then. */
function* chunksOf(tasks: Iterable<NewTask>): Generator<NewTask[]> {
  let size = Array.isArray(tasks) && tasks.length <= ROWS_A_STATEMENT ? ROWS_A_STATEMENT : ROWS_OF_THE_FIRST;
  let chunk: NewTask[] = [];
  for (const task of tasks) {
    chunk.push(task);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
    size = ROWS_A_STATEMENT;
  }
  if (chunk.length > 0) yield chunk;
}

const hasKeys = ({ tasks }: IdentifiedBatch): boolean => tasks.some(({ dedupKey }) => dedupKey !== undefined);

function statementFor(count: number, keyed: boolean): string {
  if (count < TOGETHER_FROM) return keyed ? ENQUEUE : ENQUEUE_WITHOUT_KEYS;
  return keyed ? ENQUEUE_MANY : ENQUEUE_MANY_WITHOUT_KEYS;
}

/** Data exceptions (NUL, half a surrogate pair, numbers out of range), limits (a dedup key that no index holds), checks. */
const REFUSED_DATA = /^(22|54)...$|^23514$/;
