import { Global, Module, type Provider } from '@nestjs/common';
import { Clock } from '../../src/platform/clock/clock.js';
import { DatabaseClock } from '../../src/platform/clock/database-clock.js';
import { Scheduler, SchedulerParts } from '../../src/tasks/schedules/scheduler.js';
import { ScheduleRunsService } from '../../src/tasks/schedules/schedule-runs.service.js';
import { ScheduleService } from '../../src/tasks/schedules/schedule.service.js';
import type { ScheduleTerms, ScheduleView, Tick } from '../../src/tasks/schedules/schedule.js';
import { ACTOR, Engine, Script, work } from './engine-harness.js';

/** The time that a test says it is. */
export class TestClock {
  constructor(private time: Date) {}

  now(): Promise<Date> {
    return Promise.resolve(this.time);
  }

  set(time: string | Date): void {
    this.time = new Date(time);
  }

  advance(ms: number): void {
    this.time = new Date(this.time.getTime() + ms);
  }
}

/** An engine whose schedules look when the test says so, at the time that it says. */
export class ScheduleEngine {
  static async open(url: string, clock: TestClock, providers: Provider[] = []): Promise<ScheduleEngine> {
    @Global()
    @Module({ providers: [Clock, { provide: DatabaseClock, useValue: clock }], exports: [Clock, DatabaseClock] })
    class TestClockModule {}
    const parts = { clock: TestClockModule, providers: [SchedulerParts, Scheduler, ...providers] };
    return new ScheduleEngine(await Engine.open(url, new Script(), parts), clock);
  }

  readonly schedules = this.engine.app.get(ScheduleService, { strict: false });
  readonly runs = this.engine.app.get(ScheduleRunsService, { strict: false });
  readonly scheduler = this.engine.app.get(Scheduler);

  private constructor(
    readonly engine: Engine,
    readonly clock: TestClock,
  ) {}

  create(terms: Partial<ScheduleTerms> = {}): Promise<ScheduleView> {
    return this.schedules.create(aSchedule(terms), ACTOR);
  }

  look(): Promise<void> {
    return this.scheduler.look();
  }

  async lookAt(time: string): Promise<void> {
    this.clock.set(time);
    await this.look();
  }

  /** Oldest first. */
  async ticks(id: string): Promise<Tick[]> {
    return [...(await this.runs.list(id, { limit: 1_000 }))].reverse();
  }

  /** `2027-01-01T03:00:00Z started`, oldest first. */
  async history(id: string): Promise<string[]> {
    return (await this.ticks(id)).map(({ at, outcome }) => `${at.toISOString().replace('.000', '')} ${outcome}`);
  }

  /** The ticks that became tasks, in the order of time. */
  async started(name: string): Promise<string[]> {
    const rows = await this.engine.database.query<{ tick: string }>(
      `SELECT task_metadata->>'tick_at' AS tick FROM tasks WHERE requested_by = $1 ORDER BY 1`,
      [`schedule:${name}`],
    );
    return rows.map(({ tick }) => tick.replace('.000', ''));
  }

  /** As if a worker had done all that there is to do. */
  async finishAll(): Promise<void> {
    await this.engine.tasks
      .list({ statuses: ['queued'] }, { limit: 100 })
      .then((tasks) => Promise.all(tasks.map(({ id }) => this.engine.tasks.cancel(id, ACTOR))));
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}

let count = 0;

export const aSchedule = (terms: Partial<ScheduleTerms> = {}): ScheduleTerms => ({
  name: `schedule ${String((count += 1))}`,
  description: null,
  taskType: work.name,
  params: { n: 1 },
  cron: '0 3 * * *',
  timeZone: 'UTC',
  catchUp: { policy: 'skip', max: 1 },
  overlap: 'skip',
  priority: null,
  startWithinMs: null,
  ...terms,
});
