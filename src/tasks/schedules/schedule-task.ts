import type { AppError } from '../../platform/errors/app-error.js';
import type { AnyTaskType } from '../define-task.js';
import { parseTaskInput, upgradeParams } from '../task-input.js';
import type { TaskTypes } from '../task-types.js';

export interface ScheduledTask {
  readonly definition: AnyTaskType;
  readonly input: object;
}

/**
 * The task that a schedule is to start, by today's rules; `version` is the one that its params were written for.
 * @throws invalid `unknown_task_type`, `invalid_task_input`.
 */
export async function scheduledTask(
  types: TaskTypes,
  { taskType, params, version }: { readonly taskType: string; readonly params: object; readonly version?: number },
): Promise<ScheduledTask> {
  const definition = await types.get(taskType);
  const isOwn = !('parseInput' in definition); // those of external workers are not upgraded: they say what they know
  const input = parseTaskInput(
    definition,
    isOwn ? upgradeParams(definition, version ?? definition.version, params) : params,
  );
  return { definition, input };
}

/** The text of a refusal with the fields that it is about: all that is left of them in a row. */
export const refusalText = ({ message, fields }: AppError): string =>
  [message, ...fields.map(({ path, message: why }) => `${path}: ${why}`)].join('; ');
