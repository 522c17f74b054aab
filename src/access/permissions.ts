import type { Role } from '../platform/http/declared-access.js';

/** The roles whose endpoints each role may call. A worker settles external tasks and sees nothing else. */
const INCLUDED: Readonly<Record<Role, readonly Role[]>> = {
  viewer: ['viewer'],
  operator: ['viewer', 'operator'],
  worker: ['worker'],
  admin: ['viewer', 'operator', 'worker', 'admin'],
};

/** Whether a caller of `role` may use an endpoint that asks for one of `asked`. */
export const permits = (role: Role, asked: readonly Role[]): boolean =>
  asked.some((one) => INCLUDED[role].includes(one));
