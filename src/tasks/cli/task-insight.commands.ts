import { Option, SubCommand } from 'nest-commander';
import { BaseCommand, type BaseOptions } from '../../platform/cli/base.command.js';
import { wholeNumber } from '../../platform/cli/options.js';
import { printResult, table } from '../../platform/cli/output.js';
import type { Explanation } from '../explain/explain.service.js';
import { withTasks } from './with-tasks.js';

@SubCommand({
  name: 'explain',
  description: 'Says why a task does not run, or how it ended, what happens next and what can be done',
  arguments: '<task>',
  argsDescription: { task: 'its id, or the beginning of it' },
})
export class TaskExplainCommand extends BaseCommand {
  async run([id = '']: string[], options: BaseOptions): Promise<void> {
    const { toExplanationDto } = await import('../http/dto/explanation.dto.js');
    await withTasks(async ({ explanations }) => {
      const explanation = await explanations.explain(id);
      await printResult(options, toExplanationDto(explanation), () => explanationText(explanation));
    });
  }
}

function explanationText({ task, reasons }: Explanation): string {
  const lines = reasons.flatMap(({ message, next, advice }) => [message, ...indented(next), ...indented(advice)]);
  return [`${task.name} (${task.id}): ${task.status}`, ...lines].join('\n');
}

const indented = (text: string | undefined): string[] => (text === undefined ? [] : [`  ${text}`]);

interface StatsOptions extends BaseOptions {
  minutes?: number;
}

@SubCommand({ name: 'stats', description: 'Counts tasks by type: what there is to do, and how it has been going' })
export class TaskStatsCommand extends BaseCommand {
  async run(_words: string[], { minutes = 60, ...options }: StatsOptions): Promise<void> {
    const { toTaskStatsDto } = await import('../http/dto/task-stats.dto.js');
    await withTasks(async ({ stats: reader }) => {
      const stats = await reader.read(minutes * 60_000);
      await printResult(options, toTaskStatsDto(stats), () =>
        table(
          [
            'type',
            'created',
            'queued',
            'delayed',
            'running',
            'oldest queued',
            'completed',
            'failed',
            'cancelled',
            'run s',
          ],
          stats.types.map((type) => [
            type.type,
            type.created,
            type.queued,
            type.delayed,
            type.running,
            type.oldestQueuedAt,
            type.completed,
            type.failed,
            type.cancelled,
            type.averageRunS?.toFixed(2),
          ]),
        ),
      );
    });
  }

  @Option({ flags: '--minutes <number>', description: 'over how many minutes finished tasks are counted (60)' })
  parseMinutes(value: string): number {
    return wholeNumber('--minutes', value, { min: 1, max: 44_640 });
  }
}
