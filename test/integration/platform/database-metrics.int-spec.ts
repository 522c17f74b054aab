import pg from 'pg';
import { Metrics } from '../../../src/platform/metrics/metrics.js';
import { startPlatform, type StartedPlatform } from '../../support/start-platform.js';
import { waitFor } from '../../support/wait-for.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

/** Another application on the same database, with a transaction that it has forgotten. */
async function forgottenSnapshot(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'forgotten' });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT 1'); // takes the snapshot
  return client;
}

/** May be ended by the test at any time. */
async function session(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const LOOKING = `FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(60)'`;

/** A VACUUM that somebody has asked for, at work on a table for longer than the test looks at it. */
async function slowVacuum(url: string): Promise<pg.Client> {
  const client = await session(url);
  await client.query('CREATE TABLE large AS SELECT generate_series(1, 100000) AS n');
  await client.query('SET vacuum_cost_delay = 100');
  await client.query('SET vacuum_cost_limit = 1');
  client.query('VACUUM large').catch(() => undefined);
  return client;
}

describe('the metrics of the database', () => {
  let own: TestDatabase;
  let platform: StartedPlatform;

  beforeEach(async () => {
    own = await createTestDatabase();
    platform = await startPlatform(own);
  });
  afterEach(async () => {
    await platform.close();
    await own.drop();
  });

  const valuesOf = async (name: string): Promise<Map<string, number>> => {
    const { values = [] } = (await platform.app.get(Metrics).registry.getSingleMetric(name)?.get()) ?? {};
    return new Map(values.map(({ labels, value }) => [Object.values(labels).join(), value]));
  };

  it('are those of a database that is well', async () => {
    expect(await valuesOf('photosafe_database_up')).toEqual(new Map([['', 1]]));
    expect(await valuesOf('photosafe_database_oldest_transaction_seconds')).toEqual(new Map([['', 0]]));
    expect(await valuesOf('photosafe_database_held_back_transactions')).toEqual(new Map());
    expect(Math.abs((await valuesOf('photosafe_clock_skew_seconds')).get('') ?? NaN)).toBeLessThan(1);
    for (const which of ['dead', 'live']) {
      expect((await valuesOf(`photosafe_database_${which}_rows`)).get('live_tasks')).toBe(0);
    }
  });

  it('tell of a transaction that keeps dead rows from being removed, and by how many others it is outlived', async () => {
    const forgotten = await forgottenSnapshot(own.url);
    try {
      for (let i = 0; i < 20; i += 1) await platform.database.query('SELECT pg_current_xact_id()');
      expect((await valuesOf('photosafe_database_oldest_transaction_seconds')).get('')).toBeGreaterThan(0);
      expect((await valuesOf('photosafe_database_held_back_transactions')).get('session')).toBeGreaterThanOrEqual(20);
    } finally {
      await forgotten.end();
    }
  });

  it('tell of the one that keeps the most, not of an older one that sees only what is new', async () => {
    const older = await session(own.url);
    await older.query('BEGIN');
    const forgotten = await forgottenSnapshot(own.url);
    try {
      for (let i = 0; i < 20; i += 1) await platform.database.query('SELECT pg_current_xact_id()');
      older.query('SELECT pg_sleep(60)').catch(() => undefined);
      const looks = `SELECT pid ${LOOKING} AND backend_xmin IS NOT NULL`;
      await waitFor('the older one to look', async () => (await platform.database.query(looks))[0]);
      expect((await valuesOf('photosafe_database_held_back_transactions')).get('session')).toBeGreaterThanOrEqual(20);
    } finally {
      await forgotten.end();
      await platform.database.query(`SELECT pg_terminate_backend(pid) ${LOOKING}`);
    }
  });

  it('do not take a VACUUM for one that keeps them, which it is there to remove', async () => {
    const vacuum = await slowVacuum(own.url);
    try {
      const working = `SELECT pid FROM pg_stat_progress_vacuum JOIN pg_stat_activity USING (pid) WHERE backend_xmin IS NOT NULL`;
      await waitFor('the VACUUM', async () => (await platform.database.query(working))[0]);
      expect(await valuesOf('photosafe_database_held_back_transactions')).toEqual(new Map());
    } finally {
      vacuum.connection.stream.destroy();
      const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_progress_vacuum WHERE datname = current_database()`;
      await platform.database.query(end);
    }
  });

  it('are absent while the database does not answer, but for one that says so', async () => {
    await own.drop();
    expect(await valuesOf('photosafe_database_up')).toEqual(new Map([['', 0]]));
    expect(await valuesOf('photosafe_database_oldest_transaction_seconds')).toEqual(new Map());
    expect(await valuesOf('photosafe_clock_skew_seconds')).toEqual(new Map());
    own = await createTestDatabase(); // to be dropped
  });
});
