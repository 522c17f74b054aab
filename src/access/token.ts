import type { Role } from '../platform/http/declared-access.js';

/** A token as everybody may see it: the secret is known to its holder alone. */
export interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** How the secret begins. */
  readonly prefix: string;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly expiresAt: Date | null;
  /** Within a minute. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly revokedBy: string | null;
}

export type TokenState = 'active' | 'expired' | 'revoked';

export function stateOf(token: Pick<Token, 'expiresAt' | 'revokedAt'>, now: Date): TokenState {
  if (token.revokedAt !== null) return 'revoked';
  return token.expiresAt !== null && token.expiresAt <= now ? 'expired' : 'active';
}

/** A token as JSON, over HTTP and on the command line. */
export const tokenDocument = (token: Token, now: Date) => ({
  id: token.id,
  name: token.name,
  role: token.role,
  prefix: token.prefix,
  state: stateOf(token, now),
  created_at: token.createdAt,
  created_by: token.createdBy,
  expires_at: token.expiresAt,
  last_used_at: token.lastUsedAt,
  revoked_at: token.revokedAt,
  revoked_by: token.revokedBy,
});
