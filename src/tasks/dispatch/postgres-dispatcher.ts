import { QueueLoop } from '../worker/queue-loop.js';
import { Dispatcher, type SourceOptions, type TaskSource } from './dispatcher.js';

/** Workers claim from the line of ready tasks in PostgreSQL, woken by notices and, beneath these, by polling. */
export class PostgresDispatcher extends Dispatcher {
  source(options: SourceOptions): TaskSource {
    return new QueueLoop(options);
  }
}
