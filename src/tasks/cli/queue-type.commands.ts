import { Injectable } from '@nestjs/common';
import { Option, SubCommand } from 'nest-commander';
import { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { BaseCommand, type BaseOptions } from '../../platform/cli/base.command.js';
import { printResult, table } from '../../platform/cli/output.js';
import type { TypeLimitsState } from '../limits/type-limits.js';
import { limitsText, reasonOf } from './limits-text.js';
import { type QueueSession, withQueues } from './queue-session.js';

const TYPE_ARGUMENT = { arguments: '<type>', argsDescription: { type: 'a task type, in any letter case' } };

interface ReasonOptions extends BaseOptions {
  reason?: string;
}

@SubCommand({ name: 'types', description: 'Lists the types of tasks that have limits of their own' })
export class QueueTypesCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  async run(_words: string[], options: BaseOptions): Promise<void> {
    const { toTypeLimitsDto } = await import('../http/dto/queues.dto.js');
    await withQueues(this.entry, async ({ types }) => {
      const items = await types.list();
      await printResult(options, { items: items.map(toTypeLimitsDto) }, () =>
        table(
          ['type', 'queue', 'running', 'limits', 'circuit', 'state'],
          items.map((item) => [
            ...[item.name, item.queue, item.running, limitsText(item.limits)],
            item.limits.breaker ? item.circuit?.circuit : null,
            item.pause ? `paused by ${item.pause.by}` : 'on',
          ]),
        ),
      );
    });
  }
}

/** A command that changes one type and shows it. */
@Injectable()
abstract class TypeChangeCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  protected abstract change(session: QueueSession, type: string, reason: string | undefined): Promise<TypeLimitsState>;
  protected abstract describe(type: TypeLimitsState): string;

  async run([type = '']: string[], { reason, ...options }: ReasonOptions): Promise<void> {
    const { toTypeLimitsDto } = await import('../http/dto/queues.dto.js');
    await withQueues(this.entry, async (session) => {
      const state = await this.change(session, type, reason);
      await printResult(options, toTypeLimitsDto(state), () => this.describe(state));
    });
  }

  @Option({ flags: '--reason <text>', description: 'why: kept with who did it' })
  parseReason(value: string): string {
    return reasonOf(value);
  }
}

@SubCommand({ name: 'pause-type', description: 'Lets no task of a type begin; what runs goes on', ...TYPE_ARGUMENT })
export class QueuePauseTypeCommand extends TypeChangeCommand {
  protected change({ types, actor }: QueueSession, type: string, reason: string | undefined): Promise<TypeLimitsState> {
    return types.pause(type, { actor, reason });
  }

  protected describe({ name }: TypeLimitsState): string {
    return `Tasks of type ${name} are paused.`;
  }
}

@SubCommand({ name: 'resume-type', description: 'Lets tasks of a paused type go on', ...TYPE_ARGUMENT })
export class QueueResumeTypeCommand extends TypeChangeCommand {
  protected change({ types, actor }: QueueSession, type: string, reason: string | undefined): Promise<TypeLimitsState> {
    return types.resume(type, { actor, reason });
  }

  protected describe({ name }: TypeLimitsState): string {
    return `Tasks of type ${name} go on.`;
  }
}

@SubCommand({
  name: 'close-circuit',
  description: 'Lets tasks go on that were left alone because they kept failing',
  ...TYPE_ARGUMENT,
})
export class QueueCloseCircuitCommand extends TypeChangeCommand {
  protected change({ types, actor }: QueueSession, type: string, reason: string | undefined): Promise<TypeLimitsState> {
    return types.closeCircuit(type, { actor, reason });
  }

  protected describe({ name }: TypeLimitsState): string {
    return `The circuit of ${name} is closed.`;
  }
}
