import type { DynamicModule, LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { configureApp } from './configure-app.js';

/** The application behind the entrance, the same for the server and for tests; it is ready once `init()` has been called. */
export async function createHttpApp(
  module: DynamicModule,
  logger: LoggerService | false,
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(module, {
    logger,
    bodyParser: false, // configureApp has its own
    abortOnError: false,
    routeResolutionStrategy: 'specificity', // /tokens/current before /tokens/:id, in whatever order they are written
    routeConflictPolicy: { duplicate: 'error' },
  });
  configureApp(app);
  return app;
}
