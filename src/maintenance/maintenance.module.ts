import { Module } from '@nestjs/common';
import { CatalogsModule } from '../catalogs/index.js';
import { shippedSchedules, taskHandlers, TasksModule } from '../tasks/index.js';
import { nightlyMissingWork, nightlyRetention, weeklyFileSweep } from './schedules.triggers.js';
import { FindMissingWorkHandler } from './tasks/find-missing-work.task.js';

/** Nightly work. What else is to be done regularly gets its schedule here. */
@Module({
  imports: [CatalogsModule, TasksModule],
  providers: [
    ...taskHandlers(FindMissingWorkHandler),
    ...shippedSchedules(nightlyMissingWork, nightlyRetention, weeklyFileSweep),
  ],
})
export class MaintenanceModule {}
