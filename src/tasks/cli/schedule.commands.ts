import { Injectable } from '@nestjs/common';
import { Command, Option, SubCommand } from 'nest-commander';
import { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { BaseCommand, type BaseOptions, GroupCommand } from '../../platform/cli/base.command.js';
import { UsageError } from '../../platform/cli/errors.js';
import { wholeNumber } from '../../platform/cli/options.js';
import { printResult } from '../../platform/cli/output.js';
import type { ScheduleView } from '../schedules/schedule.js';
import { ScheduleCreateCommand, ScheduleUpdateCommand } from './schedule-edit.commands.js';
import { localTime, scheduleDetails, type ScheduleSession, scheduleTable, withSchedules } from './schedule-session.js';

const SCHEDULE_ARGUMENT = { arguments: '<schedule>', argsDescription: { schedule: 'its name or its id' } };
const PAGE = 500;
const SHOWN_TICKS = 20;

@SubCommand({ name: 'list', description: 'Lists the schedules, oldest first' })
export class ScheduleListCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  async run(_words: string[], options: BaseOptions): Promise<void> {
    const { toScheduleDto } = await import('../http/dto/schedule.dto.js');
    await withSchedules(this.entry, async ({ schedules }) => {
      const items: ScheduleView[] = [];
      for (let after: string | undefined; ;) {
        const page = await schedules.list({ limit: PAGE, after });
        items.push(...page);
        after = page.at(-1)?.id;
        if (page.length < PAGE) break;
      }
      await printResult(options, { items: items.map(toScheduleDto) }, () => scheduleTable(items));
    });
  }
}

@SubCommand({ name: 'show', description: 'Shows a schedule, what comes and what has been', ...SCHEDULE_ARGUMENT })
export class ScheduleShowCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  async run([handle = '']: string[], options: BaseOptions): Promise<void> {
    const { toScheduleDto, toTickDto } = await import('../http/dto/schedule.dto.js');
    await withSchedules(this.entry, async ({ schedules, runs }) => {
      const schedule = await schedules.get(handle);
      const ticks = await runs.list(schedule.id, { limit: SHOWN_TICKS });
      const document = Object.assign(toScheduleDto(schedule), { ticks: ticks.map(toTickDto) });
      await printResult(options, document, () => scheduleDetails(schedule, ticks));
    });
  }
}

/** A command that changes one schedule and shows it. */
@Injectable()
abstract class ScheduleChangeCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  protected abstract change(session: ScheduleSession, handle: string): Promise<ScheduleView>;
  protected abstract describe(schedule: ScheduleView): string;

  async run([handle = '']: string[], options: BaseOptions): Promise<void> {
    const { toScheduleDto } = await import('../http/dto/schedule.dto.js');
    await withSchedules(this.entry, async (session) => {
      const schedule = await this.change(session, handle);
      await printResult(options, toScheduleDto(schedule), () => this.describe(schedule));
    });
  }
}

@SubCommand({ name: 'pause', description: 'Stops a schedule until it is resumed', ...SCHEDULE_ARGUMENT })
export class SchedulePauseCommand extends ScheduleChangeCommand {
  protected change({ schedules, actor }: ScheduleSession, handle: string): Promise<ScheduleView> {
    return schedules.pause(handle, actor);
  }

  protected describe({ name, pausedBy }: ScheduleView): string {
    return `${name} is paused, by ${String(pausedBy)}.`;
  }
}

@SubCommand({ name: 'resume', description: 'Lets a paused schedule go on', ...SCHEDULE_ARGUMENT })
export class ScheduleResumeCommand extends ScheduleChangeCommand {
  protected change({ schedules, actor }: ScheduleSession, handle: string): Promise<ScheduleView> {
    return schedules.resume(handle, actor);
  }

  protected describe({ name, nextTicks: [next] }: ScheduleView): string {
    return `${name} goes on, at ${next?.toISOString() ?? 'no time'}.`;
  }
}

@SubCommand({ name: 'delete', description: 'Deletes a schedule; its tasks stay', ...SCHEDULE_ARGUMENT })
export class ScheduleDeleteCommand extends ScheduleChangeCommand {
  protected change({ schedules }: ScheduleSession, handle: string): Promise<ScheduleView> {
    return schedules.remove(handle);
  }

  protected describe({ name }: ScheduleView): string {
    return `Deleted the schedule ${name}.`;
  }
}

@SubCommand({
  name: 'run',
  description: 'Starts its task now; a server or worker does it',
  ...SCHEDULE_ARGUMENT,
})
export class ScheduleRunCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  async run([handle = '']: string[], options: BaseOptions): Promise<void> {
    const { toTaskDto } = await import('../http/task-json.js');
    await withSchedules(this.entry, async ({ schedules, runs, tasks, actor }) => {
      const { id } = await schedules.get(handle);
      const task = await tasks.get((await runs.run(id, actor)).id);
      await printResult(options, toTaskDto(task), () => `${task.name} (${task.id}): ${task.status}`);
    });
  }
}

interface PreviewOptions extends BaseOptions {
  cron?: string;
  timeZone?: string;
  count?: number;
}

@SubCommand({
  name: 'preview',
  arguments: '[schedule]',
  argsDescription: { schedule: 'its name or its id; or give --cron' },
  description: 'Shows when a schedule, or an expression, will fire next',
})
export class SchedulePreviewCommand extends BaseCommand {
  constructor(private readonly entry: ApplicationEntry) {
    super();
  }

  async run([handle]: string[], { cron, timeZone = 'UTC', count = 5, ...options }: PreviewOptions): Promise<void> {
    if ((handle === undefined) === (cron === undefined)) {
      throw new UsageError('preview takes a schedule or --cron', 'One of the two, not both.');
    }
    await withSchedules(this.entry, async ({ schedules }) => {
      const of = cron === undefined ? await schedules.get(handle ?? '') : { cron, timeZone };
      const times = await schedules.previewOf({ cron: of.cron, timeZone: of.timeZone, count });
      await printResult(options, { cron: of.cron, time_zone: of.timeZone, fire_times: times }, async () =>
        (await Promise.all(times.map((time) => localTime(time, of.timeZone)))).join('\n'),
      );
    });
  }

  @Option({ flags: '--cron <expression>', description: 'an expression instead of a schedule' })
  parseCron(value: string): string {
    return value;
  }

  @Option({ flags: '--time-zone <zone>', description: 'the zone of --cron (UTC)' })
  parseTimeZone(value: string): string {
    return value;
  }

  @Option({ flags: '--count <number>', description: 'how many times (5)' })
  parseCount(value: string): number {
    return wholeNumber('--count', value, { max: 1_000 });
  }
}

@Command({
  name: 'schedule',
  description: 'Schedules: work that is done again and again',
  subCommands: [
    ScheduleListCommand,
    ScheduleShowCommand,
    ScheduleCreateCommand,
    ScheduleUpdateCommand,
    ScheduleDeleteCommand,
    SchedulePauseCommand,
    ScheduleResumeCommand,
    ScheduleRunCommand,
    SchedulePreviewCommand,
  ],
})
export class ScheduleCommand extends GroupCommand {}
