import { Command, Option, SubCommand } from 'nest-commander';
import { BaseCommand, type BaseOptions, GroupCommand } from '../platform/cli/base.command.js';
import { UsageError } from '../platform/cli/errors.js';
import { nameOf, oneOf } from '../platform/cli/options.js';
import { note, printResult, table } from '../platform/cli/output.js';
import { withApplication } from '../platform/cli/with-application.js';
import type { Actor } from './actor.js';
import { EXPIRY_FORMS, expiryFrom } from './expiry.js';
import { type Token, tokenDocument } from './token.js';
import type { TokenService } from './token.service.js';

/** As in platform/http/declared-access.ts, which is too heavy for --help. */
const ROLE_NAMES = ['viewer', 'operator', 'worker', 'admin'] as const;

interface CreateOptions extends BaseOptions {
  name: string;
  role: (typeof ROLE_NAMES)[number];
  /** Not null: commander makes an empty text of that. */
  expires?: Date | 'never';
}

@SubCommand({ name: 'create', description: 'Makes a token and shows it, this once' })
export class TokenCreateCommand extends BaseCommand {
  async run(_words: string[], { name, role, expires, ...options }: CreateOptions): Promise<void> {
    await withTokens(async (tokens, actor) => {
      const { token, secret } = await tokens.create(
        { name, role, expiresAt: expires === 'never' ? undefined : expires },
        actor,
      );
      await printResult(options, { ...shown(token), token: secret }, () => secret);
      if (!options.json)
        note(`Made the ${role} token ${name}, valid ${validity(token.expiresAt)}. It is shown this once.`);
    });
  }

  @Option({ flags: '--name <name>', description: 'what it is called in lists and in the audit trail', required: true })
  parseName(value: string): string {
    return nameOf('--name', value, { max: 100 });
  }

  @Option({ flags: '--role <role>', description: 'viewer, operator, worker or admin', required: true })
  parseRole(value: string): string {
    return oneOf('--role', value, ROLE_NAMES);
  }

  @Option({ flags: '--expires <when>', description: `${EXPIRY_FORMS} (never)` })
  parseExpires(value: string): Date | 'never' {
    const expiry = expiryFrom(value, new Date());
    if (expiry === undefined) throw new UsageError(`--expires takes ${EXPIRY_FORMS}; not "${value}"`);
    return expiry ?? 'never';
  }
}

interface ListOptions extends BaseOptions {
  all?: boolean;
}

@SubCommand({ name: 'list', description: 'Lists the tokens, newest first' })
export class TokenListCommand extends BaseCommand {
  async run(_words: string[], options: ListOptions): Promise<void> {
    await withTokens(async (tokens) => {
      const items: ReturnType<typeof shown>[] = [];
      for (let before: string | undefined; ;) {
        const page = await tokens.list({ limit: 500, before, withRevoked: options.all ?? false });
        items.push(...page.items.map(shown));
        before = page.next;
        if (before === undefined) break;
      }
      await printResult(options, { items }, () =>
        table(
          ['id', 'name', 'role', 'state', 'starts with', 'created', 'by', 'expires', 'last used'],
          items.map((token) => [
            token.id,
            token.name,
            token.role,
            token.state,
            token.prefix,
            token.created_at,
            token.created_by,
            token.expires_at,
            token.last_used_at,
          ]),
        ),
      );
    });
  }

  @Option({ flags: '--all', description: 'revoked tokens too' })
  parseAll(): boolean {
    return true;
  }
}

@SubCommand({
  name: 'revoke',
  arguments: '<token>',
  argsDescription: { token: 'its name, its id or the beginning of that, or the beginning of the secret as listed' },
  description: 'Makes a token stop working, for ever, within five seconds',
})
export class TokenRevokeCommand extends BaseCommand {
  async run([handle = '']: string[], options: BaseOptions): Promise<void> {
    await withTokens(async (tokens, actor) => {
      const { id } = await tokens.getByHandle(handle);
      const token = await tokens.revoke(id, actor);
      await printResult(options, shown(token), () => `Revoked the ${token.role} token ${token.name} (${token.id}).`);
    });
  }
}

@Command({
  name: 'token',
  description: 'Tokens for the API: who may do what',
  subCommands: [TokenCreateCommand, TokenListCommand, TokenRevokeCommand],
})
export class TokenCommand extends GroupCommand {}

const shown = (token: Token): ReturnType<typeof tokenDocument> => tokenDocument(token, new Date());

async function withTokens(work: (tokens: TokenService, actor: Actor) => Promise<void>): Promise<void> {
  const [{ AccessModule }, { TokenService: Service }, { cliActor }] = await Promise.all([
    import('./access.module.js'),
    import('./token.service.js'),
    import('./actor.js'),
  ]);
  await withApplication([AccessModule], (app) => work(app.get(Service), cliActor()));
}

const validity = (expiresAt: Date | null): string =>
  expiresAt === null ? 'until it is revoked' : `until ${expiresAt.toISOString()}`;
