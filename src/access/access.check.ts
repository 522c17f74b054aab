import { type CheckResult, ok, warn } from '../platform/cli/doctor/check.js';
import type { Sql } from '../platform/database/transaction.js';

/** For `photosafe doctor`: whether anybody can get in. */
export async function checkTokens(sql: Sql): Promise<CheckResult> {
  const [counts] = await sql.query<{ made: number; admins: number }>(
    `SELECT count(*)::int AS made,
       count(*) FILTER (WHERE role = 'admin' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))::int AS admins
     FROM tokens`,
  );
  if (counts === undefined || counts.made === 0)
    return ok('tokens', 'none yet: the first start of the server makes one and shows it');
  if (counts.admins > 0)
    return ok('tokens', `${counts.admins} admin ${counts.admins === 1 ? 'token' : 'tokens'} in force`);
  return warn('tokens', 'no admin token is in force: photosafe token create --name admin --role admin makes one');
}
