import { Command, Option, SubCommand } from 'nest-commander';
import { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { BaseCommand, type BaseOptions, GroupCommand } from '../../platform/cli/base.command.js';
import { UsageError } from '../../platform/cli/errors.js';
import { interruptible } from '../../platform/cli/interrupt.js';
import { nameOf, textOf, wholeNumber } from '../../platform/cli/options.js';
import { printResult, table } from '../../platform/cli/output.js';
import { HIGHEST_PRIORITY, LOWEST_PRIORITY } from '../priority-range.js';
import { startByProblem, type StartTimes } from '../start-times.js';
import type { TaskStatus } from '../task-state.js';
import { TaskCancelCommand, TaskDeleteCommand, TaskRetryCommand } from './task-change.commands.js';
import { taskDetails } from './task-details.js';
import { type FilterOptions, filterOf, parseStatuses, parseTime, STATUS_OPTION } from './task-filter-options.js';
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

interface CreateOptions extends BaseOptions, StartTimes {
  name?: string;
  params?: object;
  priority?: number;
  dedupKey?: string;
  start?: boolean;
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

  async run([type = '']: string[], { params = {}, start, json, ...terms }: CreateOptions): Promise<void> {
    const { toTaskDto } = await import('../http/task-json.js');
    assertInTime(terms);
    await withTasks(
      async ({ tasks, actor }) => {
        const { id } = await tasks.create(type, params, { actor, ...terms, runImmediately: start });
        const task = await tasks.get(id);
        await printResult({ json }, toTaskDto(task), () => stateText(task));
      },
      await this.application.modules(),
    );
  }

  @Option({ flags: '--name <name>', description: 'what people call it (the title of the type)' })
  parseName(value: string): string {
    return nameOf('--name', value);
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

  @Option({ flags: '--run-at <time>', description: 'not before this time' })
  parseRunAt(value: string): Date {
    return parseTime('--run-at', value);
  }

  @Option({ flags: '--start-by <time>', description: 'fail it if it has not started by this time' })
  parseStartBy(value: string): Date {
    return parseTime('--start-by', value);
  }

  @Option({ flags: '--no-start', description: 'let it wait until it is run (photosafe task run)' })
  parseStart(): boolean {
    return false;
  }

  @Option({ flags: '--dedup-key <key>', description: 'admits one unfinished task of the type' })
  parseDedupKey(value: string): string {
    return textOf('--dedup-key', value, { max: 500 });
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

/** @throws UsageError for a task that could never start in time. */
function assertInTime(times: StartTimes): void {
  const problem = startByProblem(times, new Date());
  if (problem) throw new UsageError(`--start-by ${problem.message}`, `Allowed: ${problem.allowed ?? ''}.`);
}
