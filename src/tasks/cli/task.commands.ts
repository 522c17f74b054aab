import { Command, Option, SubCommand } from 'nest-commander';
import { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { BaseCommand, type BaseOptions, GroupCommand } from '../../platform/cli/base.command.js';
import { UsageError } from '../../platform/cli/errors.js';
import { interruptible } from '../../platform/cli/interrupt.js';
import { wholeNumber } from '../../platform/cli/options.js';
import { printResult, table } from '../../platform/cli/output.js';
import { HIGHEST_PRIORITY, LOWEST_PRIORITY } from '../priority-range.js';
import type { TaskStatus } from '../task-state.js';
import { TaskCancelCommand, TaskDeleteCommand, TaskRetryCommand } from './task-change.commands.js';
import { taskDetails } from './task-details.js';
import { type FilterOptions, filterOf, parseStatuses, STATUS_OPTION } from './task-filter-options.js';
import { TaskExplainCommand, TaskStatsCommand } from './task-insight.commands.js';
import { progressText, stateText } from './task-text.js';
import { withTasks } from './with-tasks.js';
import { TaskRetentionCommand } from './task-retention.commands.js';

const TASK_ARGUMENT = { arguments: '<task>', argsDescription: { task: 'its id, or the beginning of it' } };

interface ListOptions extends BaseOptions, Pick<FilterOptions, 'status' | 'type'> {
  limit?: number;
}

@SubCommand({ name: 'list', description: 'Lists tasks, newest first' })
export class TaskListCommand extends BaseCommand {
  async run(_words: string[], { status, type, limit = 20, ...options }: ListOptions): Promise<void> {
    const { toTaskDto } = await import('../http/task-json.js');
    await withTasks(async ({ tasks }) => {
      const items = await tasks.list(filterOf({ status, type }), { limit });
      await printResult(options, { items: items.map(toTaskDto) }, () =>
        table(
          ['id', 'type', 'status', 'progress', 'created', 'by', 'error'],
          items.map((task) => [
            task.id,
            task.type,
            task.status,
            progressText(task),
            task.createdAt,
            task.requestedBy,
            task.errorCode,
          ]),
        ),
      );
    });
  }

  @Option(STATUS_OPTION)
  parseStatus(value: string): readonly TaskStatus[] {
    return parseStatuses(value);
  }

  @Option({ flags: '--type <type>', description: 'only tasks of this type; several with commas' })
  parseType(value: string): string {
    return value;
  }

  @Option({ flags: '--limit <number>', description: 'at most this many (20)' })
  parseLimit(value: string): number {
    return wholeNumber('--limit', value, { max: 1_000 });
  }
}

@SubCommand({ name: 'show', description: 'Shows a task and its audit trail', ...TASK_ARGUMENT })
export class TaskShowCommand extends BaseCommand {
  async run([id = '']: string[], options: BaseOptions): Promise<void> {
    const { toTaskDto, toTaskEventDto } = await import('../http/task-json.js');
    await withTasks(async ({ tasks }) => {
      const task = await tasks.get(id);
      const events = await tasks.events(task.id, { limit: 500 });
      const shown: object = toTaskDto(task);
      await printResult(options, { ...shown, events: events.map(toTaskEventDto) }, () => taskDetails(task, events));
    });
  }
}

@SubCommand({ name: 'watch', description: 'Shows the progress of a task until it has finished', ...TASK_ARGUMENT })
export class TaskWatchCommand extends BaseCommand {
  async run([id = '']: string[], options: BaseOptions): Promise<void> {
    const { assertCompleted, followTask } = await import('./follow-task.js');
    const { toTaskDto } = await import('../http/task-json.js');
    await withTasks(async ({ tasks }) => {
      const { id: taskId } = await tasks.get(id);
      const task = await interruptible(
        (signal) => followTask(tasks, taskId, { signal, unit: 'items', quiet: options.json }),
        'The task goes on without being watched.',
      );
      await printResult(options, toTaskDto(task), () => `${task.name}: ${task.status}`);
      assertCompleted(task);
    });
  }
}

interface CreateOptions extends BaseOptions {
  params?: object;
  priority?: number;
  dedupKey?: string;
}

@SubCommand({
  name: 'create',
  description: 'Creates a task of any type, one for external workers too',
  arguments: '<type>',
  argsDescription: { type: 'which kind of work' },
})
export class TaskCreateCommand extends BaseCommand {
  constructor(private readonly application: ApplicationEntry) {
    super();
  }

  async run([type = '']: string[], { params = {}, priority, dedupKey, ...options }: CreateOptions): Promise<void> {
    const { toTaskDto } = await import('../http/task-json.js');
    await withTasks(
      async ({ tasks, actor }) => {
        const { id } = await tasks.create(type, params, { actor, priority, dedupKey });
        const task = await tasks.get(id);
        await printResult(options, toTaskDto(task), () => stateText(task));
      },
      await this.application.modules(),
    );
  }

  @Option({ flags: '--params <json>', description: 'its input, a JSON object ({})' })
  parseParams(value: string): object {
    try {
      const params: unknown = JSON.parse(value);
      if (typeof params === 'object' && params !== null && !Array.isArray(params)) return params;
    } catch {
      // said below
    }
    throw new UsageError(`--params takes a JSON object such as '{"tile": 7}', not ${value}`);
  }

  @Option({ flags: '--priority <number>', description: 'higher goes first (that of the type)' })
  parsePriority(value: string): number {
    return wholeNumber('--priority', value, { min: LOWEST_PRIORITY, max: HIGHEST_PRIORITY });
  }

  @Option({ flags: '--dedup-key <key>', description: 'admits one unfinished task of the type' })
  parseDedupKey(value: string): string {
    return value;
  }
}

@SubCommand({
  name: 'run',
  description: 'Starts a task that waits to be run, failed or was cancelled',
  ...TASK_ARGUMENT,
})
export class TaskRunCommand extends BaseCommand {
  async run([id = '']: string[], options: BaseOptions): Promise<void> {
    const { toTaskDto } = await import('../http/task-json.js');
    await withTasks(async ({ tasks, actor }) => {
      const task = await tasks.run(id, actor);
      await printResult(options, toTaskDto(task), () => stateText(task));
    });
  }
}

@Command({
  name: 'task',
  description: 'Tasks: what is being done, what was, and what went wrong',
  subCommands: [
    TaskCreateCommand,
    TaskListCommand,
    TaskShowCommand,
    TaskWatchCommand,
    TaskRunCommand,
    TaskCancelCommand,
    TaskRetryCommand,
    TaskDeleteCommand,
    TaskExplainCommand,
    TaskStatsCommand,
    TaskRetentionCommand,
  ],
})
export class TaskCommand extends GroupCommand {}
