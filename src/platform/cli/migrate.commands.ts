import { Command, Option } from 'nest-commander';
import { BaseCommand, type BaseOptions } from './base.command.js';
import { printResult } from './output.js';
import { withDatabaseUrl } from './with-database-url.js';

interface MigrateOptions extends BaseOptions {
  dryRun?: boolean;
}

@Command({ name: 'migrate', description: 'Brings the database schema up to date (so does every start of the server)' })
export class MigrateCommand extends BaseCommand {
  async run(_words: string[], options: MigrateOptions): Promise<void> {
    const { migrate, migrationState } = await import('../database/migrate.js');
    await withDatabaseUrl(async (url) => {
      if (options.dryRun) {
        const { pending } = await migrationState(url);
        await printResult(options, { pending }, () => listed('would run', pending));
      } else {
        const ran = await migrate(url);
        await printResult(options, { ran }, () => listed('ran', ran));
      }
    });
  }

  @Option({ flags: '--dry-run', description: 'only tell which migrations would run' })
  parseDryRun(): boolean {
    return true;
  }
}

const listed = (what: string, names: readonly string[]): string =>
  names.length === 0 ? 'The schema is up to date.' : names.map((name) => `${what} ${name}`).join('\n');
