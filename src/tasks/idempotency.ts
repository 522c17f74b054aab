import { createHash } from 'node:crypto';
import type { Sql } from '../platform/database/transaction.js';
import { conflict } from '../platform/errors/app-error.js';
import { FIND_IDEMPOTENCY_KEY, KEEP_IDEMPOTENCY_KEY } from './queue/read.sql.js';

/** Something that was made, or, when `created` is false, was there already. */
export interface Made {
  readonly id: string;
  readonly created: boolean;
}

export interface KeyedRequest {
  readonly actor: string;
  readonly key: string;
  /** What is asked for: the same key with another request is refused. */
  readonly request: unknown;
}

/**
 * Makes something once for a key of an actor, in the caller's transaction: the key and what was made are written
 * together, so a repeated request finds either both or none. @throws conflict `idempotency_key_reused`.
 */
export async function makeOnce(
  sql: Sql,
  { actor, key, request }: KeyedRequest,
  make: () => Promise<Made>,
): Promise<Made> {
  const hash = createHash('sha256').update(JSON.stringify(request)).digest();
  await sql.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`${actor}\n${key}`]);
  const [known] = await sql.query<{ task_id: string; request_hash: Buffer }>(FIND_IDEMPOTENCY_KEY, [actor, key]);
  if (known) {
    if (known.request_hash.equals(hash)) return { id: known.task_id, created: false };
    throw conflict('idempotency_key_reused', 'this Idempotency-Key was used for another request; use a new key');
  }
  const made = await make();
  await sql.query(KEEP_IDEMPOTENCY_KEY, [actor, key, hash, made.id]);
  return made;
}
