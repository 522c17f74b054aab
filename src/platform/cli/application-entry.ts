import type { INestApplicationContext, Type } from '@nestjs/common';
import type { Environment } from '../config/database-url.js';
import type { Sql } from '../database/transaction.js';
import type { CheckResult } from './doctor/check.js';

/** PhotoSafe at work in this process. */
export interface RunningApplication {
  readonly app: INestApplicationContext;
  /** The way in that this very start made; undefined when there was one. */
  readonly firstToken?: string;
  /** Where people reach it; undefined for a worker, which has no HTTP. */
  readonly url: string | undefined;
  /** Ends it: running work is handed back, the database is closed. */
  stop(): Promise<void>;
}

/**
 * What only the composition root can do, for commands: cli.ts provides it. `overrides` are environment variables that
 * options of the command line stand for: `{ PORT: '3001' }`.
 */
export abstract class ApplicationEntry {
  /** Starts it all and gives it back running. Its log goes to standard error: standard output is the command's. */
  abstract start(overrides: Environment): Promise<RunningApplication>;
  /** Starts it all and ends it on Ctrl-C or SIGTERM. */
  abstract serve(overrides: Environment): Promise<void>;
  /** All modules without HTTP, for a command that needs to know every kind of task there is. */
  abstract modules(): Promise<readonly Type[]>;
  /** The API as OpenAPI; needs no database. */
  abstract openApiDocument(): Promise<object>;
  /** What the modules want `doctor` to look at, in a database that is migrated. */
  abstract databaseChecks(): Promise<readonly ((sql: Sql) => Promise<CheckResult>)[]>;
}
