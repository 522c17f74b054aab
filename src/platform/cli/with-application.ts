import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { note } from './output.js';

/** A command's user waits: what does not pass by itself in this time is told instead. */
const DATABASE_WAIT_MS = 30_000;

/**
 * A Nest application with the database (migrated) and `modules`, for the time of one command; its hooks run and it is
 * closed at the end, however that comes. It is no worker: what `work` enqueues is done by whoever serves, or by a
 * command that starts a worker itself. Logs go to standard error, and only errors; while it starts there are none, as what
 * keeps it from starting is thrown and told once. LOG_LEVEL may say more.
 */
export async function withApplication<T>(
  modules: readonly (Type | DynamicModule)[],
  work: (app: INestApplicationContext) => Promise<T>,
): Promise<T> {
  // Loaded here and not above: a command's file must not make --help load all of this.
  const [{ Module }, { NestFactory }, { loadSettings }, { PlatformModule }, { createPino, PinoLogger }, { pino }] =
    await Promise.all([
      import('@nestjs/common'),
      import('@nestjs/core'),
      import('../config/load-settings.js'),
      import('../platform.module.js'),
      import('../logging/pino-logger.js'),
      import('pino'),
    ]);
  const settings = loadSettings({ PHOTOSAFE_ROLE: 'api' });
  const isUsual = settings.logLevel === 'info';
  const log = createPino(isUsual ? 'silent' : settings.logLevel, pino.destination({ dest: 2, sync: true }));
  @Module({
    imports: [PlatformModule.forRoot(settings, { waitMs: DATABASE_WAIT_MS, onWait: sayThatItWaits }), ...modules],
  })
  class CommandModule {}
  const logger = new PinoLogger(log);
  const app = await NestFactory.createApplicationContext(CommandModule, { logger, abortOnError: false });
  if (isUsual) log.level = 'error';
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

const sayThatItWaits = (reason: string): void => {
  note(`Waiting up to ${String(DATABASE_WAIT_MS / 1_000)} s for the database: ${reason}`);
};
