import { jsonArray, numberArray, unlessNull, uuidArray } from '../../platform/database/array-literal.js';
import type { TaskType } from '../define-task.js';
import type { ClaimedRow } from '../worker/attempt.js';

/** One task to add: its validated input and what differs from its neighbours. */
export interface NewTask {
  readonly params: object;
  readonly dedupKey?: string;
  readonly concurrencyKey?: string;
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

export interface SingleTask extends Omit<EnqueueBatch, 'tasks'> {
  readonly task: NewTask;
}

/** Where in which trace they are added: their attempts go on from there. */
export interface TracedBatch extends EnqueueBatch {
  readonly traceParent: string | undefined;
}

/** Tasks with their ids, as parallel arrays. */
export interface IdentifiedBatch extends TracedBatch {
  readonly tasks: readonly NewTask[];
  readonly ids: readonly string[];
  /** Of the first, among the tasks of the call, from 1: the order of a fan-out's results. */
  readonly position: number;
}

/** The parameters of ENQUEUE that say what is added: of all tasks of a chunk, or of those at `places` in it. */
export function enqueueValues({ definition, terms, ...chunk }: IdentifiedBatch, places?: readonly number[]): unknown[] {
  const only = <T>(all: readonly T[]): readonly T[] =>
    places ? places.flatMap((place) => all.slice(place, place + 1)) : all;
  const tasks = only(chunk.tasks);
  const positions = terms.parent ? only(chunk.tasks.map((_, place) => chunk.position + place)) : [];
  return [
    uuidArray(only(chunk.ids)),
    jsonArray(tasks.map((task) => JSON.stringify(task.params))),
    unlessNull(tasks.map((task) => task.dedupKey ?? null)),
    unlessNull(tasks.map((task) => task.weight ?? null)),
    ...kindValues(definition, terms),
    terms.runImmediately === false ? 'created' : 'queued',
    terms.runAt ?? null,
    terms.startBy ?? null,
    terms.parent?.id ?? null,
    terms.parent?.round ?? null,
    ...requestValues(terms),
    numberArray(positions),
    unlessNull(tasks.map((task) => task.concurrencyKey ?? null)),
  ];
}

/** A single task with its id and the JSON of its parameters. */
export interface IdentifiedTask extends SingleTask {
  readonly id: string;
  readonly paramsJson: string;
  readonly traceParent: string | undefined;
}

/** The parameters of ENQUEUE_STARTED that say what is added. */
export function startedValues({ definition, task, terms, id, paramsJson }: IdentifiedTask): unknown[] {
  return [
    id,
    paramsJson,
    task.dedupKey ?? null,
    ...kindValues(definition, terms),
    ...requestValues(terms),
    task.concurrencyKey ?? null,
  ];
}

/** What a claim would give of a task that ENQUEUE_STARTED has started: its first attempt, which has done nothing yet. */
export function startedRow({ definition, terms, id, paramsJson, traceParent }: IdentifiedTask): ClaimedRow {
  return {
    id,
    type: definition.name,
    version: definition.version,
    params: JSON.parse(paramsJson) as object,
    attempt: 1,
    max_attempts: definition.retry.attempts,
    fence: 1,
    crash_count: 0,
    timeout_ms: definition.timeoutMs,
    joining: false,
    parent_id: null,
    workflow_id: null,
    checkpoint: null,
    requested_by: terms.actor,
    priority: terms.priority ?? definition.priority,
    rank: 0, // nothing else is started with it
    processed: '0',
    total: null,
    waited_seconds: 0,
    trace_parent: traceParent ?? null,
  };
}

/** What kind of task it is, as far as its row says so. */
const kindValues = (definition: TaskType, terms: EnqueueTerms): unknown[] => [
  definition.name,
  definition.version,
  terms.name ?? definition.title,
  definition.queue,
  terms.priority ?? definition.priority,
  definition.retry.attempts,
  definition.timeoutMs,
];

/** Who asked for it, and what was said about it. */
const requestValues = (terms: EnqueueTerms): unknown[] => [
  terms.actor,
  terms.description ?? null,
  terms.domain ?? null,
  terms.driftScore ?? 0,
  JSON.stringify(terms.metadata ?? {}),
];
