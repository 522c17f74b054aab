import type { INestApplicationContext } from '@nestjs/common';
import { interruptible } from '../../platform/cli/interrupt.js';
import { withApplication } from '../../platform/cli/with-application.js';
import type { EnqueuedTask, Task, TaskService } from '../../tasks/index.js';
import type { CatalogsService } from '../catalogs.service.js';
import type { RebuildService } from '../rebuild.service.js';

/** What commands about catalogues use. */
export interface CatalogSession {
  readonly catalogs: CatalogsService;
  readonly rebuilds: RebuildService;
  readonly tasks: TaskService;
  /** The person at the command line, for the audit trail. */
  readonly actor: string;
  readonly app: INestApplicationContext;
}

/** An application for the time of one command. Loaded here, so that `--help` stays quick. */
export async function withCatalogs(work: (session: CatalogSession) => Promise<void>): Promise<void> {
  const [{ AccessModule }, { CatalogsModule }] = await Promise.all([
    import('../../access/index.js'),
    import('../catalogs.module.js'),
  ]);
  await withApplication([AccessModule, CatalogsModule], async (app) => work(await sessionOf(app)));
}

export async function sessionOf(app: INestApplicationContext): Promise<CatalogSession> {
  const [{ cliActor }, { TaskService: Tasks }, { CatalogsService: Catalogs }, { RebuildService: Rebuilds }] =
    await Promise.all([
      import('../../access/index.js'),
      import('../../tasks/index.js'),
      import('../catalogs.service.js'),
      import('../rebuild.service.js'),
    ]);
  return {
    catalogs: app.get(Catalogs, { strict: false }),
    rebuilds: app.get(Rebuilds, { strict: false }),
    tasks: app.get(Tasks, { strict: false }),
    actor: cliActor().label,
    app,
  };
}

/**
 * Works on the queue in this process, beside whoever else does, until the task has finished: no server need be running.
 * Ctrl-C hands back what is being done; the task goes on with the next worker that runs.
 */
export async function workUntilFinished(
  { app, tasks }: CatalogSession,
  { id }: EnqueuedTask,
  { quiet = false }: { readonly quiet?: boolean },
): Promise<Task> {
  const [{ WorkerService }, { followJob }] = await Promise.all([
    import('../../tasks/index.js'),
    import('./follow-job.js'),
  ]);
  const howToResume = `Nothing is lost: task ${id} goes on as soon as a server or worker runs, or when you repeat this command.`;
  return interruptible(async (signal) => {
    await app.get(WorkerService, { strict: false }).start();
    return followJob(tasks, id, { signal, quiet });
  }, howToResume);
}
