import { Socket } from 'node:net';
import pg from 'pg';
import { connectionConfig } from '../connection-config.js';

/** Any constant; shared by all who use the server, exclusive for the one who stops it. */
const USAGE_LOCK = 7_041_957;

/** Held while the database is made for the first time. */
const CREATION_LOCK = 7_041_956;

/**
 * Says "somebody uses this server": a connection that holds a shared advisory lock in the database `postgres` for as
 * long as the process lives. The server itself forgets it when the process dies, however it dies. It also is the first
 * to notice that the server is gone.
 */
export class UsageLock {
  private constructor(
    private readonly client: pg.Client,
    private readonly socket: Socket,
    private readonly lost: { expected: boolean },
  ) {}

  /** Also makes the database when it is missing. Waits while the last user before us is stopping the server; then that fails with a broken connection. */
  static async take(maintenanceUrl: string, database: string, onLost: () => void): Promise<UsageLock> {
    const socket = new Socket();
    const config = connectionConfig(maintenanceUrl, { applicationName: 'photosafe keeper' });
    const client = new pg.Client({ ...config, stream: () => socket });
    const lost = { expected: true };
    client.on('error', () => undefined); // 'end' follows
    client.on('end', () => {
      if (!lost.expected) onLost();
    });
    try {
      await client.connect();
      await client.query('SELECT pg_advisory_lock_shared($1)', [USAGE_LOCK]);
      await makeDatabase(client, database);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    lost.expected = false;
    socket.unref(); // holding it is no reason for a process to go on
    return new UsageLock(client, socket, lost);
  }

  /** Gives the lock back. Whoever was the last to hold it stops the server before anyone else can take it. */
  async release(stopServer: () => Promise<void>): Promise<void> {
    this.lost.expected = true;
    this.socket.ref();
    try {
      await this.client.query('SELECT pg_advisory_unlock_shared($1)', [USAGE_LOCK]);
      const { rows } = await this.client.query<{ last: boolean }>('SELECT pg_try_advisory_lock($1) AS last', [
        USAGE_LOCK,
      ]);
      if (rows[0]?.last) await stopServer();
    } finally {
      await this.client.end().catch(() => undefined);
    }
  }
}

/** One at a time, so that ten first starts do not fill the log with duplicates. */
async function makeDatabase(client: pg.Client, name: string): Promise<void> {
  const exists = async (): Promise<boolean> =>
    (await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).rowCount !== 0;
  if (await exists()) return;
  await client.query('SELECT pg_advisory_lock($1)', [CREATION_LOCK]);
  if (!(await exists())) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  await client.query('SELECT pg_advisory_unlock($1)', [CREATION_LOCK]);
}
