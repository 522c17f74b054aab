import { Option, SubCommand } from 'nest-commander';
import { BaseCommand, type BaseOptions } from '../../platform/cli/base.command.js';
import { interruptible } from '../../platform/cli/interrupt.js';
import { printResult, table } from '../../platform/cli/output.js';
import { withApplication } from '../../platform/cli/with-application.js';
import type { Task } from '../task.js';

interface RunOptions extends BaseOptions {
  dryRun?: boolean;
  archive?: boolean;
}

interface Result {
  readonly dry_run: boolean;
  readonly tasks: number;
  readonly by_type: readonly { readonly type: string; readonly outcome: string; readonly tasks: number }[];
  readonly archive: { readonly files: number } | null;
}

/** Works on the task in this process, beside whoever else does: no server need be running. */
@SubCommand({ name: 'retention', description: 'Removes finished tasks that have been kept long enough' })
export class TaskRetentionCommand extends BaseCommand {
  async run(_words: string[], { dryRun = false, archive = false, ...options }: RunOptions): Promise<void> {
    const [{ TasksModule }, { TaskService }, { WorkerService }, { retention }, { AccessModule, cliActor }] =
      await Promise.all([
        import('../tasks.module.js'),
        import('../task.service.js'),
        import('../worker/worker.service.js'),
        import('../retention/retention.task.js'),
        import('../../access/index.js'),
      ]);
    const [{ toTaskDto }, { assertCompleted, followTask }] = await Promise.all([
      import('../http/task-json.js'),
      import('./follow-task.js'),
    ]);
    await withApplication([AccessModule, TasksModule], async (app) => {
      const tasks = app.get(TaskService);
      const input = { dry_run: dryRun, archive };
      const { id } = await tasks.enqueue(retention, input, { actor: cliActor().label });
      const task = await interruptible(async (signal) => {
        await app.get(WorkerService).start();
        return followTask(tasks, id, { signal, unit: 'tasks', quiet: options.json });
      }, `Nothing is lost: task ${id} goes on as soon as a server or worker runs, or when you repeat this command.`);
      await printResult(options, toTaskDto(task), () => resultText(task));
      assertCompleted(task);
    });
  }

  @Option({ flags: '--dry-run', description: 'remove nothing, only count' })
  parseDryRun(): boolean {
    return true;
  }

  @Option({ flags: '--archive', description: 'write them to files of the data folder first' })
  parseArchive(): boolean {
    return true;
  }
}

async function resultText(task: Task): Promise<string> {
  if (task.status !== 'completed') return `${task.name}: ${task.status}`;
  const { dry_run: dryRun, tasks, by_type: byType, archive } = task.result as Result;
  const files = archive === null || dryRun ? '' : `, archived in ${String(archive.files)} files`;
  const sum = `${dryRun ? 'Would remove' : 'Removed'} ${String(tasks)} tasks${files}.`;
  if (byType.length === 0) return sum;
  const rows = byType.map((one) => [one.type, one.outcome, one.tasks]);
  return `${await table(['type', 'outcome', 'tasks, with their batches'], rows)}\n\n${sum}`;
}
