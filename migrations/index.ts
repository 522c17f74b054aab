import { CreateTasks } from './0001-create-tasks.js';
import { CreateAccess } from './0002-create-access.js';
import { CreateCatalogs } from './0003-create-catalogs.js';
import { BatchTaskEvents } from './0004-batch-task-events.js';
import { CreateSchedules } from './0005-create-schedules.js';
import { CreateWorkflows } from './0006-create-workflows.js';
import { CreateExternalWorkers } from './0008-create-external-workers.js';
import { IsolateSuspects } from './0009-isolate-suspects.js';
import { CreateRetention } from './0010-create-retention.js';
import { ExplainAndBulk } from './0011-explain-and-bulk.js';
import { AddLanesAndLimits } from './0012-add-lanes-and-limits.js';
import { FollowAuditTrail } from './0013-follow-audit-trail.js';
import { CreateWebhooks } from './0015-create-webhooks.js';
import { TraceTasks } from './0016-trace-tasks.js';
import { ListBatches } from './0018-list-batches.js';
import { HashKinds } from './0019-hash-kinds.js';
import { NoteCancellations } from './0020-note-cancellations.js';
import { MarkAuditTrail } from './0021-mark-audit-trail.js';
import { IndexDelayedLanes } from './0022-index-delayed-lanes.js';
import { TermScheduledTasks } from './0023-term-scheduled-tasks.js';

/** In the order in which they run. A list, not a glob: the same in sources, build and tests. */
export const migrations = [
  CreateTasks,
  CreateAccess,
  CreateCatalogs,
  BatchTaskEvents,
  CreateSchedules,
  CreateWorkflows,
  CreateExternalWorkers,
  IsolateSuspects,
  CreateRetention,
  ExplainAndBulk,
  AddLanesAndLimits,
  FollowAuditTrail,
  CreateWebhooks,
  TraceTasks,
  ListBatches,
  HashKinds,
  NoteCancellations,
  MarkAuditTrail,
  IndexDelayedLanes,
  TermScheduledTasks,
];
