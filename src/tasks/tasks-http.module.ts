import { Module } from '@nestjs/common';
import { AccessModule } from '../access/index.js';
import { EventStreams } from './events/event-streams.js';
import { ProgressWatch } from './events/progress-watch.js';
import { LineageController } from './http/lineage.controller.js';
import { RetentionController } from './http/retention.controller.js';
import { ExternalUpkeep } from './external/external-upkeep.js';
import { ExternalAttemptsController } from './http/external-attempts.controller.js';
import { ExternalTypesController } from './http/external-types.controller.js';
import { EventsController } from './http/events.controller.js';
import { ScheduleTicksController } from './http/schedule-ticks.controller.js';
import { SchedulesController } from './http/schedules.controller.js';
import { TaskBulkController } from './http/task-bulk.controller.js';
import { TaskExplainController } from './http/task-explain.controller.js';
import { TaskHistoryController } from './http/task-history.controller.js';
import { TaskStatsController } from './http/task-stats.controller.js';
import { TaskTypesController } from './http/task-types.controller.js';
import { TasksController } from './http/tasks.controller.js';
import { WebhooksController } from './http/webhooks.controller.js';
import { WorkflowsController } from './http/workflows.controller.js';
import { TasksModule } from './tasks.module.js';

/** Tasks over HTTP. Apart from {@link TasksModule}, which workers and commands use without any of this. */
@Module({
  imports: [TasksModule, AccessModule],
  controllers: [
    // Before the paths of single tasks: "bulk" and "stats" are no ids.
    ...[TaskBulkController, TaskStatsController],
    ...[TasksController, TaskExplainController, TaskHistoryController, TaskTypesController],
    ...[ExternalTypesController, ExternalAttemptsController],
    ...[SchedulesController, ScheduleTicksController],
    ...[WorkflowsController, RetentionController, LineageController, EventsController, WebhooksController],
  ],
  providers: [ExternalUpkeep, ProgressWatch, EventStreams],
})
export class TasksHttpModule {}

/** For the documentation of other modules' endpoints that answer with tasks. */
export { TaskDto, TaskPageDto } from './http/dto/task.dto.js';
export { SubjectLineageDto, toSubjectLineageDto } from './http/dto/lineage.dto.js';
