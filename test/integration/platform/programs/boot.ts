// A program that starts the platform as a server does, says so, and ends.
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { pino } from 'pino';
import { loadSettings } from '../../../../src/platform/config/load-settings.js';
import { createPino, PinoLogger } from '../../../../src/platform/logging/pino-logger.js';
import { PlatformModule } from '../../../../src/platform/platform.module.js';

async function main(): Promise<void> {
  const logger = new PinoLogger(createPino('info', pino.destination({ dest: 1, sync: true })));
  const app = await NestFactory.createApplicationContext(PlatformModule.forRoot(loadSettings()), {
    logger,
    abortOnError: false,
  });
  new Logger('boot').log({ message: 'booted' });
  await app.close();
}

main().catch((error: unknown) => {
  process.stdout.write(`refused: ${String(error)}\n`);
  process.exitCode = 1;
});
