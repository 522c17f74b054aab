import { Injectable } from '@nestjs/common';
import { DatabaseClock } from '../../platform/clock/database-clock.js';
import { Database } from '../../platform/database/database.js';
import { conflict, notFound } from '../../platform/errors/app-error.js';
import type { EnqueuedTask } from '../queue/enqueuer.js';
import { Firing } from './firing.js';
import type { Tick } from './schedule.js';
import { SchedulesRepository } from './schedules.repository.js';
import { TicksRepository } from './ticks.repository.js';

/** What schedules have come to, and starting one by hand. */
@Injectable()
export class ScheduleRunsService {
  constructor(
    private readonly database: Database,
    private readonly clock: DatabaseClock,
    private readonly schedules: SchedulesRepository,
    private readonly ticks: TicksRepository,
    private readonly firing: Firing,
  ) {}

  /**
   * Starts its task now, in the name of `actor`; ticks go on as they would, also while it is paused.
   * @throws not-found `schedule_not_found`, conflict `schedule_busy`, and invalid when the task is refused.
   */
  async run(id: string, actor: string): Promise<EnqueuedTask> {
    const now = await this.clock.now();
    return this.database.transaction(async (tx) => {
      const schedule = await this.schedules.lock(tx, id, { wait: true });
      if (!schedule) throw notFound('schedule_not_found', `there is no schedule ${id}`);
      const unfinished = await this.ticks.unfinishedTask(tx, id);
      if (unfinished !== undefined) {
        throw conflict('schedule_busy', `its task ${unfinished} is not finished: cancel it, or wait for its end`);
      }
      const decision = await this.firing.start(tx, { schedule, at: now, now, actor });
      await this.ticks.add(tx, { scheduleId: id, cause: 'manual', ticks: [decision] });
      return { id: decision.taskId, created: decision.outcome === 'started' };
    });
  }

  /** Newest first; the latest few hundred are kept. */
  list(
    id: string,
    page: { readonly limit: number; readonly after?: Pick<Tick, 'at' | 'cause'> },
  ): Promise<readonly Tick[]> {
    return this.ticks.list(this.database, id, page);
  }
}
