import pg from 'pg';
import { Metrics } from '../../../src/platform/metrics/metrics.js';
import { startPlatform, type StartedPlatform } from '../../support/start-platform.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

/** Another application on the same database, with a transaction that it has forgotten. */
async function forgottenSnapshot(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'forgotten' });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT 1'); // takes the snapshot
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
    expect((await valuesOf('photosafe_database_dead_rows')).has('live_tasks')).toBe(true);
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

  it('are absent while the database does not answer, but for one that says so', async () => {
    await own.drop();
    expect(await valuesOf('photosafe_database_up')).toEqual(new Map([['', 0]]));
    expect(await valuesOf('photosafe_database_oldest_transaction_seconds')).toEqual(new Map());
    expect(await valuesOf('photosafe_clock_skew_seconds')).toEqual(new Map());
    own = await createTestDatabase(); // to be dropped
  });
});
