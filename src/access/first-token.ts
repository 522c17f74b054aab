import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { Transaction } from '../platform/database/transaction.js';
import { systemActor } from './actor.js';
import { hashOf } from './secret.js';
import { TokenRepository } from './token.repository.js';
import { TokenService } from './token.service.js';

const FIRST_TOKEN_NAME = 'first-admin';
const BOOTSTRAP_NAME = 'bootstrap';

/**
 * The way in to a fresh installation. However many processes start at once, one of them makes the first token: they
 * queue for an advisory lock, and whoever finds that any token was ever made makes none. An installation whose tokens
 * are all lost or revoked is opened again from the command line (`photosafe token create`), not by a restart.
 */
@Injectable()
export class FirstToken {
  private readonly logger = new Logger(FirstToken.name);

  constructor(
    private readonly database: Database,
    private readonly tokens: TokenRepository,
    private readonly service: TokenService,
  ) {}

  /**
   * Makes the first admin token and gives its secret, to be shown once; undefined when there is nothing to show: there
   * was a token already, or `bootstrapSecret` (set from outside, and so known to somebody) is one now.
   */
  ensure(bootstrapSecret: string | undefined): Promise<string | undefined> {
    return this.database.transaction(async (tx) => {
      await this.tokens.lockFirstToken(tx.manager);
      if (bootstrapSecret !== undefined) return this.ensureBootstrap(tx, bootstrapSecret);
      if (await this.tokens.existsAny(tx.manager)) return undefined;
      const { secret } = await this.service.createIn(
        tx,
        { name: FIRST_TOKEN_NAME, role: 'admin' },
        systemActor('first-start'),
      );
      return secret;
    });
  }

  private async ensureBootstrap(tx: Transaction, secret: string): Promise<undefined> {
    const known = await this.tokens.findByHash(tx.manager, hashOf(secret));
    if (known !== undefined) {
      if (known.revokedAt !== null)
        this.logger.warn({ message: 'the bootstrap token is revoked; set another', tokenId: known.id });
      return undefined;
    }
    const earlier = (await this.tokens.listByHandle(tx.manager, BOOTSTRAP_NAME)).length > 0;
    const name = earlier ? `${BOOTSTRAP_NAME}-${hashOf(secret).toString('hex', 0, 4)}` : BOOTSTRAP_NAME;
    await this.service.createIn(tx, { name, role: 'admin', secret }, systemActor('bootstrap'));
    tx.afterCommit(() => {
      if (earlier) {
        this.logger.warn({
          message: 'the bootstrap token has changed; the earlier one works until it is revoked',
          tokenName: name,
        });
      } else {
        this.logger.log({ message: 'the bootstrap token works as an admin token', tokenName: name });
      }
    });
    return undefined;
  }
}
