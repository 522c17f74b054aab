import { Module, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';
import { AccessGuard } from './access.guard.js';
import { AccessModule } from './access.module.js';
import { AuditController } from './audit.controller.js';
import { DeclaredAccessCheck } from './declared-access.check.js';
import { TokenController } from './token.controller.js';

/** Asks every request who it comes from, and serves tokens and the audit trail. */
@Module({
  imports: [AccessModule],
  controllers: [TokenController, AuditController],
  providers: [AccessGuard, DeclaredAccessCheck, { provide: APP_GUARD, useExisting: AccessGuard }],
})
export class AccessHttpModule implements OnModuleInit {
  constructor(
    private readonly adapters: HttpAdapterHost,
    private readonly guard: AccessGuard,
  ) {}

  /**
   * What no route has taken still asks who is there: without a token nobody learns which paths exist. Nest calls this
   * after it has registered the routes and before its own handler of unknown ones, and Express tries them in that order.
   */
  onModuleInit(): void {
    this.adapters.httpAdapter.use((request: Request, response: Response, next: NextFunction) => {
      this.guard.identify(request, response).then(() => {
        next();
      }, next);
    });
  }
}
