import { Injectable, type Provider, type Type } from '@nestjs/common';
import type { AnyTaskDefinition } from './define-task.js';
import type { TaskHandler } from './task-handler.js';

const HANDLES = Symbol('photosafe:handles');

/** A handler class as Nest constructs it. */
export type TaskHandlerClass = Type<TaskHandler<AnyTaskDefinition>>;

/** Says which task a class works on; the compiler refuses a class whose `run` does not take that task's input. */
export function Handles<Definition extends AnyTaskDefinition>(definition: Definition) {
  return (target: Type<TaskHandler<Definition>>): void => {
    Reflect.defineMetadata(HANDLES, definition, target);
    Injectable()(target);
  };
}

export const taskHandledBy = (target: object): AnyTaskDefinition | undefined =>
  Reflect.getMetadata(HANDLES, target) as AnyTaskDefinition | undefined;

/** Every class that went through {@link taskHandlers} and what makes it findable for the registry. */
const registered = new Set<TaskHandlerClass>();

/** The one line in a module: `providers: [...taskHandlers(ExtractMetadataHandler)]`. */
export function taskHandlers(...classes: TaskHandlerClass[]): Provider[] {
  for (const each of classes) {
    if (taskHandledBy(each) === undefined) {
      throw new Error(`${each.name} has no @Handles(…): say which task it works on`);
    }
    registered.add(each);
  }
  return classes;
}

export const registeredHandlerClasses = (): ReadonlySet<TaskHandlerClass> => registered;
