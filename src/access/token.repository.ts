import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull, LessThan } from 'typeorm';
import { TokenEntity } from './token.entity.js';
import type { Token } from './token.js';

export interface NewToken extends Token {
  readonly tokenHash: Buffer;
}

/** The first key of the advisory lock under which the first token is made. */
const FIRST_TOKEN_LOCK = 0x7073_6674;

/** Rows of `tokens`. Times are the caller's, so that a test can set them. */
@Injectable()
export class TokenRepository {
  /** Refused by the unique index tokens_name when a token that is not revoked has the name. */
  async insert(manager: EntityManager, token: NewToken): Promise<void> {
    await manager.insert(TokenEntity, token);
  }

  findByHash(manager: EntityManager, tokenHash: Buffer): Promise<Token | undefined> {
    return found(manager.findOneBy(TokenEntity, { tokenHash }));
  }

  findById(manager: EntityManager, id: string): Promise<Token | undefined> {
    return found(manager.findOneBy(TokenEntity, { id }));
  }

  /** Newest first (ids are UUID v7); `before` is the id of the last token of the page before. */
  listPage(manager: EntityManager, page: { limit: number; before?: string; withRevoked: boolean }): Promise<Token[]> {
    return manager.find(TokenEntity, {
      where: {
        ...(page.before !== undefined && { id: LessThan(page.before) }),
        ...(!page.withRevoked && { revokedAt: IsNull() }),
      },
      order: { id: 'DESC' },
      take: page.limit,
    });
  }

  /** The tokens that are not revoked and whose name or displayed prefix is `handle`, or whose id begins with it. */
  listByHandle(manager: EntityManager, handle: string): Promise<Token[]> {
    return manager
      .createQueryBuilder(TokenEntity, 'token')
      .where('token.revokedAt IS NULL')
      .andWhere('(token.name = :handle OR token.prefix = :handle OR starts_with(token.id::text, lower(:handle)))', {
        handle,
      })
      .orderBy('token.id')
      .getMany();
  }

  /** False when the token is revoked or not there; refused by the unique index tokens_name when the name is taken. */
  async rename(manager: EntityManager, id: string, name: string): Promise<boolean> {
    const { affected } = await manager.update(TokenEntity, { id, revokedAt: IsNull() }, { name });
    return affected === 1;
  }

  /** False when it is revoked already or not there. */
  async revoke(manager: EntityManager, id: string, by: { revokedAt: Date; revokedBy: string }): Promise<boolean> {
    const { affected } = await manager.update(TokenEntity, { id, revokedAt: IsNull() }, by);
    return affected === 1;
  }

  /** Notes a use, unless one was noted since `since`: many processes and requests write one row a minute. */
  async noteUse(manager: EntityManager, id: string, use: { at: Date; since: Date }): Promise<void> {
    const stale = [
      { id, lastUsedAt: IsNull() },
      { id, lastUsedAt: LessThan(use.since) },
    ];
    await manager.update(TokenEntity, stale, { lastUsedAt: use.at });
  }

  /** Whether any token was ever made: one that was revoked or has expired counts too. */
  existsAny(manager: EntityManager): Promise<boolean> {
    return manager.existsBy(TokenEntity, {});
  }

  /** Holds all others who call it until the transaction ends. */
  async lockFirstToken(manager: EntityManager): Promise<void> {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [FIRST_TOKEN_LOCK]);
  }
}

const found = async (row: Promise<TokenEntity | null>): Promise<Token | undefined> => (await row) ?? undefined;
