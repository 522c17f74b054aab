import type { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { table } from '../../platform/cli/output.js';
import { withApplication } from '../../platform/cli/with-application.js';
import type { Tick, ScheduleView } from '../schedules/schedule.js';
import type { ScheduleRunsService } from '../schedules/schedule-runs.service.js';
import type { ScheduleService } from '../schedules/schedule.service.js';
import type { TaskService } from '../task.service.js';

/** What commands about schedules use. */
export interface ScheduleSession {
  readonly schedules: ScheduleService;
  readonly runs: ScheduleRunsService;
  readonly tasks: TaskService;
  /** The person at the command line, for the audit trail. */
  readonly actor: string;
}

/** With all modules: a schedule is checked by the rules of its task type, whichever module that is of. */
export async function withSchedules(
  entry: ApplicationEntry,
  work: (session: ScheduleSession) => Promise<void>,
): Promise<void> {
  const [
    modules,
    { cliActor },
    { ScheduleDefaults },
    { ScheduleService: Schedules },
    { ScheduleRunsService: Runs },
    task,
  ] = await Promise.all([
    entry.modules(),
    import('../../access/index.js'),
    import('../schedules/schedule-defaults.js'),
    import('../schedules/schedule.service.js'),
    import('../schedules/schedule-runs.service.js'),
    import('../task.service.js'),
  ]);
  await withApplication(modules, async (app) => {
    const get: typeof app.get = (token: never) => app.get(token, { strict: false });
    // Those that come with PhotoSafe are there before it is first started, too.
    await get(ScheduleDefaults).insert();
    await work({
      schedules: get(Schedules),
      runs: get(Runs),
      tasks: get(task.TaskService),
      actor: cliActor().label,
    });
  });
}

const stateOf = (schedule: ScheduleView): string =>
  schedule.problem ? schedule.problem.code : schedule.pausedAt ? 'paused' : 'on';

/** In the zone that it goes by: `2027-03-14 03:00:00 -04:00`. */
export async function localTime(time: Date, zone: string): Promise<string> {
  const { DateTime } = await import('luxon');
  return DateTime.fromJSDate(time, { zone }).toFormat('yyyy-MM-dd HH:mm:ss ZZ');
}

export async function scheduleTable(schedules: readonly ScheduleView[]): Promise<string> {
  const rows = schedules.map((schedule) => [
    schedule.name,
    schedule.taskType,
    schedule.cron,
    schedule.timeZone,
    stateOf(schedule),
    schedule.nextTicks[0],
    schedule.lastTick?.at,
    schedule.lastTask?.status ?? schedule.lastTick?.outcome,
  ]);
  return table(['name', 'task', 'cron', 'zone', 'state', 'next', 'last', 'outcome'], rows);
}

/** A schedule for a person: its terms, what comes, and what has been. */
export async function scheduleDetails(schedule: ScheduleView, ticks: readonly Tick[]): Promise<string> {
  const { catchUp, lastTask } = schedule;
  const next = await Promise.all(schedule.nextTicks.map((time) => localTime(time, schedule.timeZone)));
  const facts = await table(
    ['field', 'value'],
    [
      ['id', schedule.id],
      ['name', schedule.name],
      ['description', schedule.description],
      ['task', `${schedule.taskType} ${JSON.stringify(schedule.params)}`],
      ['cron', `${schedule.cron} (${schedule.timeZone})`],
      ['catch-up', catchUp.policy === 'all' ? `all, up to ${String(catchUp.max)}` : catchUp.policy],
      ['overlap', schedule.overlap],
      ['priority', schedule.priority],
      ['start within', schedule.startWithinMs === null ? null : `${String(schedule.startWithinMs / 1_000)} s`],
      ['state', schedule.pausedAt ? `paused by ${String(schedule.pausedBy)}` : stateOf(schedule)],
      ['problem', schedule.problem?.message],
      ['next', next.join(', ') || null],
      ['last task', lastTask && `${lastTask.id} ${lastTask.status}`],
      ['waiting', schedule.waiting],
    ],
  );
  const rows = ticks.map((tick) => [tick.at, tick.cause, tick.outcome, tick.taskId, tick.errorMessage]);
  return `${facts}\n\n${await table(['tick', 'cause', 'outcome', 'task', 'error'], rows)}`;
}
