import { clockSkewMs } from '../../database/clock-skew.js';
import type { Sql } from '../../database/transaction.js';
import { type CheckResult, examine, fail, ok, warn } from './check.js';

const OLDEST_SERVER = 15;
/** Leases and schedules compare the clocks of all machines with that of the database. */
const WORRYING_SKEW_MS = 1_000;
const HARMFUL_SKEW_MS = 5_000;

export const checkServer = (sql: Sql, description: string): Promise<CheckResult> =>
  examine('database', async () => {
    const [row] = await sql.query<{ version: string; number: number }>(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number`,
    );
    const found = `PostgreSQL ${row?.version ?? '?'}, ${description}`;
    const tooOld = (row?.number ?? 0) < OLDEST_SERVER * 10_000;
    return tooOld ? fail('database', `${found}: ${OLDEST_SERVER} or newer is needed`) : ok('database', found);
  });

export const checkVectors = (sql: Sql): Promise<CheckResult> =>
  examine('pgvector', async () => {
    const rows = await sql.query(`SELECT 1 FROM pg_available_extensions WHERE name = 'vector'`);
    return ok('pgvector', rows.length > 0 ? 'available' : 'not available, and nothing here needs it yet');
  });

export const checkClock = (sql: Sql): Promise<CheckResult> =>
  examine('clock', async () => {
    const skewMs = await clockSkewMs(sql);
    const found = `this machine and the database are ${Math.abs(skewMs)} ms apart`;
    if (Math.abs(skewMs) >= HARMFUL_SKEW_MS) return fail('clock', `${found}: set both by NTP`);
    return Math.abs(skewMs) >= WORRYING_SKEW_MS ? warn('clock', `${found}: set both by NTP`) : ok('clock', found);
  });

export function checkMigrations(pending: readonly string[]): CheckResult {
  if (pending.length === 0) return ok('migrations', 'the schema is up to date');
  return warn('migrations', `${pending.join(', ')} not run yet: the next start does it, or run photosafe migrate`);
}
