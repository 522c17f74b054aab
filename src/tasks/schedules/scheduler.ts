import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DatabaseClock } from '../../platform/clock/database-clock.js';
import { Database } from '../../platform/database/database.js';
import { TaskRegistry } from '../task-registry.js';
import { Firing } from './firing.js';
import { ScheduleDefaults } from './schedule-defaults.js';
import { type Look, SchedulesRepository } from './schedules.repository.js';
import { Timetable } from './timetable.js';

/** How often each process looks for due ticks: two cheap statements. A known next tick is met to the millisecond. */
const LOOK_EVERY_MS = 1_000;
/** How long a tick is left to processes that know its task type, before one that does not writes down that it is gone. */
const STRANGERS_AFTER_MS = 30_000;
/** The database's clock has been set back, and is not merely being adjusted. */
const SET_BACK_MS = 1_000;

/** What a scheduler needs beside what it does with it. */
@Injectable()
export class SchedulerParts {
  constructor(
    readonly defaults: ScheduleDefaults,
    readonly schedules: SchedulesRepository,
  ) {}
}

/**
 * Fires schedules. Every process that serves or works has one, and none of them leads: the database admits whoever is first
 * at a tick. Time is the database's.
 */
@Injectable()
export class Scheduler implements OnModuleDestroy {
  private readonly logger = new Logger(Scheduler.name);
  private looking: Promise<void> | undefined;
  private soon: NodeJS.Timeout | undefined;
  private latest: Date | undefined;
  /** Schedules of types that this process does not know, with a tick that waits and has its turn: since when, in ms. */
  private strangersSince: ReadonlyMap<string, number> = new Map();
  private failing = false;
  private stopped = false;

  constructor(
    private readonly clock: DatabaseClock,
    private readonly database: Database,
    private readonly parts: SchedulerParts,
    private readonly firing: Firing,
    private readonly registry: TaskRegistry,
  ) {}

  @Interval('schedules', LOOK_EVERY_MS)
  async heartbeat(): Promise<void> {
    if (this.stopped || this.looking) return;
    this.looking = this.look().then(
      () => {
        this.failing = false;
      },
      (error: unknown) => {
        if (!this.failing) this.logger.warn({ message: 'schedules cannot be looked at, trying again', err: error });
        this.failing = true;
      },
    );
    await this.looking;
    this.looking = undefined;
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.soon);
    await this.looking;
  }

  /** Deals with everything that is due. */
  async look(): Promise<void> {
    const now = await this.clock.now();
    const isFirst = this.latest === undefined;
    if (isFirst) await this.parts.defaults.insert();
    if (isFirst || now.getTime() < (this.latest?.getTime() ?? 0) - SET_BACK_MS) await this.realign(now);
    this.latest = now;
    const types = this.registry.definitions().map((definition) => definition.name);
    const strangersFrom = new Date(now.getTime() - STRANGERS_AFTER_MS);
    const { due, waiting, soonest } = await this.parts.schedules.look(this.database, { now, types, strangersFrom });
    for (const id of due) await this.attempt(id, () => this.firing.fire(id, now));
    for (const id of this.havingTurn(waiting, now)) await this.attempt(id, () => this.firing.startWaiting(id, now));
    this.lookAt(soonest, now);
  }

  /** Those of types that this process knows, and those that nobody who does has dealt with since they had their turn. */
  private havingTurn(waiting: Look['waiting'], now: Date): string[] {
    const strangers = waiting.filter(({ isKnown }) => !isKnown);
    const since = new Map(strangers.map(({ id }) => [id, this.strangersSince.get(id) ?? now.getTime()]));
    this.strangersSince = since;
    return waiting.flatMap(({ id }) => (now.getTime() - (since.get(id) ?? 0) >= STRANGERS_AFTER_MS ? [id] : []));
  }

  /**
   * Works out the next ticks anew, with the time and the time-zone rules as they are now: a clock that had gone ahead has
   * put them off, and rules change with releases of the runtime. Ticks that were dealt with stay so.
   */
  private async realign(now: Date): Promise<void> {
    for (const schedule of await this.parts.schedules.upcoming(this.database, now)) {
      await this.attempt(schedule.id, async () => {
        const next = Timetable.of(schedule.cron, schedule.timeZone).next(now);
        if (!schedule.nextTickAt || next >= schedule.nextTickAt) return;
        await this.parts.schedules.setNextTick(this.database, schedule, next);
      });
    }
  }

  /** One schedule's failure is not the others'. It stays due, and is tried again with the next look. */
  private async attempt(scheduleId: string, work: () => Promise<void>): Promise<void> {
    if (this.stopped) return;
    await work().catch((error: unknown) => {
      this.logger.error({ message: 'a schedule could not be fired, trying again', scheduleId, err: error });
    });
  }

  private lookAt(time: Date | null, now: Date): void {
    clearTimeout(this.soon);
    const inMs = (time?.getTime() ?? Infinity) - now.getTime();
    if (inMs < LOOK_EVERY_MS && !this.stopped) this.soon = setTimeout(() => void this.heartbeat(), inMs);
  }
}
