import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TasksModule } from '../tasks.module.js';
import { Scheduler, SchedulerParts } from './scheduler.js';

/** Fires schedules in this process, from its start to its end. Not for commands, which come and go. */
@Module({ imports: [ScheduleModule.forRoot(), TasksModule], providers: [SchedulerParts, Scheduler] })
export class SchedulerModule {}
