import { Module } from '@nestjs/common';
import { TaskHistoryController } from './http/task-history.controller.js';
import { TaskTypesController } from './http/task-types.controller.js';
import { TasksController } from './http/tasks.controller.js';
import { TasksModule } from './tasks.module.js';

/** Tasks over HTTP. Apart from {@link TasksModule}, which workers and commands use without any of this. */
@Module({ imports: [TasksModule], controllers: [TasksController, TaskHistoryController, TaskTypesController] })
export class TasksHttpModule {}
