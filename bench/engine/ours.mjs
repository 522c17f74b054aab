import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { IsInt } from 'class-validator';
import { destination } from 'pino';
import { query } from '../harness/postgres.mjs';
import { product } from '../harness/product.mjs';

/** Attempts at once in this process; nothing is prefetched beyond them. */
const concurrency = 1_000;
const environment = { LOG_LEVEL: 'warn', PHOTOSAFE_WORKER_CONCURRENCY: `default=${concurrency}` };

/**
 * The engine as the product runs it, on its public face: validated input, audit trail, fences, leases, metrics. Only
 * the lines that it logs for every attempt are off, as the peers' are.
 */
export async function open({ connection: { url, redis } }) {
  const { defineTask, exponential, Handles, taskHandlers, TaskService, TasksModule, WorkerService } =
    await product('tasks/index');
  const { PlatformModule } = await product('platform/platform.module');
  const { settingsFrom } = await product('platform/config/settings');
  const { PinoLogger, createPino } = await product('platform/logging/pino-logger');

  class NoOpInput {}
  IsInt()(NoOpInput.prototype, 'id');
  const noOp = defineTask({
    name: 'bench.no-op',
    version: 1,
    title: 'Does nothing',
    input: NoOpInput,
    retry: { attempts: 5, backoff: exponential({ firstMs: 1_000, maxMs: 60_000 }) },
    timeoutMs: 60_000,
  });
  let onRun = () => undefined;
  class NoOpHandler {
    async run() {
      onRun(1);
    }
  }
  Handles(noOp)(NoOpHandler);
  class BenchModule {}
  const module = {
    module: BenchModule,
    imports: [
      PlatformModule.forRoot(settingsFrom({ ...environment, ...dispatch(redis), DATABASE_URL: url })),
      TasksModule,
    ],
    providers: taskHandlers(NoOpHandler),
  };
  const logger = new PinoLogger(createPino('warn', destination(2)));
  const start = () => NestFactory.createApplicationContext(module, { logger, abortOnError: false });

  let app = await start();
  const actor = 'cli:bench';
  return {
    about: `this checkout, concurrency ${concurrency}${redis ? ', dispatch over Redis' : ''}`,
    enqueue: (count) => app.get(TaskService).enqueueMany(noOp, inputs(count), { actor }),
    enqueueOne: (id) => app.get(TaskService).enqueue(noOp, { id }, { actor }),
    async start(onTask) {
      onRun = onTask;
      await app.get(WorkerService).start();
    },
    /** A worker that was stopped does not start again: the next one is another application's. */
    async stop() {
      await app.close();
      app = await start();
    },
    /** By the engine's indexes: the planner would read a million delayed tasks to find that none of them is ready. */
    async anyLeft() {
      const first = (which, order) =>
        `(SELECT id FROM live_tasks WHERE ${which} ORDER BY ${order} LIMIT 1) IS NOT NULL`;
      const ready = first(`status = 'queued' AND ready`, 'lane, rank, id');
      const running = first(`status = 'running'`, 'worker_id, id');
      const [{ any }] = await query(url, `SELECT ${ready} OR ${running} AS any`);
      return any;
    },
    analyze: () => query(url, 'ANALYZE'),
    close: () => app.close(),
  };
}

function dispatch(redis) {
  if (!redis) return {};
  const { host, port, password } = redis;
  return { PHOTOSAFE_DISPATCH: 'redis', REDIS_URL: `redis://:${password}@${host}:${port}` };
}

function inputs(count) {
  return Array.from({ length: count }, (_, id) => ({ id }));
}
