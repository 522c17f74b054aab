import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { answer } from '../harness/child-process.mjs';
import { product } from '../harness/product.mjs';

const limit = 50;
/** What people look for in a long list; each also from a place deep inside it. */
const filters = {
  newest: {},
  failed: { statuses: ['failed'] },
  queued: { statuses: ['queued'] },
  'of-type': { types: ['thumbnails'] },
  'rare-type': { types: ['rare'] },
  unfinished: { statuses: ['created', 'queued', 'running'] },
};

/** Milliseconds of each of so many pages, by filter. */
answer(async ({ url, times }) => {
  const { TaskService, TasksModule } = await product('tasks/index');
  const { PlatformModule } = await product('platform/platform.module');
  const { settingsFrom } = await product('platform/config/settings');
  class PagesModule {}
  const imports = [PlatformModule.forRoot(settingsFrom({ DATABASE_URL: url, LOG_LEVEL: 'error' })), TasksModule];
  const app = await NestFactory.createApplicationContext({ module: PagesModule, imports }, { logger: ['error'] });
  const tasks = app.get(TaskService);
  const measured = {};
  for (const [name, filter] of Object.entries(filters)) {
    measured[name] = [];
    let after;
    for (let page = 0; page < times; page++) {
      const from = performance.now();
      const items = await tasks.list(filter, { limit, after });
      measured[name].push(performance.now() - from);
      after = items.at(-1)?.id;
    }
  }
  await app.close();
  return measured;
});
