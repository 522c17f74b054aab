// PhotoSafe as one host of a fleet runs it, with the tasks of bench/chaos beside its own. Argument: api, worker or cell.
import { NestFactory } from '@nestjs/core';
import { loadModule } from '../../../bench/chaos/tasks.mjs';
import { product } from '../../../bench/harness/product.mjs';

const [role] = process.argv.slice(2);
const { AppModule } = await product('app.module');
const { FirstToken } = await product('access/index');
const { loadSettings } = await product('platform/config/load-settings');
const { createHttpApp } = await product('platform/http/create-http-app');
const { Entrance } = await product('platform/http/entrance');
const { createPino, PinoLogger } = await product('platform/logging/pino-logger');
const { openCellProcess } = await product('tasks/isolation/cell-process');
const { WorkerService } = await product('tasks/index');

const settings = loadSettings();
const logger = new PinoLogger(createPino('info'));
const { providers } = loadModule();
class FleetModule {}
const withLoad = (module) => ({ module: FleetModule, imports: [module], providers });

let app;
if (role === 'api') {
  const entrance = new Entrance();
  const port = await entrance.listen(0, '127.0.0.1');
  app = await createHttpApp(withLoad(AppModule.forServer(settings, entrance)), logger);
  await app.init();
  await app.get(FirstToken).ensure(settings.bootstrapToken);
  entrance.serve(app.getHttpAdapter().getInstance());
  logger.log({ message: 'listening', url: `http://127.0.0.1:${port}` });
} else {
  app = await NestFactory.createApplicationContext(withLoad(AppModule.forWorker(settings)), {
    logger,
    abortOnError: false,
  });
  const openCell = () => openCellProcess({ path: import.meta.filename, args: ['cell'] });
  await app.get(WorkerService).start({ cell: role === 'cell', openCell });
}
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
