import { Option, SubCommand } from 'nest-commander';
import { BaseCommand, type BaseOptions } from '../../platform/cli/base.command.js';
import { UsageError } from '../../platform/cli/errors.js';
import { interruptible } from '../../platform/cli/interrupt.js';
import { note, printResult, table } from '../../platform/cli/output.js';
import type { Bulk, BulkAction } from '../bulk/bulk.js';
import { stateText } from './task-text.js';
import type { Task } from '../task.js';
import type { TaskStatus } from '../task-state.js';
import { type FilterOptions, filterOf, parseStatuses, parseTime, STATUS_OPTION } from './task-filter-options.js';
import { type TaskTools, withTasks } from './with-tasks.js';

interface ChangeOptions extends BaseOptions, FilterOptions {
  dryRun?: boolean;
  yes?: boolean;
}

/** A command that changes one task that is named, or all that match its options. */
abstract class TaskChangeCommand extends BaseCommand {
  protected abstract readonly action: BulkAction;

  protected abstract changeOne(tools: TaskTools, id: string): Promise<Task>;

  async run([id]: string[], options: ChangeOptions): Promise<void> {
    const isFiltered = Object.values(filterOf(options)).some((value) => value !== undefined);
    if ((id === undefined) !== isFiltered) {
      throw new UsageError('name one task, or say which ones with options such as --status and --type');
    }
    if (id !== undefined && options.dryRun) {
      throw new UsageError('--dry-run goes with options such as --status: a task that is named is changed at once');
    }
    await withTasks(async (tools) => {
      if (id === undefined) return this.changeMany(tools, options);
      const task = await this.changeOne(tools, id);
      const { toTaskDto } = await import('../http/task-json.js');
      await printResult(options, toTaskDto(task), () => stateText(task));
    });
  }

  private async changeMany(tools: TaskTools, options: ChangeOptions): Promise<void> {
    const { bulks, actor } = tools;
    const { action } = this;
    const { toBulkDto } = await import('../http/dto/bulk.dto.js');
    const plan = await bulks.dryRun({ action, filter: filterOf(options), actor });
    if (!options.yes || options.dryRun) {
      const sample = await bulks.sample(plan.id);
      await printResult(options, toBulkDto(plan, sample), () => planText(plan, sample));
      if (!options.dryRun && !options.json) note(`Nothing was changed. Add --yes to ${action} them.`);
      return;
    }
    await bulks.confirm(plan.id, { action, actor });
    const done = await performed(tools, plan, options.json ?? false);
    await printResult(options, toBulkDto(done), () => doneText(done));
  }

  @Option(STATUS_OPTION)
  parseStatus(value: string): readonly TaskStatus[] {
    return parseStatuses(value);
  }

  @Option({ flags: '--type <type>', description: 'tasks of this type; several with commas' })
  parseType(value: string): string {
    return value;
  }

  @Option({ flags: '--queue <queue>', description: 'tasks of this queue' })
  parseQueue(value: string): string {
    return value;
  }

  @Option({ flags: '--text <text>', description: 'tasks with this in their name or description' })
  parseText(value: string): string {
    return value;
  }

  @Option({ flags: '--since <time>', description: 'tasks created at this time or later' })
  parseSince(value: string): Date {
    return parseTime('--since', value);
  }

  @Option({ flags: '--until <time>', description: 'tasks created before this time' })
  parseUntil(value: string): Date {
    return parseTime('--until', value);
  }

  @Option({ flags: '--dry-run', description: 'only show how many there are, and which' })
  parseDryRun(): boolean {
    return true;
  }

  @Option({ flags: '--yes', description: 'do it, and not only show what would be done' })
  parseYes(): boolean {
    return true;
  }
}

const MAYBE_A_TASK = {
  arguments: '[task]',
  argsDescription: { task: 'its id, or the beginning of it; else say which ones with options' },
};

@SubCommand({
  name: 'cancel',
  description: 'Cancels a task and its batches, or all tasks that match',
  ...MAYBE_A_TASK,
})
export class TaskCancelCommand extends TaskChangeCommand {
  protected readonly action = 'cancel';

  protected changeOne({ tasks, actor }: TaskTools, id: string): Promise<Task> {
    return tasks.cancel(id, actor);
  }
}

@SubCommand({
  name: 'retry',
  description: 'Starts a failed or cancelled task again, or all such tasks that match',
  ...MAYBE_A_TASK,
})
export class TaskRetryCommand extends TaskChangeCommand {
  protected readonly action = 'retry';
  private failedBatches = false;

  override async run(words: string[], options: ChangeOptions): Promise<void> {
    if (this.failedBatches && words.length === 0) throw new UsageError('--failed-batches takes one task that is named');
    await super.run(words, options);
  }

  protected changeOne({ tasks, actor }: TaskTools, id: string): Promise<Task> {
    return this.failedBatches ? tasks.retryFailedBatches(id, actor) : tasks.retry(id, actor);
  }

  @Option({ flags: '--failed-batches', description: 'of the one task, only its batches that did not complete' })
  parseFailedBatches(): boolean {
    return (this.failedBatches = true);
  }
}

@SubCommand({ name: 'delete', description: 'Deletes all finished tasks that match, with their history' })
export class TaskDeleteCommand extends TaskChangeCommand {
  protected readonly action = 'delete';

  protected changeOne(): Promise<Task> {
    throw new UsageError('task delete takes no id: say which tasks with options such as --status and --type');
  }
}

/** Done by this process, whether a worker runs or not. */
async function performed({ bulks }: TaskTools, plan: Bulk, quiet: boolean): Promise<Bulk> {
  const { showProgress } = await import('../../platform/cli/progress.js');
  const progress = quiet ? undefined : await showProgress(plan.action, 'tasks');
  try {
    return await interruptible(
      (signal) =>
        bulks.perform(
          plan.id,
          (bulk) => {
            progress?.update(bulk.processed, bulk.taskCount);
          },
          signal,
        ),
      'What was done is done; the same command does the rest.',
    );
  } finally {
    progress?.end();
  }
}

async function planText({ action, taskCount, isComplete }: Bulk, sample: readonly Task[]): Promise<string> {
  const heading = `${isComplete ? '' : 'The first '}${String(taskCount)} tasks to ${action}${sample.length < taskCount ? '; the newest of them:' : ''}`;
  const rows = sample.map((task) => [task.id, task.type, task.status, task.createdAt, task.name]);
  return sample.length === 0
    ? heading
    : `${heading}\n${await table(['id', 'type', 'status', 'created', 'name'], rows)}`;
}

function doneText({ action, taskCount, changed, isComplete }: Bulk): string {
  const others = taskCount - changed;
  const left = others === 0 ? '' : `; ${String(others)} had changed meanwhile, or cannot be at present`;
  return `${action}: ${String(changed)} of ${String(taskCount)} tasks${left}${isComplete ? '' : '. There are more: run it again'}`;
}
