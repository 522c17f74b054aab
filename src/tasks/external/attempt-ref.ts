import { notFound } from '../../platform/errors/app-error.js';

/** Which attempt at which task. The fence tells it from every other one, so that nothing else need be carried along. */
export interface AttemptRef {
  readonly taskId: string;
  readonly fence: number;
}

export const ATTEMPT_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([1-9]\d{0,8})$/;

/** What external workers call an attempt; they need not look into it. */
export const attemptIdOf = ({ taskId, fence }: AttemptRef): string => `${taskId}.${String(fence)}`;

/** @throws not-found `attempt_not_found`. */
export function attemptRefOf(id: string): AttemptRef {
  const [, taskId, fence] = ATTEMPT_ID.exec(id) ?? [];
  if (taskId === undefined) throw attemptNotFound(id);
  return { taskId, fence: Number(fence) };
}

export const attemptNotFound = (id: string): Error =>
  notFound('attempt_not_found', `no external worker has had an attempt ${id.slice(0, 100)}`);
