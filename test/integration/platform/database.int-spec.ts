import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Database } from '../../../src/platform/database/database.js';
import { Metrics } from '../../../src/platform/metrics/metrics.js';
import { startPlatform, type StartedPlatform } from '../../support/start-platform.js';
import { administer, createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';

describe('the database', () => {
  let own: TestDatabase;
  let platform: StartedPlatform;
  let database: Database;

  beforeAll(async () => {
    own = await createTestDatabase();
    platform = await startPlatform(own);
    database = platform.database;
    await database.query('CREATE TABLE counters (id int PRIMARY KEY, value int NOT NULL)');
  });

  afterAll(async () => {
    await platform.close();
    await own.drop();
  });

  beforeEach(async () => {
    await database.query('DELETE FROM counters');
    await database.query('INSERT INTO counters VALUES (1, 0), (2, 0)');
  });

  const value = async (id: number): Promise<number | undefined> =>
    (await database.query<{ value: number }>('SELECT value FROM counters WHERE id = $1', [id]))[0]?.value;

  /** Cuts every connection of this database, as a restart of the server does. */
  const cutConnections = (): Promise<void> =>
    administer(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${new URL(own.url).pathname.slice(1)}'`,
    );

  it('gives the rows of every kind of statement, in a transaction as without one', async () => {
    const statements = [
      'SELECT value FROM counters WHERE id = 1',
      'UPDATE counters SET value = 5 WHERE id = 1 RETURNING value',
      'INSERT INTO counters VALUES (3, 7) RETURNING value',
      'DELETE FROM counters WHERE id = 3 RETURNING value',
      'WITH c AS (SELECT 1 AS id) UPDATE counters SET value = 8 WHERE id IN (SELECT id FROM c) RETURNING value',
      'UPDATE counters SET value = 9 WHERE id = 99 RETURNING value',
    ];
    const expected = [[{ value: 0 }], [{ value: 5 }], [{ value: 7 }], [{ value: 7 }], [{ value: 8 }], []];
    const run = async (sql: Pick<Database, 'query'>): Promise<object[][]> => {
      const results = [];
      for (const statement of statements) results.push(await sql.query(statement));
      return results;
    };
    expect(await run(database)).toEqual(expected);
    await database.query('UPDATE counters SET value = 0');
    expect(await database.transaction(run)).toEqual(expected);
  });

  it('commits as a whole or not at all, and calls afterCommit only then', async () => {
    const calls: string[] = [];
    await expect(
      database.transaction(async (tx) => {
        tx.afterCommit(() => calls.push('refused'));
        await tx.query('UPDATE counters SET value = 1 WHERE id = 1');
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect([await value(1), calls]).toEqual([0, []]);

    const result = await database.transaction(async (tx) => {
      tx.afterCommit(() => calls.push('committed'));
      await tx.query('UPDATE counters SET value = 2 WHERE id = 1');
      await tx.manager.query('UPDATE counters SET value = 3 WHERE id = 2');
      return 'result';
    });
    expect([result, await value(1), await value(2), calls]).toEqual(['result', 2, 3, ['committed']]);
  });

  it('runs a transaction again when it could not be serialized', async () => {
    let attempts = 0;
    await database.transaction(async (tx) => {
      attempts += 1;
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      await tx.query('SELECT value FROM counters WHERE id = 1');
      if (attempts === 1) await database.query('UPDATE counters SET value = 10 WHERE id = 1');
      await tx.query('UPDATE counters SET value = value + 1 WHERE id = 1');
    });
    expect([attempts, await value(1)]).toEqual([2, 11]);
  });

  it('runs the victim of a deadlock again', async () => {
    const attempts: string[] = [];
    const arrived = { first: false, second: false };
    const both = async (name: 'first' | 'second', [one, other]: [number, number]): Promise<void> => {
      await database.transaction(async (tx) => {
        attempts.push(name);
        // One looks for it, or else the other, long after: not both at once, who would both be its victims.
        await tx.query(`SET LOCAL deadlock_timeout = ${name === 'first' ? '20' : '2000'}`);
        await tx.query('UPDATE counters SET value = value + 1 WHERE id = $1', [one]);
        arrived[name] = true;
        while (!arrived.first || !arrived.second) await setImmediate();
        await tx.query('UPDATE counters SET value = value + 1 WHERE id = $1', [other]);
      });
    };
    await Promise.all([both('first', [1, 2]), both('second', [2, 1])]);
    expect([attempts.length, await value(1), await value(2)]).toEqual([3, 2, 2]);
  });

  it('survives that all of its connections are cut', async () => {
    await Promise.all(Array.from({ length: 5 }, () => database.query('SELECT pg_sleep(0.02)')));
    await cutConnections();
    await waitFor('the pool has fresh connections', () => database.query('SELECT 1'));
    await expect(
      database.transaction(async (tx) => {
        await tx.query('UPDATE counters SET value = 1 WHERE id = 1');
        await cutConnections();
        await tx.query('SELECT 1');
      }),
    ).rejects.toThrow();
    await waitFor('the pool has fresh connections', () => database.query('SELECT 1'));
    expect(await value(1)).toBe(0);
    expect(platform.app.get(Metrics).registry.getSingleMetric('photosafe_database_pool_connections')).toBeDefined();
  });

  it('gives pools and connections of their own, with their settings, that survive a cut too', async () => {
    const pool = database.createPool({ max: 2, applicationName: 'a pool', settings: { statement_timeout: '1234' } });
    const ask = async (): Promise<unknown> =>
      (
        await pool.query(
          `SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS limit`,
        )
      ).rows[0];
    expect(await ask()).toEqual({ name: 'a pool', limit: '1234ms' });
    const client = await database.connect('a listener');
    const ended = new Promise((resolve) => client.once('end', resolve));
    await cutConnections();
    await ended;
    expect(await waitFor('the pool is back', ask)).toEqual({ name: 'a pool', limit: '1234ms' });
    await pool.end();
  });

  it('stops a statement that takes too long', async () => {
    const impatient = await startPlatform(own, [], { PHOTOSAFE_STATEMENT_TIMEOUT_MS: '50' });
    await expect(impatient.database.query('SELECT pg_sleep(5)')).rejects.toMatchObject({ code: '57014' });
    await impatient.close();
  });

  it('never interpolates values', async () => {
    const text = `'; DROP TABLE counters; -- ${randomUUID()}`;
    expect(await database.query('SELECT $1::text AS text', [text])).toEqual([{ text }]);
  });
});
