import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { answer } from '../harness/child-process.mjs';
import { query } from '../harness/postgres.mjs';
import { product } from '../harness/product.mjs';

const limit = 50;
const DAY_MS = 86_400_000;
/** Pages until a fresh process is as quick as one that serves: its code is compiled, its connections are open. */
const warmUp = 200;

/** What people look for in a long list. */
async function filtersOver(url) {
  const [{ parentId }] = await query(
    url,
    'SELECT parent_id AS "parentId" FROM finished_tasks WHERE parent_id IS NOT NULL ORDER BY id DESC LIMIT 1',
  );
  const createdTo = new Date(Date.now() - 100 * DAY_MS);
  return {
    newest: {},
    failed: { statuses: ['failed'] },
    completed: { statuses: ['completed'] },
    queued: { statuses: ['queued'] },
    unfinished: { statuses: ['created', 'queued', 'running'] },
    'of-type': { types: ['thumbnails'] },
    'rare-type': { types: ['rare'] },
    'top-level': { topLevel: true },
    'of-queue': { queue: 'default' },
    'other-queue': { queue: 'other' },
    batches: { parentId },
    text: { text: 'task 49' },
    month: { createdFrom: new Date(createdTo.getTime() - 30 * DAY_MS), createdTo },
    'month-failed-top-level': { createdTo, statuses: ['failed'], topLevel: true },
  };
}

/** Milliseconds of so many first pages with their totals, and of as many that follow each other, by filter. */
answer(async ({ url, times }) => {
  const { TaskService, TasksModule } = await product('tasks/index');
  const { PlatformModule } = await product('platform/platform.module');
  const { settingsFrom } = await product('platform/config/settings');
  class PagesModule {}
  const imports = [PlatformModule.forRoot(settingsFrom({ DATABASE_URL: url, LOG_LEVEL: 'error' })), TasksModule];
  const app = await NestFactory.createApplicationContext({ module: PagesModule, imports }, { logger: ['error'] });
  const tasks = app.get(TaskService);
  const measured = {};
  for (let page = 0; page < warmUp; page++) await tasks.page({}, { limit });
  for (const [name, filter] of Object.entries(await filtersOver(url))) {
    const pages = (measured[name] = []);
    const counts = (measured[`${name}-count`] = []);
    let after;
    for (let time = 0; time < times; time++) {
      await timed(counts, () => tasks.page(filter, { limit }));
      ({ after } = await timed(pages, () => tasks.page(filter, { limit, after: after ?? undefined })));
    }
  }
  await app.close();
  return measured;
});

async function timed(times, work) {
  const from = performance.now();
  const outcome = await work();
  times.push(performance.now() - from);
  return outcome;
}
