import 'reflect-metadata';
import './platform/cli/without-questions.js';
import { Module } from '@nestjs/common';
import { TokenCommand, TokenCreateCommand, TokenListCommand, TokenRevokeCommand } from './access/token.commands.js';
import {
  CatalogCommand,
  CatalogCoverageCommand,
  CatalogCreateCommand,
  CatalogListCommand,
  CatalogPlanCommand,
  CatalogRemoveCommand,
  CatalogShowCommand,
} from './catalogs/cli/catalog.commands.js';
import { DemoCommand } from './catalogs/cli/demo.commands.js';
import { ImportCommand, RebuildCommand } from './catalogs/cli/import.commands.js';
import { ApplicationEntry } from './platform/cli/application-entry.js';
import { DoctorCommand } from './platform/cli/doctor/doctor.commands.js';
import { MigrateCommand } from './platform/cli/migrate.commands.js';
import { runCli } from './platform/cli/run-cli.js';
import { ServeCommand, WorkerCommand } from './platform/cli/serve.commands.js';
import { SnapshotsCommand } from './platform/cli/snapshots/snapshots.commands.js';
import { ScheduleCreateCommand, ScheduleUpdateCommand } from './tasks/cli/schedule-edit.commands.js';
import {
  RetentionCommand,
  RetentionResetCommand,
  RetentionSetCommand,
  RetentionShowCommand,
} from './tasks/cli/retention.commands.js';
import { TaskRetentionCommand } from './tasks/cli/task-retention.commands.js';
import {
  ScheduleCommand,
  ScheduleDeleteCommand,
  ScheduleListCommand,
  SchedulePauseCommand,
  SchedulePreviewCommand,
  ScheduleResumeCommand,
  ScheduleRunCommand,
  ScheduleShowCommand,
} from './tasks/cli/schedule.commands.js';
import { QueueEventsCommand, QueueLimitCommand, QueueLimitTypeCommand } from './tasks/cli/queue-limit.commands.js';
import {
  QueueCloseCircuitCommand,
  QueuePauseTypeCommand,
  QueueResumeTypeCommand,
  QueueTypesCommand,
} from './tasks/cli/queue-type.commands.js';
import { QueueCommand, QueueListCommand, QueuePauseCommand, QueueResumeCommand } from './tasks/cli/queue.commands.js';
import { TaskCancelCommand, TaskDeleteCommand, TaskRetryCommand } from './tasks/cli/task-change.commands.js';
import { TaskExplainCommand, TaskStatsCommand } from './tasks/cli/task-insight.commands.js';
import {
  TaskCommand,
  TaskCreateCommand,
  TaskListCommand,
  TaskRunCommand,
  TaskShowCommand,
  TaskWatchCommand,
} from './tasks/cli/task.commands.js';
import {
  WebhookCommand,
  WebhookCreateCommand,
  WebhookDeleteCommand,
  WebhookListCommand,
  WebhookPingCommand,
} from './tasks/cli/webhook.commands.js';
import {
  WorkflowCancelCommand,
  WorkflowCommand,
  WorkflowListCommand,
  WorkflowRetryNodeCommand,
  WorkflowRunCommand,
  WorkflowShowCommand,
} from './tasks/cli/workflow.commands.js';

/** Loaded when a command needs it: `--help` starts without TypeORM, pg and all the modules. */
const application: ApplicationEntry = {
  start: async (overrides) => {
    const [{ start }, { pino }] = await Promise.all([import('./main.js'), import('pino')]);
    return start(overrides, pino.destination({ dest: 2, sync: true }));
  },
  serve: async (overrides) => (await import('./main.js')).serve(overrides),
  modules: async () => (await import('./app.module.js')).MODULES,
  openApiDocument: async () => (await import('./main.js')).apiDocument(),
  databaseChecks: async () => [(await import('./access/index.js')).checkTokens],
};

/** Every command, in the order of --help. */
const COMMANDS = [
  ...[ServeCommand, WorkerCommand, MigrateCommand, DoctorCommand],
  ...[DemoCommand, ImportCommand, RebuildCommand],
  ...[CatalogCommand, CatalogListCommand, CatalogCreateCommand, CatalogShowCommand],
  ...[CatalogCoverageCommand, CatalogPlanCommand, CatalogRemoveCommand],
  ...[
    TaskCommand,
    TaskCreateCommand,
    TaskListCommand,
    TaskShowCommand,
    TaskWatchCommand,
    TaskRunCommand,
    TaskCancelCommand,
    TaskRetryCommand,
    TaskDeleteCommand,
    TaskExplainCommand,
    TaskStatsCommand,
    TaskRetentionCommand,
  ],
  ...[QueueCommand, QueueListCommand, QueuePauseCommand, QueueResumeCommand, QueueLimitCommand],
  ...[QueueTypesCommand, QueuePauseTypeCommand, QueueResumeTypeCommand, QueueLimitTypeCommand],
  ...[QueueCloseCircuitCommand, QueueEventsCommand],
  ...[RetentionCommand, RetentionShowCommand, RetentionSetCommand, RetentionResetCommand],
  ...[ScheduleCommand, ScheduleListCommand, ScheduleShowCommand, ScheduleCreateCommand, ScheduleUpdateCommand],
  ...[ScheduleDeleteCommand, SchedulePauseCommand, ScheduleResumeCommand, ScheduleRunCommand, SchedulePreviewCommand],
  ...[WorkflowCommand, WorkflowRunCommand, WorkflowShowCommand, WorkflowListCommand],
  ...[WorkflowCancelCommand, WorkflowRetryNodeCommand],
  ...[WebhookCommand, WebhookListCommand, WebhookCreateCommand, WebhookDeleteCommand, WebhookPingCommand],
  ...[TokenCommand, TokenCreateCommand, TokenListCommand, TokenRevokeCommand],
  SnapshotsCommand,
];

@Module({ providers: [{ provide: ApplicationEntry, useValue: application }, ...COMMANDS] })
class CliModule {}

/** The command line `photosafe …`; bin/photosafe.js calls this. */
export const main = (version: string): Promise<void> => runCli(CliModule, version);
