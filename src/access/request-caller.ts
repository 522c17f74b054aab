import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Actor } from './actor.js';
import type { Caller } from './authenticator.js';

const callers = new WeakMap<Request, Caller>();

export const rememberCaller = (request: Request, caller: Caller): void => void callers.set(request, caller);

/** Who calls, on any endpoint that asks for a role. */
export const CurrentActor = createParamDecorator((_data: undefined, context: ExecutionContext): Actor => {
  const caller = callers.get(context.switchToHttp().getRequest<Request>());
  if (caller === undefined)
    throw new Error('@CurrentActor() on an endpoint that is @Public(): nobody was asked who they are');
  return caller.actor;
});
