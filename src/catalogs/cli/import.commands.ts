import { Command, Option } from 'nest-commander';
import { BaseCommand, type BaseOptions } from '../../platform/cli/base.command.js';
import { nameOf } from '../../platform/cli/options.js';
import { note, printResult } from '../../platform/cli/output.js';
import type { Task } from '../../tasks/index.js';
import { withCatalogs, workUntilFinished } from './catalog-session.js';
import { coverageTable, failuresTable } from './coverage-tables.js';

interface ImportOptions extends BaseOptions {
  name?: string;
  wait?: boolean;
}

const resultMessage = (task: Task): string =>
  (task.result as { message?: string } | null)?.message ?? `${task.name}: ${task.status}`;

@Command({
  name: 'import',
  arguments: '<folder>',
  argsDescription: { folder: 'the folder whose photos become a catalogue, with everything beneath it' },
  description: 'Makes a catalogue of a folder, or finds the one there is, and reads its photos',
})
export class ImportCommand extends BaseCommand {
  async run([folder = '']: string[], { name, wait = true, ...options }: ImportOptions): Promise<void> {
    await withCatalogs(async (session) => {
      const [{ analyze }, { assertCompleted, toTaskDto }] = await Promise.all([
        import('../../images/index.js'),
        import('../../tasks/index.js'),
      ]);
      const { catalog, created } = await session.catalogs.ofFolder(folder, name);
      note(`${created ? 'Made' : 'Found'} the catalogue ${catalog.name} (${catalog.id}).`);
      const added = await session.tasks.enqueue(analyze, { catalog_id: catalog.id }, { actor: session.actor });
      const task = wait
        ? await workUntilFinished(session, added, { quiet: options.json })
        : await session.tasks.get(added.id);
      await printResult(options, { catalog_id: catalog.id, created, task: toTaskDto(task) }, () =>
        wait ? resultMessage(task) : `Task ${task.id} waits for a server or worker.`,
      );
      if (wait) assertCompleted(task);
    });
  }

  @Option({ flags: '--name <name>', description: 'what a new catalogue is called (the name of the folder)' })
  parseName(value: string): string {
    return nameOf('--name', value);
  }

  @Option({ flags: '--no-wait', description: 'only hand the work over; a server or worker does it' })
  parseWait(): boolean {
    return false;
  }
}

interface RebuildOptions extends BaseOptions {
  force?: boolean;
  wait?: boolean;
}

@Command({
  name: 'rebuild',
  arguments: '<catalogue>',
  argsDescription: { catalogue: 'its id, its name, or a folder, which becomes a catalogue if it is none' },
  description: 'Does everything that a catalogue lacks: reads photos, makes thumbnails',
})
export class RebuildCommand extends BaseCommand {
  async run([handle = '']: string[], { force = false, wait = true, ...options }: RebuildOptions): Promise<void> {
    await withCatalogs(async (session) => {
      const [{ rebuild }, { assertCompleted, toTaskDto }] = await Promise.all([
        import('../tasks/rebuild.task.js'),
        import('../../tasks/index.js'),
      ]);
      const { catalog } = await session.catalogs.resolveOrMake(handle);
      const input = { catalog_id: catalog.id, force };
      const added = await session.tasks.enqueue(rebuild, input, { actor: session.actor });
      if (!added.created) note('A rebuild of this catalogue is under way already; following that one.');
      if (!wait) {
        const task = await session.tasks.get(added.id);
        await printResult(options, { catalog_id: catalog.id, task: toTaskDto(task) }, () => `Task ${task.id} waits.`);
        return;
      }
      const task = await workUntilFinished(session, added, { quiet: options.json });
      const [kinds, failures] = await Promise.all([
        session.rebuilds.coverage(catalog.id),
        session.rebuilds.failures(catalog.id),
      ]);
      await printResult(options, { catalog_id: catalog.id, task: toTaskDto(task), kinds, failures }, async () =>
        [resultMessage(task), await coverageTable(kinds), await failuresTable(failures)].join('\n\n'),
      );
      assertCompleted(task);
    });
  }

  @Option({ flags: '--force', description: 'do it all again, not only what is missing' })
  parseForce(): boolean {
    return true;
  }

  @Option({ flags: '--no-wait', description: 'only hand the work over; a server or worker does it' })
  parseWait(): boolean {
    return false;
  }
}
