import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../database/embedded/embedded-postgres.js';
import { migrate } from '../../database/migrate.js';
import { dumpSchema } from '../../database/schema-dump.js';
import { sqlOver } from '../sql-over-url.js';

/** What the migrations make of an empty database, as SQL. In a server of its own, so that nothing else is in it. */
export async function schemaOfNewDatabase(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'photosafe-schema-'));
  const server = new EmbeddedPostgres({ dataDir, database: 'photosafe' });
  try {
    const url = await server.ensure();
    await migrate(url);
    return await sqlOver(url, dumpSchema);
  } finally {
    await server.release();
    await rm(dataDir, { recursive: true, force: true });
  }
}
