// A worker of the load, or, with `cell`, one of its cells. Its settings are its environment.
import { NestFactory } from '@nestjs/core';
import { fileURLToPath } from 'node:url';
import { product } from '../harness/product.mjs';
import { loadModule } from './tasks.mjs';

const { WorkerService } = await product('tasks/index');
const { openCellProcess } = await product('tasks/isolation/cell-process');
const { createPino, PinoLogger } = await product('platform/logging/pino-logger');

const cell = process.argv[2] === 'cell';
const logger = new PinoLogger(createPino('info'));
const app = await NestFactory.createApplicationContext(loadModule(process.env), { logger, abortOnError: false });
// A process that a fault left with open handles ends all the same.
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
await app.get(WorkerService).start({
  cell,
  openCell: () => openCellProcess({ path: fileURLToPath(import.meta.url), args: ['cell'] }),
});
