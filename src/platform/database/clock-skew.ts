import type { Sql } from './transaction.js';

/** How far this machine's clock is ahead of the database's, in milliseconds; right to half of the way there and back. */
export async function clockSkewMs(sql: Sql): Promise<number> {
  const before = Date.now();
  const [row] = await sql.query<{ ms: number }>(`SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms`);
  return Math.round((before + Date.now()) / 2 - (row?.ms ?? 0));
}
