import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessEventEntity } from './access-event.entity.js';
import { AccessEventRepository } from './access-event.repository.js';
import { AuditService } from './audit.service.js';
import { Authenticator } from './authenticator.js';
import { FirstToken } from './first-token.js';
import { TokenCache } from './token-cache.js';
import { TokenEntity } from './token.entity.js';
import { TokenRepository } from './token.repository.js';
import { TokenService } from './token.service.js';

/** Tokens and what was done with them, for whoever needs them: also for commands, which have no HTTP. */
@Module({
  imports: [TypeOrmModule.forFeature([TokenEntity, AccessEventEntity])],
  providers: [
    AccessEventRepository,
    AuditService,
    Authenticator,
    FirstToken,
    TokenCache,
    TokenRepository,
    TokenService,
  ],
  exports: [AuditService, Authenticator, FirstToken, TokenService],
})
export class AccessModule {}
