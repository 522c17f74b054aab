import pg from 'pg';
import { connectionConfig } from '../database/connection-config.js';
import type { Sql } from '../database/transaction.js';

/** One connection, for the time of `work`. */
export async function sqlOver<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = new pg.Client(connectionConfig(url, { applicationName: 'photosafe command' }));
  client.on('error', () => undefined); // the query that is under way fails with it
  await client.connect();
  try {
    return await work({
      query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
        (await client.query<Row>(text, [...values])).rows,
    });
  } finally {
    await client.end();
  }
}
