import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import request from 'supertest';
import { systemActor, TokenService } from '../../src/access/index.js';
import { AppModule } from '../../src/app.module.js';
import { settingsFrom } from '../../src/platform/config/settings.js';
import { createHttpApp } from '../../src/platform/http/create-http-app.js';
import type { Role } from '../../src/platform/http/declared-access.js';
import { Entrance } from '../../src/platform/http/entrance.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export interface StartedHttp {
  readonly app: NestExpressApplication;
  readonly database: TestDatabase;
  /** Sends requests with a token of the role; without any when there is no role. */
  as(role?: Role): ReturnType<typeof request.agent>;
  close(): Promise<void>;
}

/**
 * The whole application on a database of its own, without a port or a worker, and a token for each role. Silent: what
 * goes wrong shows in the answers.
 */
export async function startHttp(
  modules: readonly (Type | DynamicModule)[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<StartedHttp> {
  const database = await createTestDatabase();
  const settings = settingsFrom({ DATABASE_URL: database.url, PHOTOSAFE_ROLE: 'api', ...environment });
  const imports = [AppModule.forServer(settings, new Entrance()), ...modules];
  @Module({})
  class TestModule {}
  const app = await createHttpApp({ module: TestModule, imports }, false).catch(async (error: unknown) => {
    await database.drop();
    throw error;
  });
  const close = async (): Promise<void> => {
    await app.close();
    await database.drop();
  };
  try {
    await app.init();
    const agents = await agentsOf(app);
    return { app, database, as: (role) => agents[role ?? 'nobody'], close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Agent = ReturnType<typeof request.agent>;

async function agentsOf(app: NestExpressApplication): Promise<Record<Role | 'nobody', Agent>> {
  const server = app.getHttpServer();
  const agentOf = async (role: Role): Promise<Agent> => {
    const { secret } = await app.get(TokenService).create({ name: `test-${role}`, role }, systemActor('test'));
    return request.agent(server).auth(secret, { type: 'bearer' });
  };
  return {
    nobody: request.agent(server),
    viewer: await agentOf('viewer'),
    operator: await agentOf('operator'),
    worker: await agentOf('worker'),
    admin: await agentOf('admin'),
  };
}
