import { Command, Option } from 'nest-commander';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ApplicationEntry } from '../application-entry.js';
import { BaseCommand, type BaseOptions } from '../base.command.js';
import { CliError } from '../errors.js';
import { printResult } from '../output.js';

interface SnapshotsOptions extends BaseOptions {
  check?: boolean;
}

/** From dist/src/platform/cli/snapshots: this command works in a checkout only. */
const DOCS = resolve(import.meta.dirname, '../../../../../docs');

/** For developers; --help does not list it. */
@Command({
  name: 'snapshots',
  description: 'Writes docs/openapi.json, docs/schema.sql and docs/configuration.md from the code',
  options: { hidden: true },
})
export class SnapshotsCommand extends BaseCommand {
  constructor(private readonly application: ApplicationEntry) {
    super();
  }

  async run(_words: string[], options: SnapshotsOptions): Promise<void> {
    const changed: string[] = [];
    for (const [name, text] of Object.entries(await this.snapshots())) {
      const path = join(DOCS, name);
      if ((await readFile(path, 'utf8').catch(() => undefined)) === text) continue;
      changed.push(`docs/${name}`);
      if (!options.check) await writeFile(path, text);
    }
    await printResult(options, { changed }, () =>
      changed.length === 0 ? 'All up to date.' : `Changed: ${changed.join(', ')}.`,
    );
    if (options.check && changed.length > 0)
      throw new CliError('docs/ is behind the code', { advice: 'npm run snapshots' });
  }

  @Option({ flags: '--check', description: 'change nothing; fail when something would change' })
  parseCheck(): boolean {
    return true;
  }

  private async snapshots(): Promise<Record<string, string>> {
    const [{ configurationMarkdown }, { schemaOfNewDatabase }] = await Promise.all([
      import('../../config/configuration-markdown.js'),
      import('./schema-of-new-database.js'),
    ]);
    return {
      'configuration.md': configurationMarkdown(),
      'openapi.json': `${JSON.stringify(await this.application.openApiDocument(), undefined, 2)}\n`,
      'schema.sql': await schemaOfNewDatabase(),
    };
  }
}
