/**
 * Who is asking, and what they may do.
 *
 * - **token**: a bearer secret with a role; stored hashed, shown once.
 * - **role**: viewer, operator, worker or admin. Every endpoint declares who may call it with {@link Roles} or
 *   {@link Public}; one that does not stops the boot.
 * - **actor**: who did something, as the audit trail and task rows record it.
 */
export { Public, type Role, Roles } from '../platform/http/declared-access.js';
export { checkTokens } from './access.check.js';
export { AccessModule } from './access.module.js';
export { type Actor, cliActor, scheduleActor, systemActor } from './actor.js';
export { Authenticator } from './authenticator.js';
export { FirstToken } from './first-token.js';
export { CurrentActor, CurrentRole } from './request-caller.js';
export { TokenService } from './token.service.js';
