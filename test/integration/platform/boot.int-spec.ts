import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrationState } from '../../../src/platform/database/migrate.js';
import { runTypeScript, type Child } from '../../support/child.js';
import { administer, createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const SLOW = { timeoutMs: 150_000 };

describe('the start of a process', () => {
  const databases: TestDatabase[] = [];
  const children: Child[] = [];

  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.kill()));
    await Promise.all(databases.splice(0).map((database) => database.drop()));
  });

  function boot(environment: Record<string, string>): Child {
    const child = runTypeScript('test/integration/platform/programs/boot.ts', [], {
      env: { PATH: process.env.PATH, ...environment },
    });
    children.push(child);
    return child;
  }

  it('migrates an empty database once, with ten processes at once', async () => {
    const database = await createEmptyDatabase();
    databases.push(database);
    const ten = Array.from({ length: 10 }, () => boot({ DATABASE_URL: database.url }));
    const ends = await Promise.all(ten.map((child) => child.ended));
    expect(ends).toEqual(ten.map(() => ({ code: 0, signal: null })));
    const migrated = ten.filter((child) => child.lines.some((line) => line.includes('database migrated')));
    expect(migrated).toHaveLength(1);
    expect((await migrationState(database.url)).pending).toEqual([]);
  });

  it('waits for a database that is not there yet, says so, and goes on when it comes', async () => {
    const database = await createTestDatabase();
    databases.push(database);
    const late = new URL(database.url);
    late.pathname = `/late_${randomBytes(4).toString('hex')}`;
    const child = boot({ DATABASE_URL: late.href });
    const line = await child.line(/there is no such database; create it/, SLOW);
    expect(JSON.parse(line)).toMatchObject({ level: 'warn', msg: 'the database is not there; trying again' });
    expect(line).not.toContain(late.password);
    await administer(`CREATE DATABASE ${late.pathname.slice(1)}`);
    databases.push({ url: late.href, drop: () => administer(`DROP DATABASE ${late.pathname.slice(1)} WITH (FORCE)`) });
    await child.line(/"booted"/, SLOW);
    expect(await child.ended).toEqual({ code: 0, signal: null });
  });

  it('waits for a server that does not answer', async () => {
    const child = boot({ POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '1' });
    await child.line(/ECONNREFUSED/, SLOW);
    expect(child.process.exitCode).toBeNull();
  });

  it('refuses a schema that a newer PhotoSafe has made', async () => {
    const database = await createTestDatabase();
    databases.push(database);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'FromTheFuture9999999999999')`);
    await client.end();
    const child = boot({ DATABASE_URL: database.url });
    expect(await child.line(/^refused/, SLOW)).toMatch(/migrated by a newer PhotoSafe \(FromTheFuture9999999999999/);
    expect((await child.ended).code).toBe(1);
  });

  it('names every setting that cannot be used', async () => {
    const child = boot({ PORT: 'http', LOG_LEVEL: 'loud', PHOTOSAFE_BOOTSTRAP_TOKEN: 'short-secret' });
    expect((await child.ended).code).toBe(1);
    const output = child.lines.join('\n');
    expect(output).toMatch(/PORT is "http"; allowed: a whole number/);
    expect(output).toMatch(/LOG_LEVEL is "loud"; allowed: trace/);
    expect(output).toMatch(/PHOTOSAFE_BOOTSTRAP_TOKEN is \(secret, 12 characters\); allowed: at least 32/);
    expect(output).not.toContain('short-secret');
  });
});
