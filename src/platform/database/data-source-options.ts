import type { DataSourceOptions } from 'typeorm';
import { migrations } from '../../../migrations/index.js';
import type { Settings } from '../config/settings.js';
import { connectionConfig } from './connection-config.js';
import { SnakeCaseNaming } from './snake-case-naming.js';

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/** A transaction that its process forgets about must not hold locks for ever. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/** Everything but where the server is; that {@link withUrl} adds. */
export function dataSourceOptions(settings: Settings): PostgresOptions {
  return {
    type: 'postgres',
    entities: [],
    synchronize: false,
    migrationsRun: false,
    namingStrategy: new SnakeCaseNaming(),
    uuidExtension: 'pgcrypto', // DEFAULT gen_random_uuid(), which is built in
    installExtensions: false,
    poolSize: settings.databasePool,
    logging: false,
    // An idle connection broke, and the pool has dropped it; whoever needs one next sees whether that lasts.
    poolErrorHandler: () => undefined,
  };
}

export function withUrl(options: PostgresOptions, url: string, settings: Settings): PostgresOptions {
  const limits = {
    statement_timeout: String(settings.statementTimeoutMs),
    idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
  };
  const config = connectionConfig(url, { applicationName: 'photosafe', settings: limits });
  return { ...options, url, applicationName: 'photosafe', extra: config };
}

/** Two connections without time limits and without entities, for migrations alone. */
export function migrationOptions(url: string): PostgresOptions {
  const config = connectionConfig(url, {
    applicationName: 'photosafe migrations',
    settings: { statement_timeout: '0' },
  });
  return {
    type: 'postgres',
    url,
    entities: [],
    migrations: [...migrations],
    migrationsTransactionMode: 'each',
    migrationsTableName: MIGRATIONS_TABLE,
    synchronize: false,
    installExtensions: false,
    poolSize: 2,
    logging: false,
    extra: config,
  };
}

const MIGRATIONS_TABLE = 'migrations';
