import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { destination } from 'pino';
import { answer } from '../harness/child-process.mjs';
import { treeRssBytes } from '../harness/processes.mjs';
import { product } from '../harness/product.mjs';
import { quality, sizes } from './outputs.mjs';

const actor = 'cli:bench';

/**
 * The product's own way, whole: embedded database, tasks, worker, decoder processes, blob store. The photos are analysed
 * first, which is not part of the figure but is part of the peak of memory.
 */
answer(async ({ library, warmUpLibrary, dataDir, count }) => {
  const peak = watchPeak();
  const app = await startProduct(dataDir);
  try {
    if (warmUpLibrary) await rebuild(app, warmUpLibrary);
    const { images, seconds } = await rebuild(app, library);
    if (images !== count) throw new Error(`thumbnails of ${images} images were made, there are ${count} files`);
    return { imagesPerSecond: images / seconds, peakRssBytes: peak() };
  } finally {
    await app.close();
  }
});

async function startProduct(dataDir) {
  const { AppModule } = await product('app.module');
  const { settingsFrom } = await product('platform/config/settings');
  const { PinoLogger, createPino } = await product('platform/logging/pino-logger');
  const { WorkerService } = await product('tasks/index');
  const settings = settingsFrom({
    PHOTOSAFE_DATA_DIR: dataDir,
    PHOTOSAFE_ROLE: 'worker',
    PHOTOSAFE_THUMBNAIL_SIZES: sizes.join(','),
    PHOTOSAFE_THUMBNAIL_QUALITY: String(quality),
    LOG_LEVEL: 'warn',
  });
  const logger = new PinoLogger(createPino('warn', destination(2)));
  const app = await NestFactory.createApplicationContext(AppModule.forWorker(settings), {
    logger,
    abortOnError: false,
  });
  await app.get(WorkerService, { strict: false }).start();
  return app;
}

/** Makes a catalogue of the folder and brings it up to date; tells how long its thumbnails took. */
async function rebuild(app, library) {
  const { CatalogsService } = await product('catalogs/index');
  const { TaskService } = await product('tasks/index');
  const tasks = app.get(TaskService, { strict: false });
  const catalog = await app.get(CatalogsService, { strict: false }).create({ name: library, roots: [library] });
  const run = async (type) => {
    const { id } = await tasks.create(type, { catalog_id: catalog.id }, { actor });
    return completed(tasks, id);
  };
  await run('analyze');
  const from = performance.now();
  const { result } = await run('thumbnails');
  return { images: result.rendered - result.failed, seconds: (performance.now() - from) / 1_000 };
}

async function completed(tasks, id) {
  for (;;) {
    const task = await tasks.get(id);
    if (task.status === 'completed') return task;
    if (task.status === 'failed' || task.status === 'cancelled') {
      throw new Error(`${task.type} ${task.status}: ${task.errorCode} ${task.errorMessage}`);
    }
    await sleep(100);
  }
}

/** The most that this process and its children ever held at the same time; the database server is apart. */
function watchPeak() {
  let peak = 0;
  const look = () => (peak = Math.max(peak, treeRssBytes(process.pid)));
  setInterval(look, 100).unref();
  return () => {
    look();
    return peak;
  };
}
