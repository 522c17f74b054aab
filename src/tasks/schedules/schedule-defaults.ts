import { Injectable, Logger } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { v7 as uuidv7 } from 'uuid';
import { systemActor } from '../../access/index.js';
import { DatabaseClock } from '../../platform/clock/database-clock.js';
import { Database } from '../../platform/database/database.js';
import { AppError } from '../../platform/errors/app-error.js';
import { TaskTypes } from '../task-types.js';
import { ShippedSchedule } from './define-schedule.js';
import { scheduledTask } from './schedule-task.js';
import { SchedulesRepository } from './schedules.repository.js';
import { Timetable } from './timetable.js';

/** Puts the schedules that modules ship into the database, each once. */
@Injectable()
export class ScheduleDefaults {
  private readonly logger = new Logger(ScheduleDefaults.name);

  constructor(
    private readonly modules: ModulesContainer,
    private readonly database: Database,
    private readonly clock: DatabaseClock,
    private readonly schedules: SchedulesRepository,
    private readonly types: TaskTypes,
  ) {}

  /** Harmless to repeat. One that is not acceptable is a bug, and no reason to keep the others from firing. */
  async insert(): Promise<void> {
    const now = await this.clock.now();
    for (const schedule of this.shipped()) {
      try {
        await this.insertOne(schedule, now);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        this.logger.error({ message: 'a shipped schedule is not acceptable', schedule: schedule.name, err: error });
      }
    }
  }

  private async insertOne({ declaration, catchUp, overlap }: ShippedSchedule, now: Date): Promise<void> {
    const { name, description, task, cron } = declaration;
    const timetable = Timetable.of(cron, Intl.DateTimeFormat().resolvedOptions().timeZone);
    const params = declaration.input as object;
    const { definition } = await scheduledTask(this.types, { taskType: task.name, params });
    const { timeZone } = timetable;
    const inserted = await this.schedules.insertDefault(this.database, {
      ...{ id: uuidv7(), name, description, params, cron, timeZone, catchUp, overlap },
      priority: declaration.priority ?? null,
      startWithinMs: declaration.startWithinMs ?? null,
      taskType: definition.name,
      taskVersion: definition.version,
      nextTickAt: timetable.next(now),
      actor: systemActor('first-start').label,
    });
    if (inserted) this.logger.log({ message: 'schedule put in', schedule: name, cron, timeZone });
  }

  private shipped(): ShippedSchedule[] {
    const found = new Set<ShippedSchedule>();
    for (const module of this.modules.values()) {
      for (const { instance } of module.providers.values()) {
        if (instance instanceof ShippedSchedule) found.add(instance);
      }
    }
    return [...found];
  }
}
