import { assertLimits, type Limits } from './limits/limits.js';
import type { Backoff, Failure } from './retry-policy.js';

/** A class with class-validator decorators: the shape of a task's input, checked before anything is written. */
export type InputClass<T extends object> = new () => T;

export interface RetryPolicy {
  /** How many attempts in all; 1 = never tried again. */
  readonly attempts: number;
  readonly backoff: Backoff;
  /** What an error of this type's work means, asked first; undefined leaves it to the rules that all types share. */
  readonly classify?: (error: unknown) => Failure | undefined;
}

export interface TaskPolicy<Name extends string, Input extends object> {
  /** Stored in rows and logs, shown in the API as `type`; never derived from a class name. */
  readonly name: Name;
  /** Bump when the meaning or the output schema changes. */
  readonly version: number;
  /** For people: the default `name` of a task of this type. */
  readonly title: string;
  readonly input: InputClass<Input>;
  /** Old payloads still parse: version → what turns that version's input into the next one's. */
  readonly upgrade?: Readonly<Record<number, (old: Record<string, unknown>) => Record<string, unknown>>>;
  /** Which of the worker's concurrency budgets it draws on; `default` when left out. */
  readonly queue?: string;
  readonly priority?: number;
  readonly retry: RetryPolicy;
  /** How long one attempt may take before its signal fires and it counts as a transient failure. */
  readonly timeoutMs: number;
  /** At most one unfinished task of this type per key. */
  readonly dedupKey?: (input: Input) => string;
  /** How much of it may run at once and how fast, over all workers; operators may set something else. */
  readonly limits?: Limits;
  /** What `limits.concurrencyPerKey` counts a task under, such as the catalog that it works on. Stored with the task. */
  readonly concurrencyKey?: (input: Input) => string;
  /** A part of another task's work: not offered to people as something to start. */
  readonly internal?: boolean;
}

/** What is to be known of a kind of work to add tasks of it, whoever does it. */
export interface TaskType {
  readonly name: string;
  readonly version: number;
  readonly title: string;
  readonly queue: string;
  readonly priority: number;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
}

/** A kind of work: the contract that enqueuers and the handler share. Made by {@link defineTask}. */
export interface TaskDefinition<Name extends string = string, Input extends object = object>
  extends TaskPolicy<Name, Input>, TaskType {
  readonly name: Name;
  readonly queue: string;
  readonly priority: number;
}

/** A definition of any input, for registries and lists. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- Input is contravariant in dedupKey; only `any` accepts every definition
export type AnyTaskDefinition = TaskDefinition<string, any>;

/** A kind of work that was declared while PhotoSafe ran, and that workers in other languages do. */
export interface ExternalTaskType extends TaskType {
  readonly concurrencyKey?: (input: object) => string | undefined;
  /** @throws invalid `invalid_task_input`. */
  parseInput(params: object): object;
  readonly dedupKey?: undefined;
}

export type AnyTaskType = AnyTaskDefinition | ExternalTaskType;

export type InputOf<Definition> = Definition extends TaskDefinition<string, infer Input> ? Input : never;

/** Lower case, so that what people type in any letter case finds it. */
const NAME = /^[a-z][a-z0-9_.-]*$/;

export function defineTask<const Name extends string, Input extends object>(
  policy: TaskPolicy<Name, Input>,
): TaskDefinition<Name, Input> {
  if (!NAME.test(policy.name)) throw new Error(`task name "${policy.name}" must be lower case: letters, digits, _ . -`);
  if (policy.limits) assertLimits(policy.limits, `task ${policy.name}`);
  return Object.freeze({ ...policy, queue: policy.queue ?? 'default', priority: policy.priority ?? 0 });
}
