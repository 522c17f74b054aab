import 'reflect-metadata';
import { type INestApplicationContext, Logger, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { DestinationStream } from 'pino';
import { FirstToken } from './access/index.js';
import { AppModule } from './app.module.js';
import type { RunningApplication } from './platform/cli/application-entry.js';
import type { Environment } from './platform/config/database-url.js';
import { loadSettings } from './platform/config/load-settings.js';
import { type Settings, settingsFrom } from './platform/config/settings.js';
import { Readiness } from './platform/health/readiness.js';
import { API_PREFIX } from './platform/http/configure-app.js';
import { createHttpApp } from './platform/http/create-http-app.js';
import { Entrance } from './platform/http/entrance.js';
import { openApiDocument } from './platform/http/openapi.js';
import { MetricsServer } from './platform/metrics/metrics-server.js';
import { createPino } from './platform/logging/pino-logger.js';
import { QuietStartLogger } from './platform/logging/quiet-start-logger.js';
import { runUntilStopped } from './platform/signals/run-until-stopped.js';
import { WorkerService } from './tasks/index.js';

/**
 * Starts PhotoSafe in this process: HTTP, worker or both, as `role` says. The port opens first and says "not ready" until
 * the database is there, however long that takes. `firstToken` is the way in, made by this very start. The log goes to
 * standard output unless `log` is given.
 */
export async function start(
  overrides: Environment = {},
  log?: DestinationStream,
): Promise<RunningApplication & { firstToken?: string }> {
  const settings = loadSettings(overrides);
  const logger = new QuietStartLogger(createPino(settings.logLevel, log));
  Logger.overrideLogger(logger);
  return settings.role === 'worker' ? startWorker(settings, logger) : startServer(settings, logger);
}

/** Starts, shows the first token on the terminal, and ends on Ctrl-C or SIGTERM. */
export async function serve(overrides: Environment = {}): Promise<void> {
  await runUntilStopped(async () => {
    const running = await start(overrides);
    if (running.firstToken !== undefined) process.stdout.write(welcome(running.firstToken, running.url ?? ''));
    return running;
  });
}

/** The API as OpenAPI. Nothing is started or connected: Nest reads the modules and makes no providers. */
export async function apiDocument(): Promise<OpenAPIObject> {
  const settings = settingsFrom({});
  const app = await NestFactory.create(AppModule.forServer(settings, new Entrance()), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  app.setGlobalPrefix(API_PREFIX);
  return openApiDocument(app);
}

async function startServer(
  settings: Settings,
  logger: LoggerService,
): Promise<RunningApplication & { firstToken?: string }> {
  const entrance = new Entrance();
  const port = await entrance.listen(settings.port, settings.host);
  let app: NestExpressApplication | undefined;
  try {
    app = await createHttpApp(AppModule.forServer(settings, entrance), logger);
    await app.init();
    const firstToken = await app.get(FirstToken).ensure(settings.bootstrapToken);
    if (settings.role === 'all') await app.get(WorkerService).start();
    entrance.serve(app.getHttpAdapter().getInstance());
    const url = settings.publicUrl ?? localUrl(settings.host, port);
    new Logger('PhotoSafe').log({ message: 'listening', url, role: settings.role, docs: `${url}/api/docs` });
    return { app, url, firstToken, stop: () => stopServer(app, entrance) };
  } catch (error) {
    await (app === undefined ? entrance.beforeApplicationShutdown() : app.close());
    throw error;
  }
}

async function stopServer(app: INestApplicationContext | undefined, entrance: Entrance): Promise<void> {
  app?.get(Readiness, { strict: false }).stop();
  entrance.stopAccepting();
  await app?.close();
}

async function startWorker(settings: Settings, logger: LoggerService): Promise<RunningApplication> {
  const app = await NestFactory.createApplicationContext(AppModule.forWorker(settings), {
    logger,
    abortOnError: false,
  });
  try {
    await app.get(MetricsServer).start();
    await app.get(WorkerService).start();
  } catch (error) {
    await app.close();
    throw error;
  }
  new Logger('PhotoSafe').log({ message: 'working', role: settings.role });
  return { app, url: undefined, stop: () => app.close() };
}

/** For people on this machine: an address that listens everywhere is reached here as localhost. */
function localUrl(host: string, port: number): string {
  const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

const welcome = (token: string, url: string): string => `
  This is the first start of PhotoSafe. Here is an admin token; it is shown this once:

      ${token}

  Send it as "Authorization: Bearer <token>", or paste it under "Authorize" at ${url}/api/docs
  Make more tokens, of lesser roles too:  npx photosafe token create --name phone --role viewer

`;
