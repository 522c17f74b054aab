import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { Tracing } from '../../platform/tracing/tracing.js';
import { EnginePool } from '../queue/engine-pool.js';
import { WorkerClaims } from '../limits/worker-claims.js';
import { TaskRegistry } from '../task-registry.js';
import { OutcomeWriter } from './outcome-writer.js';
import { Runner } from './runner.js';
import { Settlers } from './settler.js';
import { TaskMetrics } from './task-metrics.js';

/** How a worker gets tasks, and from one that waits to a written outcome. */
@Injectable()
export class Execution {
  constructor(
    readonly runner: Runner,
    readonly outcomes: OutcomeWriter,
    readonly metrics: TaskMetrics,
    readonly tracing: Tracing,
    readonly claims: WorkerClaims,
  ) {}
}

/** What every life of a worker is made of. */
@Injectable()
export class WorkerParts {
  constructor(
    readonly database: Database,
    readonly pool: EnginePool,
    readonly registry: TaskRegistry,
    readonly execution: Execution,
    readonly settlers: Settlers,
  ) {}
}
