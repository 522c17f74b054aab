import { Command, Option, SubCommand } from 'nest-commander';
import { BaseCommand, type BaseOptions, GroupCommand } from '../../platform/cli/base.command.js';
import { UsageError } from '../../platform/cli/errors.js';
import { note, printResult, table } from '../../platform/cli/output.js';
import { withApplication } from '../../platform/cli/with-application.js';
import type { TaskStatus } from '../task-state.js';
import type { Webhook } from '../webhooks/webhook.js';
import type { WebhookService } from '../webhooks/webhook.service.js';
import { parseStatuses } from './task-filter-options.js';

const WEBHOOK_ARGUMENT = { arguments: '<webhook>', argsDescription: { webhook: 'its name or its id' } };
const PAGE = 500;

interface CreateOptions extends BaseOptions {
  url: string;
  status?: readonly TaskStatus[];
  type?: readonly string[];
  topLevel?: boolean;
}

@SubCommand({
  name: 'create',
  arguments: '<name>',
  argsDescription: { name: 'what it is called' },
  description: 'Has events sent to an address, and shows the secret that verifies them, this once',
})
export class WebhookCreateCommand extends BaseCommand {
  async run([name = '']: string[], { url, status, type, topLevel, ...options }: CreateOptions): Promise<void> {
    if (!/^[^\p{C}]{1,100}$/u.test(name)) throw new UsageError('a webhook has a name of 1 to 100 characters');
    const { toWebhookDto } = await import('../http/dto/webhook.dto.js');
    await withWebhooks(async (webhooks, actor) => {
      const terms = { name, url, statuses: status ?? null, types: type ?? null, topLevel: topLevel ?? false };
      const { webhook, secret } = await webhooks.create(terms, actor);
      await printResult(options, Object.assign(toWebhookDto(webhook), { secret }), () => secret);
      if (!options.json) note(`Made the webhook ${name} (${webhook.id}). Its secret is shown this once.`);
    });
  }

  @Option({ flags: '--url <address>', description: 'where to: http:// or https://', required: true })
  parseUrl(value: string): string {
    return value;
  }

  @Option({ flags: '--status <status>', description: 'only tasks that enter this status; several with commas (all)' })
  parseStatus(value: string): readonly TaskStatus[] {
    return parseStatuses(value);
  }

  @Option({ flags: '--type <type>', description: 'only tasks of this type; several with commas (all)' })
  parseType(value: string): readonly string[] {
    return value.split(',').map((type) => type.trim().toLowerCase());
  }

  @Option({ flags: '--top-level', description: 'only tasks that are not batches of another' })
  parseTopLevel(): boolean {
    return true;
  }
}

@SubCommand({ name: 'list', description: 'Lists the webhooks, oldest first' })
export class WebhookListCommand extends BaseCommand {
  async run(_words: string[], options: BaseOptions): Promise<void> {
    const { toWebhookDto } = await import('../http/dto/webhook.dto.js');
    await withWebhooks(async (webhooks) => {
      const items: Webhook[] = [];
      for (let after: string | undefined; ;) {
        const page = await webhooks.list({ after, limit: PAGE });
        items.push(...page);
        after = page.at(-1)?.id;
        if (page.length < PAGE) break;
      }
      const rows = items.map((webhook) => [
        ...[webhook.id, webhook.name, webhook.url, webhook.statuses?.join(','), webhook.types?.join(',')],
        webhook.disabledReason ?? (webhook.failingSince === null ? 'on' : 'failing'),
        webhook.failingSince,
      ]);
      await printResult(options, { items: items.map(toWebhookDto) }, () =>
        table(['id', 'name', 'url', 'statuses', 'types', 'state', 'failing since'], rows),
      );
    });
  }
}

@SubCommand({ name: 'delete', description: 'Deletes a webhook: nothing more is sent', ...WEBHOOK_ARGUMENT })
export class WebhookDeleteCommand extends BaseCommand {
  async run([handle = '']: string[], options: BaseOptions): Promise<void> {
    await withWebhooks(async (webhooks) => {
      const id = await webhooks.resolve(handle);
      await webhooks.remove(id);
      await printResult(options, { id }, () => `Deleted the webhook ${handle}.`);
    });
  }
}

@SubCommand({ name: 'ping', description: 'Sends a webhook a signed message without events', ...WEBHOOK_ARGUMENT })
export class WebhookPingCommand extends BaseCommand {
  async run([handle = '']: string[], options: BaseOptions): Promise<void> {
    const { toDeliveryDto } = await import('../http/dto/webhook.dto.js');
    const { unavailable } = await import('../../platform/errors/app-error.js');
    await withWebhooks(async (webhooks) => {
      const attempt = await webhooks.ping(await webhooks.resolve(handle));
      await printResult(options, toDeliveryDto(attempt), () =>
        attempt.error === null ? `Taken, within ${attempt.durationMs} ms.` : 'Not taken.',
      );
      if (attempt.error !== null) throw unavailable('webhook_not_taken', attempt.error);
    });
  }
}

@Command({
  name: 'webhook',
  description: 'Webhooks: where events are sent',
  subCommands: [WebhookListCommand, WebhookCreateCommand, WebhookDeleteCommand, WebhookPingCommand],
})
export class WebhookCommand extends GroupCommand {}

async function withWebhooks(work: (webhooks: WebhookService, actor: string) => Promise<void>): Promise<void> {
  const [{ TasksModule }, { WebhookService: Service }, { cliActor }] = await Promise.all([
    import('../tasks.module.js'),
    import('../webhooks/webhook.service.js'),
    import('../../access/index.js'),
  ]);
  await withApplication([TasksModule], (app) => work(app.get(Service), cliActor().label));
}
