import type { EnginePool } from '../queue/engine-pool.js';
import { QueueLoop, type QueueLoopOptions } from '../worker/queue-loop.js';
import { Dispatcher, type TaskSource } from './dispatcher.js';

/** Workers claim from the line of ready tasks in PostgreSQL, woken by notices and, beneath these, by polling. */
export class PostgresDispatcher extends Dispatcher {
  constructor(private readonly pool: EnginePool) {
    super();
  }

  source(options: QueueLoopOptions): TaskSource {
    return new QueueLoop(this.pool, options);
  }
}
