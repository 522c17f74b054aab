import { targetConstructorToSchema } from 'class-validator-jsonschema';
import type { AnyTaskDefinition } from './define-task.js';

/** The rules of a type's input as JSON Schema. It says no more than the rules of the fields do, one by one. */
export const inputSchemaOf = (definition: AnyTaskDefinition): Readonly<Record<string, unknown>> => ({
  type: 'object',
  ...targetConstructorToSchema(definition.input),
  additionalProperties: false,
});
