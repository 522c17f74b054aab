import type { Sql } from '../../platform/database/transaction.js';
import { DELETE_ORPHANS, ORPHANS_OF } from './bulk.sql.js';

/** Batches that are deleted by one statement. */
const ORPHANS_A_STATEMENT = 2_000;

/**
 * Deletes the batches that hang below tasks which are gone, the deepest first, so that an interruption leaves nothing out of
 * reach. Gives how many.
 */
export async function deleteBelow(sql: Sql, parentIds: readonly string[]): Promise<number> {
  if (parentIds.length === 0) return 0;
  for (let sum = 0; ;) {
    const orphans = await sql.query<{ id: string }>(ORPHANS_OF, [parentIds, ORPHANS_A_STATEMENT]);
    if (orphans.length === 0) return sum;
    const ids = orphans.map((row) => row.id);
    sum += await deleteBelow(sql, ids);
    sum += (await sql.query(DELETE_ORPHANS, [ids])).length;
  }
}
