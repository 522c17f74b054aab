import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { register } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import stopPostgres from './stop-postgres.mjs';

const PREFIX = 'photosafe-test-';

/** One throw-away PostgreSQL for the run, with a migrated template that each test file copies. */
export default async function startPostgres() {
  // Jest calls this once a project.
  if (globalThis.photosafeTestPostgres) return;
  register('@swc-node/register/esm', import.meta.url);
  const { Logger } = await import('@nestjs/common');
  Logger.overrideLogger(['warn', 'error', 'fatal']);
  const { EmbeddedPostgres } = await import('../../src/platform/database/embedded/embedded-postgres.ts');
  const { migrate } = await import('../../src/platform/database/migrate.ts');
  await sweep(EmbeddedPostgres);
  const dataDir = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const server = new EmbeddedPostgres({
    dataDir,
    database: 'template',
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '64MB' },
  });
  globalThis.photosafeTestPostgres = { server, dataDir };
  try {
    const url = await server.ensure();
    await migrate(url);
    process.env.TEST_DATABASE_URL = url; // inherited by the workers
  } catch (error) {
    await stopPostgres(); // jest does not when the set-up fails
    throw error;
  }
}

/** A jest that was killed leaves its server behind. */
async function sweep(EmbeddedPostgres) {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!pid || isAlive(pid)) continue;
    const dataDir = join(tmpdir(), name);
    await new EmbeddedPostgres({ dataDir, database: 'template' }).stop('immediate').catch(() => undefined);
    await rm(dataDir, { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
