import { Injectable } from '@nestjs/common';
import { Option, SubCommand } from 'nest-commander';
import { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { BaseCommand, type BaseOptions } from '../../platform/cli/base.command.js';
import { UsageError } from '../../platform/cli/errors.js';
import { milliseconds, NONE, oneOf, orNone, type OrNone, orNull, wholeNumber } from '../../platform/cli/options.js';
import { printResult } from '../../platform/cli/output.js';
import { given } from '../../platform/values/given.js';
import type { ScheduleView } from '../schedules/schedule.js';
import { HIGHEST_PRIORITY, LOWEST_PRIORITY } from '../priority-range.js';
import { withSchedules } from './schedule-session.js';

/** As in schedules/schedule.ts; written out because this file is loaded for --help. */
const CATCH_UP = ['skip', 'latest', 'all'] as const;
const OVERLAP = ['skip', 'queue'] as const;
const LEAST_START_WITHIN_MS = 1_000;
const MOST_START_WITHIN_MS = 7 * 24 * 3_600_000;

interface TermOptions extends BaseOptions {
  description?: string;
  type?: string;
  params?: object;
  cron?: string;
  timeZone?: string;
  catchUp?: (typeof CATCH_UP)[number];
  catchUpMax?: number;
  overlap?: (typeof OVERLAP)[number];
  priority?: OrNone<number>;
  startWithin?: OrNone<number>;
}

/** The options that say what a schedule is. */
@Injectable()
abstract class ScheduleTermsCommand extends BaseCommand {
  constructor(protected readonly entry: ApplicationEntry) {
    super();
  }

  @Option({ flags: '--type <type>', description: 'the type of its tasks' })
  parseType(value: string): string {
    return value;
  }

  @Option({ flags: '--cron <expression>', description: '"30 3 * * mon-fri", @daily, …; six fields begin with seconds' })
  parseCron(value: string): string {
    return value;
  }

  @Option({ flags: '--time-zone <zone>', description: 'whose clocks it goes by: Europe/Berlin (UTC)' })
  parseTimeZone(value: string): string {
    return value;
  }

  @Option({ flags: '--params <json>', description: 'the input of its tasks ({})' })
  parseParams(value: string): object {
    let params: unknown;
    try {
      params = JSON.parse(value);
    } catch {
      params = undefined;
    }
    if (typeof params === 'object' && params !== null && !Array.isArray(params)) return params;
    throw new UsageError(`--params takes a JSON object, not "${value}"`);
  }

  @Option({ flags: '--catch-up <policy>', description: 'ticks that were missed: skip, latest or all (latest)' })
  parseCatchUp(value: string): string {
    return oneOf('--catch-up', value, CATCH_UP);
  }

  @Option({ flags: '--catch-up-max <number>', description: 'with all: at most this many (10)' })
  parseCatchUpMax(value: string): number {
    return wholeNumber('--catch-up-max', value, { max: 1_000 });
  }

  @Option({ flags: '--overlap <policy>', description: 'while its last task is unfinished: skip or queue (skip)' })
  parseOverlap(value: string): string {
    return oneOf('--overlap', value, OVERLAP);
  }

  @Option({
    flags: '--priority <number>',
    description: 'of its tasks: higher goes first; none: that of their type (none)',
  })
  parsePriority(value: string): OrNone<number> {
    return orNone(value, (text) => wholeNumber('--priority', text, { min: LOWEST_PRIORITY, max: HIGHEST_PRIORITY }));
  }

  @Option({
    flags: '--start-within <time>',
    description: 'a task not started by then fails: 90s, 15m, 2h, or none (none)',
  })
  parseStartWithin(value: string): OrNone<number> {
    return orNone(value, startWithinOf);
  }

  @Option({ flags: '--description <text>', description: 'what it is for' })
  parseDescription(value: string): string {
    return value;
  }

  protected async save(options: TermOptions, save: SaveSchedule): Promise<void> {
    const { toScheduleDto } = await import('../http/dto/schedule.dto.js');
    await withSchedules(this.entry, async ({ schedules, actor }) => {
      const schedule = await save(schedules, actor);
      await printResult(options, toScheduleDto(schedule), () => {
        const next = schedule.nextTicks[0]?.toISOString() ?? 'not before it is resumed';
        return `Saved the schedule ${schedule.name} (${schedule.id}); next: ${next}.`;
      });
    });
  }
}

type SaveSchedule = (
  schedules: Parameters<Parameters<typeof withSchedules>[1]>[0]['schedules'],
  actor: string,
) => Promise<ScheduleView>;

@SubCommand({
  name: 'create',
  arguments: '<name>',
  argsDescription: { name: 'what it is called' },
  description: 'Makes a schedule: --type and --cron are needed',
})
export class ScheduleCreateCommand extends ScheduleTermsCommand {
  async run([name = '']: string[], options: TermOptions): Promise<void> {
    const { type, cron } = options;
    if (type === undefined || cron === undefined) throw new UsageError('schedule create takes --type and --cron');
    await this.save(options, (schedules, actor) =>
      schedules.create(
        {
          name: nameFrom(name),
          description: options.description ?? null,
          taskType: type,
          params: options.params ?? {},
          cron,
          timeZone: options.timeZone ?? 'UTC',
          catchUp: { policy: options.catchUp ?? 'latest', max: options.catchUpMax ?? 10 },
          overlap: options.overlap ?? 'skip',
          priority: orNull(options.priority ?? NONE),
          startWithinMs: orNull(options.startWithin ?? NONE),
        },
        actor,
      ),
    );
  }
}

interface UpdateOptions extends TermOptions {
  name?: string;
}

@SubCommand({
  name: 'update',
  arguments: '<schedule>',
  argsDescription: { schedule: 'its name or its id' },
  description: 'Changes what is given of a schedule',
})
export class ScheduleUpdateCommand extends ScheduleTermsCommand {
  async run([handle = '']: string[], options: UpdateOptions): Promise<void> {
    const { type: taskType, catchUp: policy, catchUpMax: max, name, description, params, ...same } = options;
    const { cron, timeZone, overlap, priority, startWithin } = same;
    const changes = {
      ...given({ name, description, taskType, params, cron, timeZone, overlap }),
      ...(priority !== undefined && { priority: orNull(priority) }),
      ...(startWithin !== undefined && { startWithinMs: orNull(startWithin) }),
      catchUp: given({ policy, max }),
    };
    await this.save(options, (schedules, actor) => schedules.update(handle, changes, actor));
  }

  @Option({ flags: '--name <name>', description: 'what it is called from now on' })
  parseName(value: string): string {
    return nameFrom(value);
  }
}

function startWithinOf(value: string): number {
  const ms = milliseconds(value);
  if (ms !== undefined && ms >= LEAST_START_WITHIN_MS && ms <= MOST_START_WITHIN_MS) return ms;
  throw new UsageError(
    `--start-within takes a time from 1s to 7d, as 90s, 15m or 2h, or the word none, not "${value}"`,
  );
}

function nameFrom(text: string): string {
  const name = text.trim();
  if (/^[^\p{C}]{1,100}$/u.test(name)) return name;
  throw new UsageError('a schedule has a name of 1 to 100 characters');
}
