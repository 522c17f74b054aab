import { Command, Option, SubCommand } from 'nest-commander';
import { basename, resolve } from 'node:path';
import { BaseCommand, type BaseOptions, GroupCommand } from '../../platform/cli/base.command.js';
import { nameOf } from '../../platform/cli/options.js';
import { printResult, table } from '../../platform/cli/output.js';
import type { CatalogView } from '../catalog.js';
import { withCatalogs, workUntilFinished } from './catalog-session.js';
import { coverageTable, failuresTable, planTable } from './coverage-tables.js';

const CATALOG_ARGUMENT = {
  arguments: '<catalogue>',
  argsDescription: { catalogue: 'its id, its name, or one of its folders' },
};

@SubCommand({ name: 'list', description: 'Lists the catalogues, oldest first' })
export class CatalogListCommand extends BaseCommand {
  async run(_words: string[], options: BaseOptions): Promise<void> {
    const { toCatalogDto } = await import('../catalog-json.js');
    await withCatalogs(async ({ catalogs }) => {
      const items: CatalogView[] = [];
      for (let after: string | undefined; ;) {
        const page = await catalogs.list({ limit: 500, after });
        items.push(...page);
        after = page.at(-1)?.id;
        if (page.length < 500) break;
      }
      await printResult(options, { items: items.map(toCatalogDto) }, () => catalogTable(items));
    });
  }
}

interface CreateOptions extends BaseOptions {
  name?: string;
}

@SubCommand({
  name: 'create',
  arguments: '<folders...>',
  argsDescription: { folders: 'the folders to watch' },
  description: 'Makes a catalogue without reading anything yet',
})
export class CatalogCreateCommand extends BaseCommand {
  async run(folders: string[], { name, ...options }: CreateOptions): Promise<void> {
    const { toCatalogDto } = await import('../catalog-json.js');
    await withCatalogs(async ({ catalogs }) => {
      const roots = folders.map((folder) => resolve(folder));
      const catalog = await catalogs.create({ name: name ?? basename(roots[0] ?? ''), roots });
      await printResult(options, toCatalogDto(catalog), () => `Made the catalogue ${catalog.name} (${catalog.id}).`);
    });
  }

  @Option({ flags: '--name <name>', description: 'what it is called (the name of the first folder)' })
  parseName(value: string): string {
    return nameOf('--name', value);
  }
}

@SubCommand({ name: 'show', description: 'Shows a catalogue and its folders', ...CATALOG_ARGUMENT })
export class CatalogShowCommand extends BaseCommand {
  async run([handle = '']: string[], options: BaseOptions): Promise<void> {
    const { toCatalogDto } = await import('../catalog-json.js');
    await withCatalogs(async ({ catalogs }) => {
      const catalog = await catalogs.resolve(handle);
      await printResult(options, toCatalogDto(catalog), async () => {
        const rows = catalog.roots.map((root) => [root.path, root.state, root.offlineReason]);
        return `${await catalogTable([catalog])}\n\n${await table(['folder', 'state', 'why'], rows)}`;
      });
    });
  }
}

@SubCommand({
  name: 'coverage',
  description: 'Shows what is known of the photos, and what is missing',
  ...CATALOG_ARGUMENT,
})
export class CatalogCoverageCommand extends BaseCommand {
  async run([handle = '']: string[], options: BaseOptions): Promise<void> {
    await withCatalogs(async ({ catalogs, rebuilds }) => {
      const { id } = await catalogs.resolve(handle);
      const [kinds, failures] = await Promise.all([rebuilds.coverage(id), rebuilds.failures(id)]);
      await printResult(options, { catalog_id: id, kinds, failures }, async () =>
        [await coverageTable(kinds), await failuresTable(failures)].join('\n\n'),
      );
    });
  }
}

@SubCommand({ name: 'plan', description: 'Shows what a rebuild would do', ...CATALOG_ARGUMENT })
export class CatalogPlanCommand extends BaseCommand {
  async run([handle = '']: string[], options: BaseOptions): Promise<void> {
    const { toPlanDto } = await import('../catalog-json.js');
    await withCatalogs(async ({ catalogs, rebuilds }) => {
      const { id } = await catalogs.resolve(handle);
      const plan = await rebuilds.plan(id);
      await printResult(options, toPlanDto(id, plan), () => planTable(plan));
    });
  }
}

@SubCommand({
  name: 'remove',
  description: 'Forgets a catalogue and all that is known of its photos; the photos stay as they are',
  ...CATALOG_ARGUMENT,
})
export class CatalogRemoveCommand extends BaseCommand {
  async run([handle = '']: string[], options: BaseOptions): Promise<void> {
    const { sweepBlobs } = await import('../../images/index.js');
    await withCatalogs(async (session) => {
      const { catalogs, rebuilds, tasks, actor } = session;
      const { id, name } = await catalogs.resolve(handle);
      await rebuilds.assertIdle(id);
      await catalogs.remove(id);
      await workUntilFinished(session, await tasks.enqueue(sweepBlobs, {}, { actor }), { quiet: true });
      await printResult(options, { removed: id }, () => `Removed the catalogue ${name} (${id}).`);
    });
  }
}

@Command({
  name: 'catalog',
  description: 'Catalogues: folders of photos and what is known of them',
  subCommands: [
    CatalogListCommand,
    CatalogCreateCommand,
    CatalogShowCommand,
    CatalogCoverageCommand,
    CatalogPlanCommand,
    CatalogRemoveCommand,
  ],
})
export class CatalogCommand extends GroupCommand {}

const catalogTable = (catalogs: readonly CatalogView[]): Promise<string> =>
  table(
    ['id', 'name', 'folders', 'active', 'pending', 'missing', 'offline'],
    catalogs.map(({ id, name, roots, images }) => [
      id,
      name,
      roots.map((root) => root.path).join(', '),
      images.active,
      images.pending,
      images.missing,
      images.offline,
    ]),
  );
