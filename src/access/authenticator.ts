import { Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { unauthorized } from '../platform/errors/app-error.js';
import type { Role } from '../platform/http/declared-access.js';
import { type Actor, tokenActor } from './actor.js';
import { hashOf } from './secret.js';
import { TokenCache } from './token-cache.js';
import { stateOf, type Token } from './token.js';
import { TokenRepository } from './token.repository.js';

/** Who calls, and what they may do. */
export interface Caller {
  readonly actor: Actor;
  readonly role: Role;
}

/** `last_used_at` is written at most this often for a token: it answers "is it in use?", not "when exactly?". */
const USE_NOTED_EVERY_MS = 60_000;

/** Tells who holds the bearer token of a request. */
@Injectable()
export class Authenticator {
  constructor(
    private readonly database: Database,
    private readonly tokens: TokenRepository,
    private readonly cache: TokenCache,
    private readonly clock: Clock,
  ) {}

  /** Throws unauthorized `token_missing`, `token_invalid`, `token_expired`, `token_revoked`. */
  async authenticate(authorization: string | undefined): Promise<Caller> {
    const secret = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (secret === undefined) {
      throw unauthorized('token_missing', 'A token is needed: send the header Authorization: Bearer <token>.');
    }
    const hash = hashOf(secret);
    const token = this.cache.find(hash) ?? (await this.lookUp(hash));
    const state = stateOf(token, this.clock.now());
    if (state === 'revoked') throw unauthorized('token_revoked', `The token ${token.name} has been revoked.`);
    if (state === 'expired') throw unauthorized('token_expired', `The token ${token.name} has expired.`);
    return { actor: tokenActor(token), role: token.role };
  }

  private async lookUp(hash: Buffer): Promise<Token> {
    const { manager } = this.database.dataSource;
    const token = await this.tokens.findByHash(manager, hash);
    if (token === undefined) throw unauthorized('token_invalid', 'This token is not known here.');
    const at = this.clock.now();
    const since = new Date(at.getTime() - USE_NOTED_EVERY_MS);
    if (stateOf(token, at) === 'active' && (token.lastUsedAt === null || token.lastUsedAt < since)) {
      await this.tokens.noteUse(manager, token.id, { at, since });
    }
    this.cache.remember(hash, token);
    return token;
  }
}
