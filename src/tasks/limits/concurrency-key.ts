import { invalid } from '../../platform/errors/app-error.js';
import type { AnyTaskType } from '../define-task.js';

/** It becomes part of an index entry. */
const MAX_BYTES = 500;

/** What a task's limit per key counts it under; undefined when the type has no keys. @throws invalid `invalid_task_input`. */
export function concurrencyKeyOf(type: AnyTaskType, input: object): string | undefined {
  const key = type.concurrencyKey?.(input);
  if (key === undefined || Buffer.byteLength(key) <= MAX_BYTES) return key;
  throw invalid('invalid_task_input', `the concurrency key of ${type.name} is longer than ${String(MAX_BYTES)} bytes`);
}
