import { AppError } from '../../platform/errors/app-error.js';
import type { AnyTaskDefinition } from '../define-task.js';
import { parseTaskInput, upgradeParams } from '../task-input.js';
import type { TaskRegistry } from '../task-registry.js';

export interface ScheduledTask {
  readonly definition: AnyTaskDefinition;
  readonly input: object;
}

/**
 * The task that a schedule is to start, by today's rules; `version` is the one that its params were written for.
 * @throws invalid `unknown_task_type`, `invalid_task_input`.
 */
export function scheduledTask(
  registry: TaskRegistry,
  { taskType, params, version }: { readonly taskType: string; readonly params: object; readonly version?: number },
): ScheduledTask {
  const definition = definitionFor(registry, taskType);
  const input = parseTaskInput(definition, upgradeParams(definition, version ?? definition.version, params));
  return { definition, input };
}

/** The registry names the field as requests for tasks do; here it is `task_type`. */
function definitionFor(registry: TaskRegistry, taskType: string): AnyTaskDefinition {
  try {
    return registry.definitionFor(taskType);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const fields = error.fields.map((field) => ({ ...field, path: 'task_type' }));
    throw new AppError(error.kind, error.code, error.message, { cause: error, fields });
  }
}

/** The text of a refusal with the fields that it is about: all that is left of them in a row. */
export const refusalText = ({ message, fields }: AppError): string =>
  [message, ...fields.map(({ path, message: why }) => `${path}: ${why}`)].join('; ');
