import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { invalid, type FieldError } from '../platform/errors/app-error.js';
import { allowedFor, isInherited, knownFields } from '../platform/errors/allowed-values.js';
import type { AnyTaskDefinition, AnyTaskType } from './define-task.js';

const NOT_KNOWN = 'is not a known field';
const NO_FIELDS = 'no fields at all';

/**
 * Parses and checks a task's input before anything is written. Unknown fields are refused: a misspelt option that is
 * silently ignored is worse than an error. Inputs are flat: ids and small facts, no classes within.
 * @throws invalid `invalid_task_input`, every field named as `params.<path>`.
 */
export function parseTaskInput(definition: AnyTaskType, params: unknown): object {
  if (typeof params !== 'object' || params === null || Array.isArray(params) || Object.hasOwn(params, '__proto__')) {
    throw invalid('invalid_task_input', `the input of ${definition.name} is an object`, {
      fields: [{ path: 'params', message: 'must be a plain object', value: params }],
    });
  }
  if ('parseInput' in definition) return definition.parseInput(params);
  const names = Object.keys(params);
  const unknown = names.filter((name) => isInherited(name) && !inputFields(definition).includes(name));
  const known = unknown.length === 0 ? params : without(params, unknown);
  const input = known instanceof definition.input ? known : (Object.assign(new definition.input(), known) as object);
  const errors = hasRules(definition) || names.length > unknown.length ? check(input) : [];
  if (unknown.length + errors.length > 0) {
    const allowed = knownFields(input) ?? NO_FIELDS;
    throw invalid('invalid_task_input', `the input of ${definition.name} is not valid`, {
      fields: [
        ...unknown.map((name) => ({
          path: `params.${name}`,
          message: NOT_KNOWN,
          value: Reflect.get(params, name) as unknown,
          allowed,
        })),
        ...fieldErrors(errors, 'params'),
      ],
    });
  }
  return input;
}

/** An old payload in today's shape: each version's upgrade in turn. */
export function upgradeParams(definition: AnyTaskDefinition, version: number, params: object): object {
  let current = params as Record<string, unknown>;
  for (let from = version; from < definition.version; from += 1) {
    current = definition.upgrade?.[from]?.(current) ?? current;
  }
  return current;
}

/** Names of the fields that a task's input may have. */
export function inputFields(definition: AnyTaskDefinition): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(definition.input, '', true, false);
  return [...new Set(rules.map((rule) => rule.propertyName))].sort();
}

/** class-validator does not see that it has no rules for them: it finds what objects inherit. */
const without = (params: object, names: readonly string[]): object =>
  Object.fromEntries(Object.entries(params).filter(([name]) => !names.includes(name)));

const check = (input: object): ValidationError[] =>
  validateSync(input, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false });

const withRules = new WeakMap<object, boolean>();

/** Asked for every task of a bulk, so the answer is kept. */
function hasRules(definition: AnyTaskDefinition): boolean {
  let answer = withRules.get(definition);
  if (answer === undefined) {
    answer = inputFields(definition).length > 0;
    withRules.set(definition, answer);
  }
  return answer;
}

function fieldErrors(errors: readonly ValidationError[], prefix: string): FieldError[] {
  return errors.flatMap((error) => {
    const path = `${prefix}.${error.property}`;
    const { target } = error;
    const value: unknown = error.value;
    const rules = Object.entries(error.constraints ?? {});
    const allowed = allowedFor(target, error.property);
    const own =
      value === undefined && rules.length > 0
        ? [{ path, message: 'is missing', value, allowed }]
        : rules.map(([rule, message]) =>
            rule === 'whitelistValidation'
              ? { path, message: NOT_KNOWN, value, allowed: knownFields(target) ?? NO_FIELDS }
              : { path, message, value, allowed },
          );
    return [...own, ...fieldErrors(error.children ?? [], path)];
  });
}
