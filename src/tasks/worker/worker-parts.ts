import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { EnginePool } from '../queue/engine-pool.js';
import { TaskRegistry } from '../task-registry.js';
import { OutcomeWriter } from './outcome-writer.js';
import { Runner } from './runner.js';
import { Settlers } from './settler.js';
import { TaskMetrics } from './task-metrics.js';

/** How a worker gets tasks, and from a claimed one to a written outcome. */
@Injectable()
export class Execution {
  constructor(
    readonly dispatcher: Dispatcher,
    readonly runner: Runner,
    readonly outcomes: OutcomeWriter,
    readonly metrics: TaskMetrics,
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
