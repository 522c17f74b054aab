import { Injectable } from '@nestjs/common';
import { jsonArray, numberArray, unlessNull, uuidArray } from '../../platform/database/array-literal.js';
import { sqlState } from '../../platform/database/sql-state.js';
import type { Sql } from '../../platform/database/transaction.js';
import { conflict, invalid } from '../../platform/errors/app-error.js';
import { Tracing, within } from '../../platform/tracing/tracing.js';
import type { TaskType } from '../define-task.js';
import { TOGETHER_FROM } from './audit.sql.js';
import { ENQUEUE_STARTED } from './enqueue-started.sql.js';
import {
  ENQUEUE,
  ENQUEUE_MANY,
  ENQUEUE_MANY_WITHOUT_KEYS,
  ENQUEUE_WITHOUT_KEYS,
  FIND_BY_DEDUP_KEY,
} from './enqueue.sql.js';
import type { ClaimedRow } from '../worker/attempt.js';
import { newTaskIds } from './task-ids.js';
import type { Opening } from './wakeup.js';

/** One task to add: its validated input and what differs from its neighbours. */
export interface NewTask {
  readonly params: object;
  readonly dedupKey?: string;
  readonly weight?: number;
}

/** What the tasks of one call have in common. */
export interface EnqueueTerms {
  readonly actor: string;
  readonly name?: string;
  readonly description?: string;
  readonly domain?: string;
  readonly driftScore?: number;
  readonly priority?: number;
  readonly runAt?: Date;
  readonly startBy?: Date;
  readonly metadata?: object;
  /** false: the task waits, `created`, until someone runs it. Default true. */
  readonly runImmediately?: boolean;
  readonly parent?: { readonly id: string; readonly round: number };
}

/** Tasks of one type on one set of terms. They are asked for as they are written, and again if all is written again. */
export interface EnqueueBatch {
  readonly definition: TaskType;
  readonly tasks: Iterable<NewTask>;
  readonly terms: EnqueueTerms;
}

/** Where in which trace they are added: their attempts go on from there. */
interface TracedBatch extends EnqueueBatch {
  readonly traceParent: string | undefined;
}

export interface EnqueuedTask {
  readonly id: string;
  /** false: an unfinished task with the same dedup key was there already, and this is its id. */
  readonly created: boolean;
}

/** Rows a statement. Larger batches save round trips but hold more text in memory on both sides. */
export const ROWS_A_STATEMENT = 2_000;
/** A holder of a dedup key may finish between our insert and our look-up: then the key is free, try again. */
const DEDUP_ROUNDS = 5;

/** Adds tasks; in the caller's transaction when given its `sql`. */
@Injectable()
export class Enqueuer {
  constructor(private readonly tracing: Tracing) {}

  async addOne(sql: Sql, one: Omit<EnqueueBatch, 'tasks'> & { readonly task: NewTask }): Promise<EnqueuedTask> {
    const [added] = await this.add(sql, { ...one, tasks: [one.task] });
    if (!added) throw new Error('a task was added without an answer');
    return added;
  }

  /**
   * Adds a task as the one that fills this opening; gives nothing, and adds nothing, when its dedup key is taken. A worker that
   * has just lost its lease does not start it: then `started` is false.
   */
  async addStarted(
    sql: Sql,
    one: Omit<EnqueueBatch, 'tasks'> & { readonly task: NewTask },
    opening: Opening,
  ): Promise<(EnqueuedTask & { readonly started: boolean }) | undefined> {
    const [added] = await this.traced(one.definition, async (traceParent) => {
      let row: StartedRow | undefined;
      try {
        const values = startedValues({ ...one, traceParent }, opening.workerId);
        [row] = await refusingBadData(() => sql.query<StartedRow>(ENQUEUE_STARTED, values));
      } finally {
        if (row?.started) opening.take(row);
        else opening.decline();
      }
      return row ? [{ id: row.id, created: true, started: row.started }] : [];
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

  private async write(sql: Sql, batch: TracedBatch): Promise<EnqueuedTask[]> {
    const answers: EnqueuedTask[] = [];
    let writing: Promise<EnqueuedTask[]> = Promise.resolve([]);
    let position = 0;
    for (const rows of chunksOf(batch.tasks, ROWS_A_STATEMENT)) {
      const ids = newTaskIds(rows.length);
      const chunk = rows.map((task, i) => ({ ...task, id: ids[i] ?? '', position: (position += 1) }));
      // While the database writes one chunk, the next is made.
      const values = enqueueValues({ ...batch, tasks: chunk });
      for (const answer of await writing) answers.push(answer);
      writing = this.addChunk(sql, { ...batch, tasks: chunk }, values);
      writing.catch(() => undefined); // it is awaited below, unless making the next chunk throws first
    }
    for (const answer of await writing) answers.push(answer);
    return answers;
  }

  private async addChunk(sql: Sql, chunk: IdentifiedBatch, values: unknown[]): Promise<EnqueuedTask[]> {
    const keyed = chunk.tasks.some(({ dedupKey }) => dedupKey !== undefined);
    const added = await this.insert(sql, values, statementFor(chunk.tasks.length, keyed));
    if (!keyed || added.size === chunk.tasks.length) return chunk.tasks.map(({ id }) => ({ id, created: true }));
    return this.settleDuplicates(sql, chunk, added);
  }

  /**
   * Some keys were taken: finds the holders, and inserts again where a holder has finished meanwhile. What was added is
   * never added again, though it too may have run and finished meanwhile.
   */
  private async settleDuplicates(sql: Sql, chunk: IdentifiedBatch, added: Set<string>): Promise<EnqueuedTask[]> {
    const { definition, tasks } = chunk;
    const own = tasks.filter(({ id }) => added.has(id));
    const holderOf = new Map(own.map(({ id, dedupKey }) => [dedupKey ?? '', id]));
    for (let round = 0; round < DEDUP_ROUNDS; round += 1) {
      const open = tasks.filter(({ id, dedupKey }) => !added.has(id) && !holderOf.has(dedupKey ?? ''));
      if (open.length === 0) {
        return tasks.map(({ id, dedupKey }) =>
          added.has(id) ? { id, created: true } : { id: holderOf.get(dedupKey ?? '') ?? id, created: false },
        );
      }
      if (round > 0) for (const id of await this.insert(sql, enqueueValues({ ...chunk, tasks: open }))) added.add(id);
      const keys = open.map(({ dedupKey }) => dedupKey);
      const holders = await sql.query<{ dedup_key: string; id: string }>(FIND_BY_DEDUP_KEY, [definition.name, keys]);
      for (const holder of holders) holderOf.set(holder.dedup_key, holder.id);
    }
    throw conflict('dedup_key_contended', `dedup keys of ${definition.name} keep changing hands; try again`);
  }

  private async insert(sql: Sql, values: unknown[], statement = ENQUEUE): Promise<Set<string>> {
    const rows = await refusingBadData(() => sql.query<{ id: string }>(statement, values));
    return new Set(rows.map((row) => row.id));
  }
}

interface StartedRow extends ClaimedRow {
  readonly started: boolean;
}

async function refusingBadData<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!REFUSED_DATA.test(sqlState(error) ?? '')) throw error;
    const message = `the task cannot be stored: ${error instanceof Error ? error.message : String(error)}`;
    throw invalid('invalid_task_input', message, { cause: error });
  }
}

function* chunksOf<T>(elements: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const element of elements) {
    chunk.push(element);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

interface IdentifiedTask extends NewTask {
  readonly id: string;
  /** Among the tasks of the call, from 1: the order of a fan-out's results. */
  readonly position: number;
}

interface IdentifiedBatch extends TracedBatch {
  readonly tasks: readonly IdentifiedTask[];
}

function statementFor(count: number, keyed: boolean): string {
  if (count < TOGETHER_FROM) return keyed ? ENQUEUE : ENQUEUE_WITHOUT_KEYS;
  return keyed ? ENQUEUE_MANY : ENQUEUE_MANY_WITHOUT_KEYS;
}

/** Data exceptions (NUL, half a surrogate pair, numbers out of range), limits (a dedup key that no index holds), checks. */
const REFUSED_DATA = /^(22|54)...$|^23514$/;

function enqueueValues({ definition, tasks, terms, traceParent }: IdentifiedBatch): unknown[] {
  return [
    uuidArray(tasks.map((task) => task.id)),
    jsonArray(tasks.map((task) => JSON.stringify(task.params))),
    unlessNull(tasks.map((task) => task.dedupKey ?? null)),
    unlessNull(tasks.map((task) => task.weight ?? null)),
    definition.name,
    definition.version,
    terms.name ?? definition.title,
    definition.queue,
    terms.priority ?? definition.priority,
    definition.retry.attempts,
    definition.timeoutMs,
    terms.runImmediately === false ? 'created' : 'queued',
    terms.runAt ?? null,
    terms.startBy ?? null,
    terms.parent?.id ?? null,
    terms.parent?.round ?? null,
    terms.actor,
    terms.description ?? null,
    terms.domain ?? null,
    terms.driftScore ?? 0,
    JSON.stringify(terms.metadata ?? {}),
    terms.parent ? numberArray(tasks.map((task) => task.position)) : [],
    traceParent ?? null,
  ];
}

function startedValues(
  { definition, task, terms, traceParent }: Omit<TracedBatch, 'tasks'> & { readonly task: NewTask },
  workerId: string,
): unknown[] {
  return [
    workerId,
    newTaskIds(1)[0],
    JSON.stringify(task.params),
    task.dedupKey ?? null,
    definition.name,
    definition.version,
    terms.name ?? definition.title,
    definition.queue,
    terms.priority ?? definition.priority,
    definition.retry.attempts,
    definition.timeoutMs,
    terms.actor,
    terms.description ?? null,
    terms.domain ?? null,
    terms.driftScore ?? 0,
    JSON.stringify(terms.metadata ?? {}),
    traceParent ?? null,
  ];
}
