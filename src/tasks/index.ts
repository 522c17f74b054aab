/**
 * The task engine's public face.
 *
 * - **task**: a unit of background work; a row. **Type**: its kind, made by {@link defineTask}. **Handler**: the class that does it.
 * - **attempt**: one try of a worker at a task. **Fence**: the number that makes an attempt's writes refusable once another has begun.
 * - **worker**: one process's claim to hold tasks. **Lease**: how long it keeps them without being heard of.
 * - **settle**: to end an attempt: the task is completed, failed, cancelled, or back in the queue.
 * - **rescue**: to take the tasks of a dead worker back into the queue.
 * - **fan-out**: a task split into child tasks (batches); the parent **waits**, and **joins** in a final step.
 * - **schedule**: starts a task again and again. **Tick**: one moment at which it is to. **Catch-up**: what becomes of ticks
 *   that nobody was there for.
 * - **workflow**: a graph of tasks, its **nodes**; a node starts when those it runs **after** have ended.
 * - **domain event**: something that happened in a feature; **listeners** add tasks for it, in the transaction in which it happened.
 * - **dedup key**: admits one unfinished task of a type.
 */
export { defineTask, type AnyTaskDefinition, type InputOf, type TaskDefinition } from './define-task.js';
export {
  defineEvent,
  type DomainEvent,
  type EventContext,
  eventListeners,
  on,
  type PayloadOf,
} from './domain-events/define-event.js';
export { DomainEvents } from './domain-events/domain-events.js';
export { Handles, taskHandlers, taskHandledBy } from './handles.decorator.js';
export { exponential, fixed, PermanentError, TransientError } from './retry-policy.js';
export { fanOut, FanOut } from './task-handler.js';
export type { ChildResult, ChildrenSummary, HandlerResult, Json, TaskContext, TaskHandler } from './task-handler.js';
export {
  FINISHED_STATUSES,
  isFinished,
  STATUS_WORDS,
  statusesMeantBy,
  TASK_STATUSES,
  type TaskStatus,
} from './task-state.js';
export type { Task, TaskEvent } from './task.js';
export type { EnqueuedTask } from './queue/enqueuer.js';
export type { EnqueueOptions } from './task-creator.js';
export type { LineageSource } from './lineage/lineage-source.js';
export { lineageSources } from './lineage/lineage-sources.js';
export { LineageService } from './lineage/lineage.service.js';
export { retention } from './retention/retention.task.js';
export { defineSchedule, shippedSchedules } from './schedules/define-schedule.js';
export { TaskRegistry } from './task-registry.js';
export { TaskService } from './task.service.js';
export type { Condition } from './workflows/condition.js';
export type { FailurePolicy } from './workflows/ripple.js';
export type { Dependency, NodeSpec, WorkflowSpec } from './workflows/workflow-plan.js';
export type { StartOptions } from './workflows/workflow-starter.js';
export { WorkflowService } from './workflows/workflow.service.js';
export type { Workflow, WorkflowNode } from './workflows/workflow.js';
export { TasksModule } from './tasks.module.js';
export { AttemptStopped, LeaseLostError } from './worker/attempt.js';
export { WorkerService } from './worker/worker.service.js';
export { toTaskDto } from './http/task-json.js';
export { accepted, acceptedTask } from './http/task-responses.js';
export { idempotencyKeyOf } from './http/idempotency-key.js';
export { assertCompleted, followTask } from './cli/follow-task.js';
