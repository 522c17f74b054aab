import { Command, Option } from 'nest-commander';
import { join } from 'node:path';
import { ApplicationEntry, type RunningApplication } from '../../platform/cli/application-entry.js';
import { BaseCommand, type BaseOptions } from '../../platform/cli/base.command.js';
import { interruptible } from '../../platform/cli/interrupt.js';
import { note, printResult } from '../../platform/cli/output.js';
import type { Task } from '../../tasks/index.js';
import { type CatalogSession, sessionOf } from './catalog-session.js';
import { coverageTable, failuresTable } from './coverage-tables.js';

interface DemoOptions extends BaseOptions {
  exit?: boolean;
}

@Command({
  name: 'demo',
  arguments: '[folder]',
  argsDescription: { folder: 'photos to try it with (a sample library that is drawn for the purpose)' },
  description: 'Shows it all: starts the server, imports a folder, rebuilds it, and goes on serving until Ctrl-C',
})
export class DemoCommand extends BaseCommand {
  constructor(private readonly application: ApplicationEntry) {
    super();
  }

  async run([folder]: string[], options: DemoOptions): Promise<void> {
    const running = await this.application.start({ PHOTOSAFE_ROLE: 'all', ...quietLogs() });
    try {
      await interruptible(
        (signal) => this.show(running, folder, { options, signal }),
        'Nothing is lost: run it again and it goes on where it was.',
      );
    } finally {
      await running.stop();
    }
  }

  @Option({ flags: '--exit', description: 'end after the rebuild, with exit code 0 if it completed' })
  parseExit(): boolean {
    return true;
  }

  private async show(
    running: RunningApplication,
    folder: string | undefined,
    { options, signal }: { options: DemoOptions; signal: AbortSignal },
  ): Promise<void> {
    const session = await sessionOf(running.app);
    const photos = folder ?? (await sampleLibrary(running));
    const { catalog } = await session.catalogs.ofFolder(photos);
    note(`Catalogue ${catalog.name}: ${photos}`);
    const task = await rebuildOf(session, catalog.id, { signal, quiet: options.json });
    signal.throwIfAborted();
    await report(session, { catalogId: catalog.id, task, options, running });
    const { assertCompleted } = await import('../../tasks/index.js');
    assertCompleted(task);
    if (options.exit) return;
    note(`\nServing at ${running.url ?? ''} until Ctrl-C.`);
    await new Promise<void>((resolve) => {
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
    });
    process.exitCode = 0;
  }
}

/** The bar is the demo's news; what goes wrong is still said. */
const quietLogs = (): { LOG_LEVEL?: string } => ({ LOG_LEVEL: 'warn' });

/** Drawn once; a later demo finds it there. In the data folder, where it may lie under `libraries`. */
async function sampleLibrary({ app }: RunningApplication): Promise<string> {
  const [{ Settings }, { generateSampleLibrary }] = await Promise.all([
    import('../../platform/config/settings.js'),
    import('../sample-library/sample-library.js'),
  ]);
  const folder = join(app.get(Settings, { strict: false }).dataDir, 'libraries', 'sample');
  note(`Drawing a sample library in ${folder} …`);
  await generateSampleLibrary(folder);
  return folder;
}

async function rebuildOf(
  { tasks, actor }: CatalogSession,
  catalogId: string,
  { signal, quiet }: { signal: AbortSignal; quiet?: boolean },
): Promise<Task> {
  const [{ rebuild }, { followJob }] = await Promise.all([
    import('../tasks/rebuild.task.js'),
    import('./follow-job.js'),
  ]);
  const { id } = await tasks.enqueue(rebuild, { catalog_id: catalogId }, { actor });
  return followJob(tasks, id, { signal, quiet });
}

async function report(
  { rebuilds }: CatalogSession,
  {
    catalogId,
    task,
    options,
    running,
  }: { catalogId: string; task: Task; options: DemoOptions; running: RunningApplication },
): Promise<void> {
  const { toTaskDto } = await import('../../tasks/index.js');
  const [kinds, failures] = await Promise.all([rebuilds.coverage(catalogId), rebuilds.failures(catalogId)]);
  const { url = '', firstToken } = running;
  const document = { catalog_id: catalogId, task: toTaskDto(task), kinds, failures, url, docs: `${url}/api/docs` };
  await printResult(options, document, async () =>
    [
      (task.result as { message?: string } | null)?.message ?? `${task.name}: ${task.status}`,
      await coverageTable(kinds),
      await failuresTable(failures),
      `API   ${url}/api\nDocs  ${url}/api/docs`,
      signIn(firstToken),
    ].join('\n\n'),
  );
}

const signIn = (firstToken: string | undefined): string =>
  firstToken === undefined
    ? 'Sign in with a token that you have, or make one: npx photosafe token create --name me --role admin'
    : `Sign in with this admin token; it is shown this once:\n\n    ${firstToken}\n\n` +
      'More tokens: npx photosafe token create --name phone --role viewer';
