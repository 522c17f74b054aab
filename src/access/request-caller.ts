import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Role } from '../platform/http/declared-access.js';
import type { Actor } from './actor.js';
import type { Caller } from './authenticator.js';

const callers = new WeakMap<Request, Caller>();

export const rememberCaller = (request: Request, caller: Caller): void => void callers.set(request, caller);

/** Who calls, on any endpoint that asks for a role. */
export const CurrentActor = createParamDecorator((_data: undefined, context: ExecutionContext): Actor => {
  return callerOf(context).actor;
});

/** In which role: for an endpoint where what is allowed depends on what is asked. */
export const CurrentRole = createParamDecorator((_data: undefined, context: ExecutionContext): Role => {
  return callerOf(context).role;
});

function callerOf(context: ExecutionContext): Caller {
  const caller = callers.get(context.switchToHttp().getRequest<Request>());
  if (caller === undefined) throw new Error('an endpoint that is @Public() asks who calls: nobody was asked');
  return caller;
}
