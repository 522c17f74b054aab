import type { Type } from '@nestjs/common';
import { withApplication } from '../../platform/cli/with-application.js';
import type { BulkService } from '../bulk/bulk.service.js';
import type { ExplainService } from '../explain/explain.service.js';
import type { TaskStatsReader } from '../stats/task-stats.js';
import type { TaskService } from '../task.service.js';

/** What commands about tasks use. */
export interface TaskTools {
  /** Who sits at the command line. */
  readonly actor: string;
  readonly tasks: TaskService;
  readonly bulks: BulkService;
  readonly explanations: ExplainService;
  readonly stats: TaskStatsReader;
}

/**
 * The engine for the time of one command, without working on tasks; loaded here, so that `--help` stays quick. Which kinds of
 * work there are is known to those that define them: with their `modules`, where a type is named.
 */
export async function withTasks(
  work: (tools: TaskTools) => Promise<void>,
  modules: readonly Type[] = [],
): Promise<void> {
  const [{ TasksModule }, { AccessModule, cliActor }] = await Promise.all([
    import('../tasks.module.js'),
    import('../../access/index.js'),
  ]);
  const [{ TaskService: Tasks }, { BulkService: Bulks }, { ExplainService: Explanations }, { TaskStatsReader: Stats }] =
    await Promise.all([
      import('../task.service.js'),
      import('../bulk/bulk.service.js'),
      import('../explain/explain.service.js'),
      import('../stats/task-stats.js'),
    ]);
  await withApplication([AccessModule, TasksModule, ...modules], (app) =>
    work({
      actor: cliActor().label,
      tasks: app.get(Tasks),
      bulks: app.get(Bulks),
      explanations: app.get(Explanations),
      stats: app.get(Stats),
    }),
  );
}
