import { Module, type DynamicModule, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { settingsFrom } from '../../src/platform/config/settings.js';
import { Database } from '../../src/platform/database/database.js';
import { PlatformModule } from '../../src/platform/platform.module.js';
import type { TestDatabase } from './test-database.js';

export interface StartedPlatform extends AsyncDisposable {
  readonly app: INestApplicationContext;
  readonly database: Database;
  close(): Promise<void>;
}

/** A Nest application context with the platform on this database, and `modules`. Silent, unless something is wrong. */
export async function startPlatform(
  { url }: Pick<TestDatabase, 'url'>,
  modules: readonly (Type | DynamicModule)[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<StartedPlatform> {
  const settings = settingsFrom({ DATABASE_URL: url, PORT: '0', ...environment });
  @Module({ imports: [PlatformModule.forRoot(settings, { waitMs: 10_000 }), ...modules] })
  class TestModule {}
  const app = await NestFactory.createApplicationContext(TestModule, {
    logger: ['error', 'fatal'],
    abortOnError: false,
  });
  const close = (): Promise<void> => app.close();
  return { app, database: app.get(Database), close, [Symbol.asyncDispose]: close };
}
