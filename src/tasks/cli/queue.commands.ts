import { Injectable } from '@nestjs/common';
import { Command, Option, SubCommand } from 'nest-commander';
import { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { BaseCommand, type BaseOptions, GroupCommand } from '../../platform/cli/base.command.js';
import { printResult, table } from '../../platform/cli/output.js';
import type { QueueState } from '../limits/queue-overview.js';
import { reasonOf } from './limits-text.js';
import { QueueEventsCommand, QueueLimitCommand, QueueLimitTypeCommand } from './queue-limit.commands.js';
import {
  QueueCloseCircuitCommand,
  QueuePauseTypeCommand,
  QueueResumeTypeCommand,
  QueueTypesCommand,
} from './queue-type.commands.js';
import { type QueueSession, withQueues } from './queue-session.js';

const QUEUE_ARGUMENT = { arguments: '<queue>', argsDescription: { queue: 'its name' } };

interface ReasonOptions extends BaseOptions {
  reason?: string;
}

@SubCommand({ name: 'list', description: 'Lists the queues: what waits and runs, and what holds it' })
export class QueueListCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  async run(_words: string[], options: BaseOptions): Promise<void> {
    const { toQueueDto } = await import('../http/dto/queues.dto.js');
    await withQueues(this.entry, async ({ queues }) => {
      const items = await queues.list();
      await printResult(options, { items: items.map(toQueueDto) }, () =>
        table(
          ['queue', 'ready', 'oldest', 'delayed', 'running', 'limit', 'workers', 'slots', 'state'],
          items.map(rowOf),
        ),
      );
    });
  }
}

const rowOf = (queue: QueueState) => [
  queue.name,
  queue.ready,
  queue.oldestSeconds === null ? null : `${String(Math.round(queue.oldestSeconds))} s`,
  queue.delayed,
  queue.running,
  queue.limited?.limits.concurrency,
  queue.workers,
  queue.slots,
  stateOf(queue),
];

function stateOf({ limited }: QueueState): string {
  if (!limited?.pause) return 'on';
  return `paused by ${limited.pause.by}${limited.pause.reason === null ? '' : `: ${limited.pause.reason}`}`;
}

/** A command that pauses or resumes one queue and shows it. */
@Injectable()
abstract class QueueChangeCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  protected abstract change(session: QueueSession, queue: string, reason: string | undefined): Promise<void>;
  protected abstract readonly done: string;

  async run([queue = '']: string[], { reason, ...options }: ReasonOptions): Promise<void> {
    const { toQueueDto } = await import('../http/dto/queues.dto.js');
    await withQueues(this.entry, async (session) => {
      await session.queues.get(queue);
      await this.change(session, queue, reason);
      const state = await session.queues.get(queue);
      await printResult(options, toQueueDto(state), () => `The queue ${queue} ${this.done}.`);
    });
  }

  @Option({ flags: '--reason <text>', description: 'why: kept with who did it' })
  parseReason(value: string): string {
    return reasonOf(value);
  }
}

@SubCommand({ name: 'pause', description: 'Lets nothing of a queue begin; what runs goes on', ...QUEUE_ARGUMENT })
export class QueuePauseCommand extends QueueChangeCommand {
  protected readonly done = 'is paused';

  protected change({ limits, actor }: QueueSession, name: string, reason: string | undefined): Promise<void> {
    return limits.pause({ scope: 'queue', name }, { actor, reason });
  }
}

@SubCommand({ name: 'resume', description: 'Lets a paused queue go on', ...QUEUE_ARGUMENT })
export class QueueResumeCommand extends QueueChangeCommand {
  protected readonly done = 'goes on';

  protected change({ limits, actor }: QueueSession, name: string, reason: string | undefined): Promise<void> {
    return limits.resume({ scope: 'queue', name }, { actor, reason });
  }
}

@Command({
  name: 'queue',
  description: 'Queues, and what limits them and the types of tasks in them',
  subCommands: [
    ...[QueueListCommand, QueuePauseCommand, QueueResumeCommand, QueueLimitCommand],
    ...[QueueTypesCommand, QueuePauseTypeCommand, QueueResumeTypeCommand, QueueLimitTypeCommand],
    ...[QueueCloseCircuitCommand, QueueEventsCommand],
  ],
})
export class QueueCommand extends GroupCommand {}
