import type { Type } from '@nestjs/common';
import { Command, Option, SubCommand } from 'nest-commander';
import { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { BaseCommand, type BaseOptions, GroupCommand } from '../../platform/cli/base.command.js';
import { UsageError } from '../../platform/cli/errors.js';
import { wholeNumber } from '../../platform/cli/options.js';
import { printResult, table } from '../../platform/cli/output.js';
import { withApplication } from '../../platform/cli/with-application.js';
import type { RetentionPolicies, StoredPolicy } from '../retention/retention-policies.js';
import type { Keep, TypePolicy } from '../retention/retention-policy.js';

const MAX_DAYS = 36_500;
const TYPE_ARGUMENT = { arguments: '<type>', argsDescription: { type: 'a task type, in any letter case' } };

@SubCommand({ name: 'show', description: 'Shows how long finished tasks are kept, in days' })
export class RetentionShowCommand extends BaseCommand {
  async run(_words: string[], options: BaseOptions): Promise<void> {
    await withPolicies(async (policies) => {
      const items = await policies.list();
      const { defaults, idempotencyKeyHours } = policies;
      const document = { defaults, idempotency_key_hours: idempotencyKeyHours, items: items.map(toDocument) };
      await printResult(options, document, () =>
        table(
          ['type', 'completed', 'failed', 'cancelled', 'set by', 'at'],
          [
            ['(default)', defaults.completed, defaults.failed, defaults.cancelled, 'settings', null],
            ...items.map(({ type, keep, updatedBy, updatedAt }) => [
              type,
              ...[keep.completed, keep.failed, keep.cancelled],
              updatedBy,
              updatedAt,
            ]),
          ],
        ),
      );
    });
  }
}

@SubCommand({
  name: 'set',
  description: 'Sets how long tasks of a type are kept; what is left out follows the default',
  ...TYPE_ARGUMENT,
})
export class RetentionSetCommand extends BaseCommand {
  constructor(private readonly application: ApplicationEntry) {
    super();
  }

  async run([type = '']: string[], { json, ...keep }: BaseOptions & TypePolicy): Promise<void> {
    await withPolicies(
      async (policies, actor) => {
        const policy = await policies.set(type, keep, actor);
        await printResult({ json }, toDocument(policy), () => `The tasks of ${policy.type} are kept as you said.`);
      },
      await this.application.modules(),
    );
  }

  @Option({ flags: '--completed <days>', description: 'days, or forever' })
  parseCompleted(value: string): Keep {
    return keepOf('--completed', value);
  }

  @Option({ flags: '--failed <days>', description: 'days, or forever' })
  parseFailed(value: string): Keep {
    return keepOf('--failed', value);
  }

  @Option({ flags: '--cancelled <days>', description: 'days, or forever' })
  parseCancelled(value: string): Keep {
    return keepOf('--cancelled', value);
  }
}

@SubCommand({ name: 'reset', description: 'Lets a type follow the default again', ...TYPE_ARGUMENT })
export class RetentionResetCommand extends BaseCommand {
  async run([type = '']: string[], options: BaseOptions): Promise<void> {
    await withPolicies(async (policies) => {
      await policies.reset(type);
      await printResult(options, { type, reset: true }, () => `The tasks of ${type} follow the default.`);
    });
  }
}

@Command({
  name: 'retention',
  description: 'How long finished tasks are kept',
  subCommands: [RetentionShowCommand, RetentionSetCommand, RetentionResetCommand],
})
export class RetentionCommand extends GroupCommand {}

function keepOf(option: string, value: string): Keep {
  if (value.toLowerCase() === 'forever') return 'forever';
  if (!/^\d+$/.test(value)) throw new UsageError(`${option} takes days or the word forever, not "${value}"`);
  return wholeNumber(option, value, { max: MAX_DAYS });
}

const toDocument = ({ type, keep, updatedAt, updatedBy }: StoredPolicy): object => ({
  type,
  ...keep,
  updated_at: updatedAt,
  updated_by: updatedBy,
});

/** With the `modules` that define the types, where one is named that may have no tasks yet. */
async function withPolicies(
  work: (policies: RetentionPolicies, actor: string) => Promise<void>,
  modules: readonly Type[] = [],
): Promise<void> {
  const [{ TasksModule }, { RetentionPolicies: Policies }, { AccessModule, cliActor }] = await Promise.all([
    import('../tasks.module.js'),
    import('../retention/retention-policies.js'),
    import('../../access/index.js'),
  ]);
  await withApplication([AccessModule, TasksModule, ...modules], (app) => work(app.get(Policies), cliActor().label));
}
