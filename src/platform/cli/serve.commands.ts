import { Command, Option } from 'nest-commander';
import { ApplicationEntry } from './application-entry.js';
import { BaseCommand } from './base.command.js';
import { oneOf, wholeNumber } from './options.js';
import { given } from '../values/given.js';

interface ServeOptions {
  role?: string;
  port?: string;
  host?: string;
}

@Command({ name: 'serve', description: 'Runs the server: API, docs and worker in one process unless --role says less' })
export class ServeCommand extends BaseCommand {
  constructor(private readonly application: ApplicationEntry) {
    super();
  }

  run(_words: string[], { role, port, host }: ServeOptions): Promise<void> {
    // The rest is the environment's.
    return this.application.serve(given({ PHOTOSAFE_ROLE: role, PORT: port, HOST: host }));
  }

  @Option({ flags: '--role <role>', description: 'all, api or worker (PHOTOSAFE_ROLE; all)' })
  parseRole(value: string): string {
    return oneOf('--role', value, ['all', 'api', 'worker']);
  }

  @Option({ flags: '--port <number>', description: 'port of the API; 0 takes any that is free (PORT; 3000)' })
  parsePort(value: string): string {
    return String(wholeNumber('--port', value, { min: 0, max: 65_535 }));
  }

  @Option({ flags: '--host <address>', description: 'where to listen; 0.0.0.0 for every network (HOST; 127.0.0.1)' })
  parseHost(value: string): string {
    return value;
  }
}

@Command({ name: 'worker', description: 'Runs a worker without the API: the same as serve --role worker' })
export class WorkerCommand extends BaseCommand {
  constructor(private readonly application: ApplicationEntry) {
    super();
  }

  run(_words: string[], { cell }: { cell?: boolean }): Promise<void> {
    return this.application.serve({ PHOTOSAFE_ROLE: 'worker', ...(cell ? { PHOTOSAFE_WORKER_CELL: 'true' } : {}) });
  }

  @Option({ flags: '--cell', description: 'only run tasks that may have killed a worker, alone (workers start these)' })
  parseCell(): boolean {
    return true;
  }
}
