import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { forbidden } from '../platform/errors/app-error.js';
import { ACCESS_KEY, type DeclaredAccess, type Role } from '../platform/http/declared-access.js';
import { Authenticator, type Caller } from './authenticator.js';
import { permits } from './permissions.js';
import { rememberCaller } from './request-caller.js';

/** Stands before every endpoint: what is declared there is what is asked of the caller; undeclared means nobody. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const declared = this.reflector.getAllAndOverride<DeclaredAccess | undefined>(ACCESS_KEY, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (declared?.public === true) return true;
    const http = context.switchToHttp();
    const caller = await this.identify(http.getRequest<Request>(), http.getResponse<Response>());
    if (!permits(caller.role, declared?.roles ?? [])) throw roleInsufficient(caller, declared?.roles ?? []);
    return true;
  }

  /** Throws unless the request carries a valid token. */
  async identify(request: Request, response: Response): Promise<Caller> {
    const caller = await this.authenticator.authenticate(request.headers.authorization);
    rememberCaller(request, caller);
    response.locals.actor = caller.actor.label;
    return caller;
  }
}

const roleInsufficient = ({ actor, role }: Caller, asked: readonly Role[]): Error =>
  forbidden(
    'role_insufficient',
    `The token ${actor.name} has the role ${role}; this needs ${asked.length === 0 ? 'a role that nobody has' : asked.join(' or ')}.`,
  );
