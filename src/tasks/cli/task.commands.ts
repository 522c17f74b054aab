import { Command, Option, SubCommand } from 'nest-commander';
import { BaseCommand, type BaseOptions, GroupCommand } from '../../platform/cli/base.command.js';
import { UsageError } from '../../platform/cli/errors.js';
import { interruptible } from '../../platform/cli/interrupt.js';
import { wholeNumber } from '../../platform/cli/options.js';
import { printResult, table } from '../../platform/cli/output.js';
import { withApplication } from '../../platform/cli/with-application.js';
import type { Task } from '../task.js';
import type { TaskService } from '../task.service.js';
import { STATUS_WORDS, statusesMeantBy, type TaskStatus } from '../task-state.js';
import { taskDetails } from './task-details.js';

const TASK_ARGUMENT = { arguments: '<task>', argsDescription: { task: 'its id, or the beginning of it' } };

interface ListOptions extends BaseOptions {
  status?: readonly TaskStatus[];
  type?: string;
  limit?: number;
}

@SubCommand({ name: 'list', description: 'Lists tasks, newest first' })
export class TaskListCommand extends BaseCommand {
  async run(_words: string[], { status, type, limit = 20, ...options }: ListOptions): Promise<void> {
    await withTasks(async (tasks, { toDto }) => {
      const items = await tasks.list({ statuses: status, types: type?.toLowerCase().split(',') }, { limit });
      await printResult(options, { items: items.map(toDto) }, () =>
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

  @Option({ flags: '--status <status>', description: `${STATUS_WORDS.join(', ')}; several with commas (all)` })
  parseStatus(value: string): readonly TaskStatus[] {
    return value.split(',').flatMap((word) => {
      const meant = statusesMeantBy(word.trim());
      if (meant === undefined) throw new UsageError(`--status takes ${STATUS_WORDS.join(', ')}, not "${word}"`);
      return meant;
    });
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
    await withTasks(async (tasks, { toDto, toEventDto }) => {
      const task = await tasks.get(id);
      const events = await tasks.events(task.id, { limit: 500 });
      await printResult(options, { ...toDto(task), events: events.map(toEventDto) }, () => taskDetails(task, events));
    });
  }
}

@SubCommand({ name: 'watch', description: 'Shows the progress of a task until it has finished', ...TASK_ARGUMENT })
export class TaskWatchCommand extends BaseCommand {
  async run([id = '']: string[], options: BaseOptions): Promise<void> {
    const { assertCompleted, followTask } = await import('./follow-task.js');
    await withTasks(async (tasks, { toDto }) => {
      const { id: taskId } = await tasks.get(id);
      const task = await interruptible(
        (signal) => followTask(tasks, taskId, { signal, unit: 'items', quiet: options.json }),
        'The task goes on without being watched.',
      );
      await printResult(options, toDto(task), () => `${task.name}: ${task.status}`);
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
  async run([type = '']: string[], { params = {}, priority, dedupKey, ...options }: CreateOptions): Promise<void> {
    await withTasks(async (tasks, { toDto, actor }) => {
      const { id } = await tasks.create(type, params, { actor, priority, dedupKey });
      const task = await tasks.get(id);
      await printResult(options, toDto(task), () => stateText(task));
    });
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
    return wholeNumber('--priority', value, { min: 0, max: 1_000 });
  }

  @Option({ flags: '--dedup-key <key>', description: 'admits one unfinished task of the type' })
  parseDedupKey(value: string): string {
    return value;
  }
}

/** A command that changes one task and shows it. */
abstract class TaskChangeCommand extends BaseCommand {
  protected abstract change(tasks: TaskService, id: string, actor: string): Promise<Task>;

  async run([id = '']: string[], options: BaseOptions): Promise<void> {
    await withTasks(async (tasks, { toDto, actor }) => {
      const task = await this.change(tasks, id, actor);
      await printResult(options, toDto(task), () => stateText(task));
    });
  }
}

@SubCommand({
  name: 'run',
  description: 'Starts a task that waits to be run, failed or was cancelled',
  ...TASK_ARGUMENT,
})
export class TaskRunCommand extends TaskChangeCommand {
  protected change(tasks: TaskService, id: string, actor: string): Promise<Task> {
    return tasks.run(id, actor);
  }
}

@SubCommand({ name: 'cancel', description: 'Cancels a task and its batches', ...TASK_ARGUMENT })
export class TaskCancelCommand extends TaskChangeCommand {
  protected change(tasks: TaskService, id: string, actor: string): Promise<Task> {
    return tasks.cancel(id, actor);
  }
}

interface RetryOptions extends BaseOptions {
  failedBatches?: boolean;
}

@SubCommand({ name: 'retry', description: 'Starts a failed or cancelled task again', ...TASK_ARGUMENT })
export class TaskRetryCommand extends BaseCommand {
  async run([id = '']: string[], { failedBatches, ...options }: RetryOptions): Promise<void> {
    await withTasks(async (tasks, { toDto, actor }) => {
      const task = failedBatches ? await tasks.retryFailedBatches(id, actor) : await tasks.retry(id, actor);
      await printResult(options, toDto(task), () => stateText(task));
    });
  }

  @Option({ flags: '--failed-batches', description: 'only its batches that did not complete' })
  parseFailedBatches(): boolean {
    return true;
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
  ],
})
export class TaskCommand extends GroupCommand {}

interface Tools {
  readonly actor: string;
  readonly toDto: (task: Task) => object;
  readonly toEventDto: (event: Awaited<ReturnType<TaskService['events']>>[number]) => object;
}

async function withTasks(work: (tasks: TaskService, tools: Tools) => Promise<void>): Promise<void> {
  const [{ TasksModule }, { TaskService: Service }, { AccessModule, cliActor }, { toTaskDto, toTaskEventDto }] =
    await Promise.all([
      import('../tasks.module.js'),
      import('../task.service.js'),
      import('../../access/index.js'),
      import('../http/task-json.js'),
    ]);
  const tools = { actor: cliActor().label, toDto: toTaskDto, toEventDto: toTaskEventDto };
  await withApplication([AccessModule, TasksModule], (app) => work(app.get(Service), tools));
}

const progressText = (task: Task): string =>
  task.total === null ? '' : `${String(task.processed)}/${String(task.total)} (${String(task.progress)}%)`;

function stateText(task: Task): string {
  const asked = task.cancelRequestedAt !== null && task.status === 'running' ? ', asked to stop' : '';
  return `${task.name} (${task.id}): ${task.status}${asked}`;
}
