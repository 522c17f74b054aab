import type { Provider } from '@nestjs/common';
import type { Settings } from '../../platform/config/settings.js';
import type { Transaction } from '../../platform/database/transaction.js';
import type { AnyTaskDefinition, InputOf } from '../define-task.js';
import type { EnqueuedTask } from '../queue/enqueuer.js';
import type { EnqueueOptions } from '../task-creator.js';

/** Something that happens in a feature, and that others may want to start work for. Made by {@link defineEvent}. */
export interface DomainEvent<Payload extends object> {
  /** Past tense, of the feature's noun: `photo.imported`. */
  readonly name: string;
  /** Carries the type; nothing is ever there. */
  readonly payload?: Payload;
}

export type PayloadOf<Event> = Event extends DomainEvent<infer Payload> ? Payload : never;

/** What a listener may do: everything in the transaction in which the event happened. */
export interface EventContext {
  readonly tx: Transaction;
  readonly settings: Settings;
  /** Adds one task: it exists if, and only if, what happened is committed. */
  readonly enqueue: <D extends AnyTaskDefinition>(
    task: D,
    input: InputOf<D>,
    options?: TaskOptions,
  ) => Promise<EnqueuedTask>;
  /** Adds many tasks of one type, by one statement. */
  readonly enqueueMany: <D extends AnyTaskDefinition>(
    task: D,
    inputs: readonly InputOf<D>[],
  ) => Promise<EnqueuedTask[]>;
}

type TaskOptions = Omit<Partial<EnqueueOptions>, 'tx' | 'actor'>;

type Listen<Payload extends object> = (payload: Payload, context: EventContext) => Promise<void>;

const NAME = /^[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*$/;

/**
 * Declares an event. Its payload is ids and small facts, of many things at once: whoever emits does so once a statement and
 * not once a row.
 */
export function defineEvent<Payload extends object>(name: string): DomainEvent<Payload> {
  if (!NAME.test(name)) throw new Error(`event name "${name}" must be two lower-case words: photo.imported`);
  return Object.freeze({ name });
}

/** What is done when an event happens. Made by {@link on}, in a *.triggers.ts file. */
export class EventListener {
  constructor(
    readonly event: DomainEvent<object>,
    readonly name: string,
    readonly run: Listen<object>,
  ) {}
}

/** `export const renderNewPhotos = on(photoImported, 'render new photos', async ({ imageIds }, { enqueueMany }) => …)` */
export const on = <Payload extends object>(
  event: DomainEvent<Payload>,
  name: string,
  run: Listen<Payload>,
): EventListener => new EventListener(event, name, run as Listen<object>);

/** The one line in a module: `providers: [...eventListeners(renderNewPhotos)]`. */
export const eventListeners = (...listeners: readonly EventListener[]): Provider[] =>
  listeners.map((listener) => ({ provide: `listener:${listener.event.name}:${listener.name}`, useValue: listener }));
