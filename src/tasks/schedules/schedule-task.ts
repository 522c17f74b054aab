import { AppError } from '../../platform/errors/app-error.js';
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
  const definition = await typeOf(types, taskType);
  const isOwn = !('parseInput' in definition); // those of external workers are not upgraded: they say what they know
  const input = parseTaskInput(
    definition,
    isOwn ? upgradeParams(definition, version ?? definition.version, params) : params,
  );
  return { definition, input };
}

/** The types name the field as requests for tasks do; here it is `task_type`. */
async function typeOf(types: TaskTypes, taskType: string): Promise<AnyTaskType> {
  try {
    return await types.get(taskType);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const fields = error.fields.map((field) => ({ ...field, path: 'task_type' }));
    throw new AppError(error.kind, error.code, error.message, { cause: error, fields });
  }
}

/** The text of a refusal with the fields that it is about: all that is left of them in a row. */
export const refusalText = ({ message, fields }: AppError): string =>
  [message, ...fields.map(({ path, message: why }) => `${path}: ${why}`)].join('; ');
