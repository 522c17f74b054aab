import { SchedulerModule } from '../../../../src/tasks/schedules/scheduler.module.js';
import { Engine, Script } from '../../../support/engine-harness.js';

/** A process that fires schedules and works on tasks, as a server does, until it is killed. Argument: URL. */
const [url = ''] = process.argv.slice(2);

async function run(): Promise<void> {
  const engine = await Engine.open(url, new Script(), { imports: [SchedulerModule] });
  await engine.app.init();
  await engine.work();
  process.stdout.write('working\n');
}

void run();
