import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { conflict } from '../platform/errors/app-error.js';
import type { AnyTaskDefinition } from './define-task.js';
import { registeredHandlerClasses, type TaskHandlerClass, taskHandledBy } from './handles.decorator.js';
import type { TaskHandler } from './task-handler.js';

interface Registration {
  readonly definition: AnyTaskDefinition;
  readonly handler: TaskHandler<AnyTaskDefinition>;
}

/**
 * Which task types exist and who works on them. Filled once at boot from the modules' providers; a second handler for
 * a name stops the boot. Names are matched in any letter case (older clients write DOCUMENT_PROCESSING).
 */
@Injectable()
export class TaskRegistry implements OnModuleInit {
  private readonly byName = new Map<string, Registration>();

  constructor(private readonly modules: ModulesContainer) {}

  onModuleInit(): void {
    for (const module of this.modules.values()) {
      for (const wrapper of module.providers.values()) {
        const handlerClass = wrapper.metatype as TaskHandlerClass | null;
        if (typeof handlerClass !== 'function') continue;
        const definition = taskHandledBy(handlerClass);
        if (definition === undefined) continue;
        if (!registeredHandlerClasses().has(handlerClass)) {
          throw new Error(
            `${handlerClass.name} is provided without taskHandlers(…): write providers: [...taskHandlers(${handlerClass.name})]`,
          );
        }
        this.register(definition, wrapper.instance as TaskHandler<AnyTaskDefinition>);
      }
    }
  }

  register(definition: AnyTaskDefinition, handler: TaskHandler<AnyTaskDefinition>): void {
    const key = definition.name.toLowerCase();
    const other = this.byName.get(key);
    if (other && other.handler !== handler) {
      throw new Error(
        `task ${definition.name} has two handlers: ${other.handler.constructor.name} and ${handler.constructor.name}; remove one or rename a task`,
      );
    }
    this.byName.set(key, { definition, handler });
  }

  definitions(): AnyTaskDefinition[] {
    return [...this.byName.values()].map((registration) => registration.definition);
  }

  typesOfQueue(queue: string): AnyTaskDefinition[] {
    return this.definitions().filter((definition) => definition.queue === queue);
  }

  find(type: string): Registration | undefined {
    return this.byName.get(type.toLowerCase());
  }

  /** @throws conflict `no_handler` when this process has no handler for the type. */
  handlerFor(type: string): Registration {
    const registration = this.find(type);
    if (!registration) throw conflict('no_handler', `this worker has no handler for task type "${type}"`);
    return registration;
  }
}
