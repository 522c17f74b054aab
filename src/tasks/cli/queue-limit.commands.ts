import { Option, SubCommand } from 'nest-commander';
import { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { BaseCommand, type BaseOptions } from '../../platform/cli/base.command.js';
import { UsageError } from '../../platform/cli/errors.js';
import { milliseconds, NONE, orNone, type OrNone, orNull, wholeNumber } from '../../platform/cli/options.js';
import { printResult, table } from '../../platform/cli/output.js';
import {
  type Breaker,
  LONGEST_MS,
  MOST_AT_ONCE,
  type LimitsOverride,
  type RateLimit,
  tooShortLongest,
} from '../limits/limits.js';
import { limitsText, reasonOf } from './limits-text.js';
import { given } from '../../platform/values/given.js';
import { withQueues } from './queue-session.js';

interface QueueLimitOptions extends BaseOptions {
  concurrency?: OrNone<number>;
  reason?: string;
}

interface TypeLimitOptions extends QueueLimitOptions {
  perKey?: OrNone<number>;
  rate?: OrNone<RateLimit>;
  burst?: number;
  breaker?: OrNone<number>;
  coolDown?: number;
  longestCoolDown?: number;
}

@SubCommand({
  name: 'limit',
  description: 'Sets how many tasks of a queue run at once, over all workers; without options takes it back',
  arguments: '<queue>',
  argsDescription: { queue: 'its name' },
})
export class QueueLimitCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  async run([name = '']: string[], { concurrency, reason, json }: QueueLimitOptions): Promise<void> {
    const { toQueueDto } = await import('../http/dto/queues.dto.js');
    await withQueues(this.entry, async ({ queues, limits, actor }) => {
      await queues.get(name);
      const override: LimitsOverride = concurrency === undefined ? {} : { concurrency: orNull(concurrency) };
      await limits.set({ scope: 'queue', name }, override, { actor, reason });
      const state = await queues.get(name);
      await printResult(
        { json },
        toQueueDto(state),
        () => `Limits of the queue ${name}: ${limitsText(state.limited?.limits ?? {})}.`,
      );
    });
  }

  @Option({ flags: '--concurrency <number>', description: 'tasks at once, or none for no limit' })
  parseConcurrency(value: string): OrNone<number> {
    return numberOrNone('--concurrency', value);
  }

  @Option({ flags: '--reason <text>', description: 'why: kept with who did it' })
  parseReason(value: string): string {
    return reasonOf(value);
  }
}

@SubCommand({
  name: 'limit-type',
  description: 'Sets limits of a type of task instead of those that its code declares; without options takes them back',
  arguments: '<type>',
  argsDescription: { type: 'a task type, in any letter case' },
})
export class QueueLimitTypeCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  async run([type = '']: string[], { reason, json, ...options }: TypeLimitOptions): Promise<void> {
    const { toTypeLimitsDto } = await import('../http/dto/queues.dto.js');
    const override = overrideOf(options);
    await withQueues(this.entry, async ({ types, actor }) => {
      const state = await types.set(type, override, { actor, reason });
      await printResult(
        { json },
        toTypeLimitsDto(state),
        () => `Limits of ${state.name}: ${limitsText(state.limits)}.`,
      );
    });
  }

  @Option({ flags: '--concurrency <number>', description: 'tasks at once over all workers, or none for no limit' })
  parseConcurrency(value: string): OrNone<number> {
    return numberOrNone('--concurrency', value);
  }

  @Option({ flags: '--per-key <number>', description: 'tasks of one concurrency key at once, or none' })
  parsePerKey(value: string): OrNone<number> {
    return numberOrNone('--per-key', value);
  }

  @Option({ flags: '--rate <count/time>', description: 'starts in a time, as 100/1m (ms, s, m, h, d), or none' })
  parseRate(value: string): OrNone<RateLimit> {
    return orNone(value, rateOf);
  }

  @Option({ flags: '--burst <number>', description: 'starts at once after a pause (as many as in the time of --rate)' })
  parseBurst(value: string): number {
    return wholeNumber('--burst', value, { min: 1, max: MOST_AT_ONCE });
  }

  @Option({ flags: '--breaker <failures>', description: 'transient failures in a row that park the type, or none' })
  parseBreaker(value: string): OrNone<number> {
    return numberOrNone('--breaker', value);
  }

  @Option({ flags: '--cool-down <ms>', description: 'until a parked type is tried again (30000)' })
  parseCoolDown(value: string): number {
    return wholeNumber('--cool-down', value, { min: 1, max: LONGEST_MS });
  }

  @Option({ flags: '--longest-cool-down <ms>', description: 'each failed try doubles the time, up to this (900000)' })
  parseLongestCoolDown(value: string): number {
    return wholeNumber('--longest-cool-down', value, { min: 1, max: LONGEST_MS });
  }

  @Option({ flags: '--reason <text>', description: 'why: kept with who did it' })
  parseReason(value: string): string {
    return reasonOf(value);
  }
}

@SubCommand({ name: 'events', description: 'Shows who changed limits, and which circuits opened, newest first' })
export class QueueEventsCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  async run(_words: string[], { limit = 50, ...options }: BaseOptions & { limit?: number }): Promise<void> {
    const { toLimitEventDto } = await import('../http/dto/queues.dto.js');
    await withQueues(this.entry, async ({ limits }) => {
      const items = await limits.events({}, { limit });
      await printResult(options, { items: items.map(toLimitEventDto) }, () =>
        table(
          ['at', 'of', 'name', 'what', 'by', 'why'],
          items.map(({ at, scope, name, action, actor, reason }) => [at, scope, name, action, actor, reason]),
        ),
      );
    });
  }

  @Option({ flags: '--limit <number>', description: 'at most this many (50)' })
  parseLimit(value: string): number {
    return wholeNumber('--limit', value, { min: 1, max: 1_000 });
  }
}

const numberOrNone = (option: string, value: string): OrNone<number> =>
  orNone(value, (text) => wholeNumber(option, text, { min: 1, max: MOST_AT_ONCE }));

function rateOf(value: string): RateLimit {
  const [, count = '', time = ''] = /^(\d{1,6})\/(\d{0,9}[a-z]+)$/i.exec(value) ?? [];
  const perMs = milliseconds(/^\d/.test(time) ? time : `1${time}`) ?? 0;
  if (Number(count) < 1 || Number(count) > MOST_AT_ONCE || perMs < 1 || perMs > LONGEST_MS) {
    throw new UsageError(`--rate takes a count and a time, as 100/1m or 5/s, or the word none, not "${value}"`);
  }
  return { count: Number(count), perMs };
}

function breakerOf({ breaker, coolDown, longestCoolDown }: TypeLimitOptions): Breaker | null | undefined {
  if (breaker === undefined || breaker === NONE) {
    if (coolDown !== undefined) throw new UsageError('--cool-down goes with --breaker');
    if (longestCoolDown !== undefined) throw new UsageError('--longest-cool-down goes with --breaker');
    return breaker === NONE ? null : undefined;
  }
  const times = given({ coolDownMs: coolDown, longestCoolDownMs: longestCoolDown });
  const least = tooShortLongest(times);
  if (least === undefined) return { failures: breaker, ...times };
  throw new UsageError(`--longest-cool-down must not be less than --cool-down, ${String(least)}`);
}

function overrideOf({ concurrency, perKey, rate, burst, ...options }: TypeLimitOptions): LimitsOverride {
  if (burst !== undefined && (rate === undefined || rate === NONE)) throw new UsageError('--burst goes with --rate');
  const breaker = breakerOf(options);
  return {
    ...(concurrency !== undefined && { concurrency: orNull(concurrency) }),
    ...(perKey !== undefined && { concurrencyPerKey: orNull(perKey) }),
    ...(rate !== undefined && { rate: rate === NONE ? null : { ...rate, ...(burst && { burst }) } }),
    ...(breaker !== undefined && { breaker }),
  };
}
