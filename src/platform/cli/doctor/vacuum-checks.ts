import type { Sql } from '../../database/transaction.js';
import { DEAD_ROWS, type DeadRows, type Holder, HOLDERS } from '../../database/vacuum.sql.js';
import { type CheckResult, examine, ok, warn } from './check.js';

/** A dump of a large database takes this long. */
const LONG_SECONDS = 3_600;
/** What has no clock is long when so many transactions have begun since: some minutes of a busy worker. */
const MANY_TRANSACTIONS = 1_000_000;
/** Autovacuum comes once a minute, and after a fifth of a table has died. */
const MANY_DEAD_ROWS = 1_000_000;
const LATE_SECONDS = 600;

/** Dead rows stay while somebody might still see them: tables grow, and everything that reads them gets slower. */
export const checkOldTransactions = (sql: Sql): Promise<CheckResult> =>
  examine('old transactions', async () => judgeHolders(await sql.query<Holder>(HOLDERS)));

export const checkVacuum = (sql: Sql): Promise<CheckResult> =>
  examine('vacuum', async () => {
    const [settings] = await sql.query<{ on: boolean }>(
      `SELECT current_setting('autovacuum')::bool AND current_setting('track_counts')::bool AS on`,
    );
    return judgeVacuum(settings?.on ?? false, await sql.query<DeadRows>(DEAD_ROWS));
  });

export function judgeHolders(holders: readonly Holder[]): CheckResult {
  const old = holders.filter(({ seconds, transactions }) =>
    seconds === null ? transactions >= MANY_TRANSACTIONS : seconds >= LONG_SECONDS,
  );
  if (old.length === 0) return ok('old transactions', 'nothing keeps dead rows from being removed');
  return warn('old transactions', `dead rows pile up until these end: ${old.map(described).join('; ')}`);
}

function described({ kind, name, about, seconds, transactions }: Holder): string {
  const since = seconds === null ? `for ${transactions} transactions` : `for ${(seconds / 3_600).toFixed(1)} h`;
  const quoted = `'${name.replaceAll("'", "''")}'`;
  switch (kind) {
    case 'session':
      return `session ${name} (${about ?? 'unknown'}) ${since}: SELECT pg_terminate_backend(${name})`;
    case 'prepared':
      return `prepared transaction ${quoted} ${since}: COMMIT PREPARED or ROLLBACK PREPARED ${quoted}`;
    case 'standby':
      return `standby ${name} ${since}: see what it runs, or turn off its hot_standby_feedback`;
    case 'slot':
      return `replication slot ${quoted} ${since}: let its standby catch up, or SELECT pg_drop_replication_slot(${quoted})`;
  }
}

export function judgeVacuum(isOn: boolean, tables: readonly DeadRows[]): CheckResult {
  if (!isOn) return warn('vacuum', 'autovacuum or track_counts is off: set both to on, or tables only ever grow');
  const late = tables.filter(
    ({ dead, live, vacuumedSecondsAgo }) =>
      dead >= MANY_DEAD_ROWS && dead > live && (vacuumedSecondsAgo ?? Infinity) > LATE_SECONDS,
  );
  if (late.length === 0) return ok('vacuum', 'autovacuum keeps up');
  const names = late.map(({ table, dead }) => `${table} (${dead} dead rows)`).join(', ');
  return warn('vacuum', `autovacuum does not keep up with ${names}: VACUUM them, lower autovacuum_vacuum_cost_delay`);
}
