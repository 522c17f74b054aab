import { Module } from '@nestjs/common';
import { BulkPerformer } from './bulk/bulk-performer.js';
import { BulkPlanner } from './bulk/bulk-planner.js';
import { BulkService } from './bulk/bulk.service.js';
import { ChangeTasksHandler } from './bulk/bulk.task.js';
import { DISPATCHER } from './dispatch/choose-dispatcher.js';
import { DispatchMetrics } from './dispatch/dispatch-metrics.js';
import { EXPLAINER_PROVIDERS } from './explain/explainers.js';
import { DomainEvents } from './domain-events/domain-events.js';
import { Tail } from './events/tail.js';
import { Trail } from './events/trail.js';
import { TrailReader } from './events/trail-reader.js';
import { ExplainService } from './explain/explain.service.js';
import { taskHandlers } from './handles.decorator.js';
import { TaskCounter } from './listing/task-counter.js';
import { TaskLister } from './listing/task-lister.js';
import { ClaimDesk } from './external/claim-desk.js';
import { ExternalAttempts } from './external/external-attempts.service.js';
import { ExternalClaims } from './external/external-claims.service.js';
import { ExternalLanes } from './external/external-lanes.js';
import { AttemptReports } from './external/attempt-reports.js';
import { ExternalSettler } from './external/external-settler.js';
import { ExternalTypes } from './external/external-types.service.js';
import { Alibi } from './isolation/alibi.js';
import { Circuits } from './limits/circuits.js';
import { Gate } from './limits/gate.js';
import { LaneMover } from './limits/lane-mover.js';
import { LimitDeclarations } from './limits/limit-declarations.js';
import { LimitMetrics } from './limits/limit-metrics.js';
import { LimitsView } from './limits/limits-view.js';
import { LimitsService } from './limits/limits.service.js';
import { QueueOverview } from './limits/queue-overview.js';
import { TypeLimits } from './limits/type-limits.js';
import { WorkerClaims } from './limits/worker-claims.js';
import { Deadlines } from './queue/deadlines.js';
import { QueueUpkeep } from './worker/queue-upkeep.js';
import { IsolationMetrics } from './isolation/isolation-metrics.js';
import { Isolation } from './isolation/isolation.js';
import { Orphans } from './isolation/orphans.js';
import { TaskStatsReader } from './stats/task-stats.js';
import { CancelCascade } from './queue/cancel-cascade.js';
import { Canceller } from './queue/canceller.js';
import { EnginePool } from './queue/engine-pool.js';
import { Enqueuer } from './queue/enqueuer.js';
import { Settlement } from './queue/settlement.js';
import { Wakeup } from './queue/wakeup.js';
import { LineageSources } from './lineage/lineage-sources.js';
import { LineageService } from './lineage/lineage.service.js';
import { ExpiredTasks } from './retention/expired-tasks.js';
import { RetentionPolicies } from './retention/retention-policies.js';
import { RetentionService } from './retention/retention.service.js';
import { RetentionHandler } from './retention/retention.task.js';
import { TaskArchive } from './retention/task-archive.js';
import { Firing } from './schedules/firing.js';
import { ScheduleDefaults } from './schedules/schedule-defaults.js';
import { ScheduleRunsService } from './schedules/schedule-runs.service.js';
import { ScheduleService } from './schedules/schedule.service.js';
import { SchedulesRepository } from './schedules/schedules.repository.js';
import { TicksRepository } from './schedules/ticks.repository.js';
import { TaskCreator } from './task-creator.js';
import { TaskReader } from './task-reader.js';
import { TaskRegistry } from './task-registry.js';
import { TaskTypes } from './task-types.js';
import { TaskStarter } from './task-starter.js';
import { TaskService } from './task.service.js';
import { EffectsWriter } from './worker/effects-writer.js';
import { FanOutWriter } from './worker/fan-out-writer.js';
import { OutcomeWriter } from './worker/outcome-writer.js';
import { BacklogMetrics } from './worker/backlog-metrics.js';
import { Rescuer } from './worker/rescuer.js';
import { Runner } from './worker/runner.js';
import { TaskMetrics } from './worker/task-metrics.js';
import { Settlers } from './worker/settler.js';
import { Execution, WorkerParts } from './worker/worker-parts.js';
import { WorkerService } from './worker/worker.service.js';
import { Poster } from './webhooks/post.js';
import { WebhookService } from './webhooks/webhook.service.js';
import { WebhooksRepository } from './webhooks/webhooks.repository.js';
import { InputResolver } from './workflows/input-resolver.js';
import { WorkflowAdvancer } from './workflows/workflow-advancer.js';
import { WorkflowReader } from './workflows/workflow-reader.js';
import { WorkflowRetrier } from './workflows/workflow-retrier.js';
import { WorkflowStarter } from './workflows/workflow-starter.js';
import { WorkflowService } from './workflows/workflow.service.js';

const QUEUE = [EnginePool, Enqueuer, Settlement, Canceller, CancelCascade, Wakeup];
const LIMITS = [
  QueueOverview,
  TypeLimits,
  LimitMetrics,
  LimitsView,
  LimitsService,
  LimitDeclarations,
  Gate,
  WorkerClaims,
  Circuits,
  LaneMover,
  Deadlines,
  QueueUpkeep,
];
const EXPLAIN = [...EXPLAINER_PROVIDERS, ExplainService];
const BULK = [BulkPlanner, BulkPerformer, BulkService, ...taskHandlers(ChangeTasksHandler)];
const WORKER = [
  Runner,
  OutcomeWriter,
  EffectsWriter,
  FanOutWriter,
  TaskMetrics,
  Settlers,
  DispatchMetrics,
  DISPATCHER,
  Execution,
  WorkerParts,
  Rescuer,
  BacklogMetrics,
  WorkerService,
];
const RETENTION = [RetentionPolicies, ExpiredTasks, TaskArchive, RetentionService, ...taskHandlers(RetentionHandler)];
const ISOLATION = [Orphans, Alibi, IsolationMetrics, Isolation];
const WORKFLOWS = [InputResolver, WorkflowAdvancer, WorkflowRetrier, WorkflowStarter, WorkflowReader, WorkflowService];
const EXTERNAL = [
  ExternalTypes,
  AttemptReports,
  ExternalSettler,
  ExternalAttempts,
  ClaimDesk,
  ExternalLanes,
  ExternalClaims,
];
const LINEAGE = [LineageSources, LineageService];
const EVENTS = [TrailReader, Tail, Trail];
const WEBHOOKS = [WebhooksRepository, Poster, WebhookService];

const SCHEDULES = [
  SchedulesRepository,
  TicksRepository,
  Firing,
  ScheduleDefaults,
  ScheduleService,
  ScheduleRunsService,
];

/** The engine. It works on nothing until {@link WorkerService.start} is called. */
@Module({
  providers: [
    ...QUEUE,
    ...WORKER,
    ...LIMITS,
    ...EXPLAIN,
    ...BULK,
    ...RETENTION,
    ...LINEAGE,
    ...ISOLATION,
    ...EXTERNAL,
    ...EVENTS,
    ...WEBHOOKS,
    ...SCHEDULES,
    ...WORKFLOWS,
    TaskRegistry,
    TaskTypes,
    TaskCreator,
    TaskReader,
    TaskCounter,
    TaskLister,
    TaskStatsReader,
    TaskStarter,
    TaskService,
    DomainEvents,
  ],
  exports: [
    DomainEvents,
    ...EXTERNAL,
    ...EVENTS,
    ...WEBHOOKS,
    ...SCHEDULES,
    BulkService,
    ...LINEAGE,
    RetentionPolicies,
    TaskArchive,
    EnginePool,
    ExplainService,
    LimitsService,
    QueueOverview,
    TypeLimits,
    Rescuer,
    TaskService,
    TaskRegistry,
    TaskStatsReader,
    TaskTypes,
    WorkerService,
    WorkflowService,
  ],
})
export class TasksModule {}
