import type { Settings } from '../config/settings.js';

/**
 * Gives `work` the URL of the configured database (the embedded server is started for it), as it stands: nothing is
 * migrated. For the few commands that look at the database rather than use it.
 */
export async function withDatabaseUrl<T>(work: (url: string, settings: Settings) => Promise<T>): Promise<T> {
  const [{ loadSettings }, { databaseServer }, { connectWithRetry }] = await Promise.all([
    import('../config/load-settings.js'),
    import('../database/database.module.js'),
    import('../database/connect-with-retry.js'),
  ]);
  const settings = loadSettings();
  const server = databaseServer(settings);
  try {
    const url = await connectWithRetry(server.description, { waitMs: 0 }, () => server.url());
    return await work(url, settings);
  } finally {
    await server.release();
  }
}
