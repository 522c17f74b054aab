import 'reflect-metadata';
import { type INestApplicationContext, Module, type Provider, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IsInt, IsOptional, IsString } from 'class-validator';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { SettingsModule } from '../../src/platform/config/settings.module.js';
import { settingsFrom } from '../../src/platform/config/settings.js';
import { Database } from '../../src/platform/database/database.js';
import { DatabaseModule } from '../../src/platform/database/database.module.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { TracingModule } from '../../src/platform/tracing/tracing.module.js';
import {
  type AnyTaskDefinition,
  type ChildrenSummary,
  defineTask,
  type EnqueuedTask,
  type EnqueueOptions,
  fixed,
  Handles,
  type HandlerResult,
  isFinished,
  type Task,
  type TaskContext,
  taskHandlers,
  TaskService,
  TasksModule,
  WorkerService,
} from '../../src/tasks/index.js';
import type { TaskPolicy } from '../../src/tasks/define-task.js';
import type { WorkerOptions } from '../../src/tasks/worker/worker.js';
import { WorkerParts } from '../../src/tasks/worker/worker-parts.js';
import type { StartOptions } from '../../src/tasks/worker/worker.service.js';
import { CellInProcess } from './cell-in-process.js';
import { waitFor, type WaitOptions } from './wait-for.js';

/** What every test task takes. */
export class TestInput {
  @IsOptional() @IsInt() n?: number;
  @IsOptional() @IsString() key?: string;
  @IsOptional() payload?: unknown;
}

const test = <const Name extends string>(name: Name, policy: Partial<TaskPolicy<Name, TestInput>> = {}) =>
  defineTask({
    name,
    version: 1,
    title: `Test task ${name}`,
    input: TestInput,
    retry: { attempts: 3, backoff: fixed(1) },
    timeoutMs: 60_000,
    ...policy,
  });

/** Three attempts without a pause between. */
export const work = test('test.work');
/** Three attempts with an hour between. */
export const patient = test('test.patient', { retry: { attempts: 3, backoff: fixed(3_600_000) } });
export const once = test('test.once', { retry: { attempts: 1, backoff: fixed(1) } });
export const brief = test('test.brief', { retry: { attempts: 2, backoff: fixed(1) }, timeoutMs: 300 });
/** Has words of its own for errors: `come back` is busy, `give up` is worth two attempts; it trips over `trip`. */
export const choosy = test('test.choosy', {
  retry: {
    attempts: 5,
    backoff: fixed(1),
    classify: (error) => {
      if (!(error instanceof Error)) return undefined;
      if (error.message === 'come back') return { category: 'transient', code: 'busy', message: 'come\0 back' };
      if (error.message === 'give up')
        return { category: 'transient', code: 'tired', message: 'tired', lastAttempt: 2 };
      if (error.message === 'trip') throw new TypeError('a rule that is wrong');
      return undefined;
    },
  },
});
export const unique = test('test.unique', { dedupKey: ({ key }) => key ?? '' });
export const elsewhere = test('test.elsewhere', { queue: 'other' });
/** Splits, and joins with what the script says. */
export const split = test('test.split');
/** Splits; the engine joins. */
export const splitOnly = test('test.split-only');
export const part = test('test.part', { retry: { attempts: 2, backoff: fixed(1) } });
/** Its version 1 took `number` where version 2 takes `n`. */
export const renewed = test('test.renewed', { version: 2, upgrade: { 1: (old) => ({ n: old.number }) } });

export interface Behaviour {
  run?(input: TestInput, context: TaskContext): Promise<HandlerResult> | HandlerResult;
  afterChildren?(
    input: TestInput,
    context: TaskContext,
    children: ChildrenSummary,
  ): Promise<HandlerResult> | HandlerResult;
}

/** What the handlers of a test do; a task without a word here completes with its `n`. */
export class Script {
  private readonly behaviours = new Map<string, Behaviour>();

  when(task: AnyTaskDefinition, behaviour: Behaviour | NonNullable<Behaviour['run']>): this {
    this.behaviours.set(task.name, typeof behaviour === 'function' ? { run: behaviour } : behaviour);
    return this;
  }

  clear(): void {
    this.behaviours.clear();
  }

  of(task: AnyTaskDefinition): Behaviour {
    return this.behaviours.get(task.name) ?? {};
  }
}

function scripted(definition: AnyTaskDefinition) {
  @Handles(definition)
  class ScriptedHandler {
    constructor(readonly script: Script) {}

    async run(input: TestInput, context: TaskContext): Promise<HandlerResult> {
      return (await this.script.of(definition).run?.(input, context)) ?? input.n;
    }
  }
  return ScriptedHandler;
}

function scriptedWithJoin(definition: AnyTaskDefinition) {
  @Handles(definition)
  class ScriptedJoiningHandler extends scripted(definition) {
    async afterChildren(input: TestInput, context: TaskContext, children: ChildrenSummary): Promise<HandlerResult> {
      return this.script.of(definition).afterChildren?.(input, context, children);
    }
  }
  return ScriptedJoiningHandler;
}

const HANDLERS = [
  ...[work, patient, once, brief, choosy, unique, elsewhere, splitOnly, part, renewed].map(scripted),
  scriptedWithJoin(split),
];

/** What a test puts in place of, or beside, what the engine has. */
export interface EngineParts {
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: Type;
  readonly imports?: Type[];
  readonly providers?: Provider[];
}

function engineModule(
  url: string,
  script: Script,
  { environment = {}, clock = ClockModule, imports = [], providers = [] }: EngineParts,
): Type {
  const settings = settingsFrom({ DATABASE_URL: url, PHOTOSAFE_STATEMENT_TIMEOUT_MS: '20000', ...environment });
  @Module({
    imports: [
      SettingsModule.forRoot(settings),
      MetricsModule,
      TracingModule,
      clock,
      DatabaseModule.forRoot(),
      TasksModule,
      ...imports,
    ],
    providers: [{ provide: Script, useValue: script }, ...taskHandlers(...HANDLERS), ...providers],
  })
  class EngineModule {}
  return EngineModule;
}

export const ACTOR = 'test:someone';

/** The engine as one process has it: the real module on a real database, with scripted handlers. */
export class Engine {
  static async open(url: string, script = new Script(), parts: EngineParts = {}): Promise<Engine> {
    const app = await NestFactory.createApplicationContext(engineModule(url, script, parts), {
      logger: false,
      abortOnError: false,
    });
    return new Engine(app, script);
  }

  readonly tasks = this.app.get(TaskService);
  readonly database = this.app.get(Database);
  private closing: Promise<void> | undefined;

  private constructor(
    readonly app: INestApplicationContext,
    readonly script: Script,
  ) {}

  /** Begins to work on tasks. A lease that is short enough for a test and long enough for a busy machine. */
  async work(options: StartOptions = {}): Promise<this> {
    const workerOptions: WorkerOptions = {
      concurrency: { default: 4, other: 4 },
      leaseMs: 4_000,
      renewMs: 400,
      pollMs: 500,
      shutdownGraceMs: 500,
      ...options,
    };
    await this.app.get(WorkerService).start({
      openCell: () => new CellInProcess(this.app.get(WorkerParts), workerOptions),
      ...options,
      ...workerOptions,
    });
    return this;
  }

  close(): Promise<void> {
    return (this.closing ??= this.app.close());
  }

  async enqueue(
    task: AnyTaskDefinition,
    input: TestInput = {},
    options: Partial<EnqueueOptions> = {},
  ): Promise<string> {
    return (await this.add(task, input, options)).id;
  }

  add(task: AnyTaskDefinition, input: TestInput = {}, options: Partial<EnqueueOptions> = {}): Promise<EnqueuedTask> {
    return this.tasks.enqueue(task, input, { actor: ACTOR, ...options });
  }

  /** The task once it has ended, however it did. */
  finished(id: string, options?: WaitOptions): Promise<Task> {
    return this.until(id, (task) => isFinished(task.status), options);
  }

  until(id: string, holds: (task: Task) => boolean, options?: WaitOptions): Promise<Task> {
    let last: Task | undefined;
    return waitFor(
      `task ${id}`,
      async () => {
        last = await this.tasks.get(id);
        return holds(last) ? last : undefined;
      },
      options,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; it was last seen as ${JSON.stringify(last)}`, { cause: error });
    });
  }

  /** The audit trail as one line a transition: `from>to reason`. */
  async trail(id: string): Promise<string[]> {
    const events = await this.tasks.events(id, { limit: 1_000 });
    return events.map((event) => `${event.from ?? ''}>${event.to} ${event.reason}`);
  }

  async count(sql: string, values: readonly unknown[] = []): Promise<number> {
    const [row] = await this.database.query<{ count: string }>(`SELECT count(*) AS count FROM ${sql}`, values);
    return Number(row?.count);
  }
}

export interface Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
}

/** A promise that the test resolves: a handler waits for it, or the test for the handler. */
export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve: (value) => resolve(value) };
}

/** Rejects when the signal fires: how a handler that listens comes to an end. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
