import { Logger } from '@nestjs/common';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { migrations } from '../../../migrations/index.js';
import { conflict } from '../errors/app-error.js';
import { connectionConfig } from './connection-config.js';
import { migrationOptions } from './data-source-options.js';
import { sqlState } from './sql-state.js';

/** Any constant; the same for every process that migrates this database. */
const MIGRATION_LOCK = 7_041_958;

const logger = new Logger('Migrations');

export interface MigrationState {
  readonly done: readonly string[];
  readonly pending: readonly string[];
}

/**
 * Brings the schema up to date and gives the names of the migrations that this call ran. Any number of processes may
 * call it at once: one migrates, the others wait for it. Each migration is a transaction of its own.
 * Throws `schema_too_new` when a newer PhotoSafe has already migrated the database.
 */
export async function migrate(url: string): Promise<string[]> {
  const lock = new pg.Client(connectionConfig(url, { applicationName: 'photosafe migrations' }));
  lock.on('error', () => undefined); // the query that is under way, or the next one, fails with it
  await lock.connect();
  try {
    if ((await readState(lock)).pending.length === 0) return [];
    await takeLock(lock);
    if ((await readState(lock)).pending.length === 0) return [];
    return await runPending(url);
  } finally {
    await lock.end(); // releases the advisory lock
  }
}

/** What has been run and what is missing. Throws `schema_too_new`. */
export async function migrationState(url: string): Promise<MigrationState> {
  const client = new pg.Client(connectionConfig(url, { applicationName: 'photosafe migrations' }));
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await readState(client);
  } finally {
    await client.end();
  }
}

async function readState(client: pg.Client): Promise<MigrationState> {
  const known = migrations.map((Migration) => new Migration().name);
  const done = await doneMigrations(client);
  const unknown = done.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw conflict(
      'schema_too_new',
      `The database has been migrated by a newer PhotoSafe (${unknown.join(', ')} is not known here). ` +
        'Update this one, or use another database.',
    );
  }
  return { done, pending: known.filter((name) => !done.includes(name)) };
}

async function doneMigrations(client: pg.Client): Promise<string[]> {
  try {
    const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations ORDER BY id');
    return rows.map((row) => row.name);
  } catch (error) {
    if (sqlState(error) === '42P01') return []; // no such table: nothing has run yet
    throw error;
  }
}

async function takeLock(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [MIGRATION_LOCK]);
  if (rows[0]?.taken) return;
  logger.log({ message: 'waiting for another process that is migrating the database' });
  await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
}

async function runPending(url: string): Promise<string[]> {
  const dataSource = await new DataSource(migrationOptions(url)).initialize();
  try {
    const started = Date.now();
    const names = (await dataSource.runMigrations({ transaction: 'each' })).map((migration) => migration.name);
    logger.log({ message: 'database migrated', migrations: names, durationMs: Date.now() - started });
    return names;
  } finally {
    await dataSource.destroy();
  }
}
