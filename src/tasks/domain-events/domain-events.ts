import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Settings } from '../../platform/config/settings.js';
import type { Transaction } from '../../platform/database/transaction.js';
import { TaskCreator } from '../task-creator.js';
import { type DomainEvent, type EventContext, EventListener } from './define-event.js';

/** Tells listeners of this process what happens, within the transaction in which it happens. */
@Injectable()
export class DomainEvents implements OnModuleInit {
  private readonly listeners = new Map<string, EventListener[]>();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly creator: TaskCreator,
    private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    for (const module of this.modules.values()) {
      for (const wrapper of module.providers.values()) {
        if (wrapper.instance instanceof EventListener) this.register(wrapper.instance);
      }
    }
  }

  /**
   * All or nothing: the tasks that listeners add are committed with the caller's transaction, and a listener that throws has
   * it rolled back. Listeners run one after the other, in the order of their modules.
   *
   * @param actor who made it happen, for the audit trail of those tasks: `task:…`, `token:…`
   */
  async emit<Payload extends object>(
    event: DomainEvent<Payload>,
    payload: Payload,
    { tx, actor }: { readonly tx: Transaction; readonly actor: string },
  ): Promise<void> {
    const context: EventContext = {
      tx,
      settings: this.settings,
      enqueue: (task, input, options) => this.creator.enqueue(task, input, { ...options, actor, tx }),
      enqueueMany: (task, inputs) => this.creator.enqueueMany(task, inputs, { actor, tx }),
    };
    for (const listener of this.listeners.get(event.name) ?? []) await listener.run(payload, context);
  }

  /** @throws Error when one event has two listeners of a name: one of them is provided twice. */
  private register(listener: EventListener): void {
    const others = this.listeners.get(listener.event.name) ?? [];
    if (others.some(({ name }) => name === listener.name)) {
      throw new Error(`the event ${listener.event.name} has two listeners "${listener.name}"; rename or remove one`);
    }
    this.listeners.set(listener.event.name, [...others, listener]);
  }
}
