import { Injectable } from '@nestjs/common';
import type { Token } from './token.js';

/**
 * How long a token is believed without asking the database. Smaller: a query for nearly every request. Larger: a token
 * revoked by another process goes on working for that long (one revoked by this process stops at once).
 */
export const BELIEVED_FOR_MS = 5_000;
/** More tokens than this in use within five seconds is not what this product is for; the oldest make room. */
const MOST_TOKENS = 1_000;

/** The tokens that were seen lately, by the hash of their secret. Tokens that do not exist are not remembered. */
@Injectable()
export class TokenCache {
  private readonly entries = new Map<string, { readonly token: Token; readonly until: number }>();

  find(hash: Buffer): Token | undefined {
    const entry = this.entries.get(hash.toString('base64'));
    return entry !== undefined && entry.until > performance.now() ? entry.token : undefined;
  }

  remember(hash: Buffer, token: Token): void {
    const key = hash.toString('base64');
    this.entries.delete(key);
    this.entries.set(key, { token, until: performance.now() + BELIEVED_FOR_MS });
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= MOST_TOKENS) break;
      this.entries.delete(oldest);
    }
  }

  forget(tokenId: string): void {
    for (const [key, { token }] of this.entries) {
      if (token.id === tokenId) this.entries.delete(key);
    }
  }
}
