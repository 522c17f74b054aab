import { Command } from 'nest-commander';
import type { Sql } from '../../database/transaction.js';
import { ApplicationEntry } from '../application-entry.js';
import { BaseCommand, type BaseOptions } from '../base.command.js';
import { printResult } from '../output.js';
import { withDatabaseUrl } from '../with-database-url.js';
import { type CheckResult, fail } from './check.js';

@Command({
  name: 'doctor',
  description: 'Looks for what would keep PhotoSafe from working, and says what to do about it',
})
export class DoctorCommand extends BaseCommand {
  constructor(private readonly application: ApplicationEntry) {
    super();
  }

  async run(_words: string[], options: BaseOptions): Promise<void> {
    const results = [...(await environmentResults()), ...(await this.databaseResults())];
    const healthy = results.every(({ level }) => level !== 'fail');
    await printResult(options, { healthy, checks: results }, () => results.map(lineOf).join('\n'));
    if (!healthy) process.exitCode = 1;
  }

  private async databaseResults(): Promise<CheckResult[]> {
    try {
      return await withDatabaseUrl((url) => this.examineDatabase(url));
    } catch (error) {
      return [fail('database', error instanceof Error ? error.message : String(error))];
    }
  }

  private async examineDatabase(url: string): Promise<CheckResult[]> {
    const [checks, vacuum, { shownUrl }, { migrationState }, { sqlOver }] = await Promise.all([
      import('./database-checks.js'),
      import('./vacuum-checks.js'),
      import('../../database/connection-config.js'),
      import('../../database/migrate.js'),
      import('../sql-over-url.js'),
    ]);
    return sqlOver(url, async (sql: Sql) => {
      const results = [
        await checks.checkServer(sql, shownUrl(url)),
        await checks.checkVectors(sql),
        await checks.checkClock(sql),
        await vacuum.checkOldTransactions(sql),
        await vacuum.checkVacuum(sql),
      ];
      const { pending } = await migrationState(url);
      results.push(checks.checkMigrations(pending));
      if (pending.length > 0) return results; // the tables that the others look at may not be there
      for (const check of await this.application.databaseChecks()) results.push(await check(sql));
      return results;
    });
  }
}

async function environmentResults(): Promise<CheckResult[]> {
  const [{ checkNode, checkDataFolder, checkImageLibraries }, { checkRedis }, { loadSettings }] = await Promise.all([
    import('./environment-checks.js'),
    import('./redis-check.js'),
    import('../../config/load-settings.js'),
  ]);
  const settings = loadSettings();
  return [
    checkNode(process.versions.node),
    await checkDataFolder(settings),
    ...(await checkImageLibraries()),
    ...(await checkRedis(settings)),
  ];
}

const lineOf = ({ name, level, message }: CheckResult): string =>
  `${level.toUpperCase().padEnd(4)}  ${name}: ${message}`;
