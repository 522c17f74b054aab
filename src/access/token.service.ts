import { Injectable } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { v7 as newId } from 'uuid';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import type { Transaction } from '../platform/database/transaction.js';
import { conflict, invalid, notFound } from '../platform/errors/app-error.js';
import type { Role } from '../platform/http/declared-access.js';
import type { AccessAction, AccessEvent } from './access-event.js';
import { AccessEventRepository } from './access-event.repository.js';
import type { Actor } from './actor.js';
import { TokenCache } from './token-cache.js';
import { displayPrefix, hashOf, newSecret } from './secret.js';
import type { Token } from './token.js';
import { TokenRepository } from './token.repository.js';

export interface TokenRequest {
  readonly name: string;
  readonly role: Role;
  /** Left out: it never expires. */
  readonly expiresAt?: Date;
}

export interface CreatedToken {
  readonly token: Token;
  /** Shown to its holder now, and never again. */
  readonly secret: string;
}

export interface TokenPage {
  readonly items: readonly Token[];
  /** Id of the last item when there may be more. */
  readonly next?: string;
}

/** Makes, lists and revokes tokens; each change is one transaction with its audit event. */
@Injectable()
export class TokenService {
  constructor(
    private readonly database: Database,
    private readonly tokens: TokenRepository,
    private readonly events: AccessEventRepository,
    private readonly cache: TokenCache,
    private readonly clock: Clock,
  ) {}

  create(request: TokenRequest, actor: Actor): Promise<CreatedToken> {
    return this.database.transaction((tx) => this.createIn(tx, request, actor));
  }

  /** `secret`: one that is known already. Throws invalid `token_expires_in_the_past`, conflict `token_name_taken`. */
  async createIn(tx: Transaction, request: TokenRequest & { secret?: string }, actor: Actor): Promise<CreatedToken> {
    const secret = request.secret ?? newSecret();
    const now = this.clock.now();
    if (request.expiresAt !== undefined && request.expiresAt <= now) throw expiresInThePast(request.expiresAt);
    const token: Token = {
      id: newId(),
      name: request.name,
      role: request.role,
      prefix: displayPrefix(secret),
      createdAt: now,
      createdBy: actor.label,
      expiresAt: request.expiresAt ?? null,
      lastUsedAt: null,
      revokedAt: null,
      revokedBy: null,
    };
    const row = { ...token, tokenHash: hashOf(secret) };
    await this.tokens.insert(tx.manager, row).catch((error: unknown) => refuseTaken(error, token.name));
    const details = { role: token.role, expires_at: token.expiresAt?.toISOString() ?? null };
    await this.record(tx, { action: 'token.created', token, actor, details });
    return { token, secret };
  }

  async list(page: { limit: number; before?: string; withRevoked?: boolean }): Promise<TokenPage> {
    const { limit, before, withRevoked = true } = page;
    const rows = await this.tokens.listPage(this.manager, { limit: limit + 1, before, withRevoked });
    const items = rows.slice(0, limit);
    return { items, next: rows.length > limit ? items.at(-1)?.id : undefined };
  }

  async get(id: string): Promise<Token> {
    return (await this.tokens.findById(this.manager, id)) ?? refuseUnknown(id);
  }

  /** Throws not-found `token_not_found`, conflict `token_revoked` and `token_name_taken`. */
  async rename(id: string, name: string, actor: Actor): Promise<Token> {
    return this.database.transaction(async (tx) => {
      const token = (await this.tokens.findById(tx.manager, id)) ?? refuseUnknown(id);
      if (token.name === name) return token;
      const renamed = await this.tokens
        .rename(tx.manager, id, name)
        .catch((error: unknown) => refuseTaken(error, name));
      if (!renamed) throw conflict('token_is_revoked', `The token ${token.name} is revoked and keeps its name.`);
      const details = { earlier_name: token.name };
      await this.record(tx, { action: 'token.renamed', token: { id, name }, actor, details });
      tx.afterCommit(() => {
        this.cache.forget(id);
      });
      return { ...token, name };
    });
  }

  /** Revoking a revoked token changes nothing and is no error. Throws not-found `token_not_found`. */
  async revoke(id: string, actor: Actor): Promise<Token> {
    const now = this.clock.now();
    return this.database.transaction(async (tx) => {
      const token = (await this.tokens.findById(tx.manager, id)) ?? refuseUnknown(id);
      const by = { revokedAt: now, revokedBy: actor.label };
      tx.afterCommit(() => {
        this.cache.forget(id);
      });
      if (!(await this.tokens.revoke(tx.manager, id, by))) return (await this.tokens.findById(tx.manager, id)) ?? token;
      await this.record(tx, { action: 'token.revoked', token, actor });
      return { ...token, ...by };
    });
  }

  /** The one token that is meant by an id, the start of an id, a displayed prefix or a name. */
  async getByHandle(handle: string): Promise<Token> {
    const matching = await this.tokens.listByHandle(this.manager, handle);
    const named = matching.find(({ name }) => name === handle); // names are unique: one that fits beats any prefix
    const [only, ...others] = named === undefined ? matching : [named];
    if (only === undefined) return refuseUnknown(handle);
    if (others.length === 0) return only;
    const choices = [only, ...others].map(({ id, name }) => `${id} (${name})`).join(', ');
    throw conflict('token_ambiguous', `${handle} means more than one token: ${choices}. Give the id of one.`);
  }

  private get manager(): Transaction['manager'] {
    return this.database.dataSource.manager;
  }

  private record(tx: Transaction, { action, token, actor, details = {} }: Deed): Promise<void> {
    const subject = { tokenId: token.id, tokenName: token.name };
    return this.events.append(tx.manager, { at: this.clock.now(), action, actor: actor.label, ...subject, details });
  }
}

interface Deed {
  readonly action: AccessAction;
  readonly token: Pick<Token, 'id' | 'name'>;
  readonly actor: Actor;
  readonly details?: AccessEvent['details'];
}

const nameTaken = (name: string): Error =>
  conflict('token_name_taken', `There is a token named ${name} already. Revoke it, or choose another name.`);

const expiresInThePast = (expiresAt: Date): Error =>
  invalid('token_expires_in_the_past', 'A token must expire in the future.', {
    fields: [
      { path: 'expires_at', message: 'is in the past', value: expiresAt.toISOString(), allowed: 'a time to come' },
    ],
  });

function refuseUnknown(handle: string): never {
  throw notFound('token_not_found', `There is no token ${handle}.`);
}

function refuseTaken(error: unknown, name: string): never {
  const taken = error instanceof QueryFailedError && Reflect.get(error.driverError, 'constraint') === 'tokens_name';
  throw taken ? nameTaken(name) : error;
}
