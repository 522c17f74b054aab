import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { atEnd, cleanUp } from '../harness/clean-up.mjs';
import { query } from '../harness/postgres.mjs';
import { Member } from './member.mjs';
import { Server } from './server.mjs';
import { loadModule, plain, TaskService } from './tasks.mjs';

const IN_FLIGHT = 24;
export const POISON_LIMIT_MS = 60_000;

/** 24 tasks in flight in one process, of which one kills it, and again: how long until each has ended as it should. */
export async function poison() {
  const folder = await mkdtemp(join(tmpdir(), 'photosafe-poison-'));
  const server = await Server.startMigrated();
  const app = await NestFactory.createApplicationContext(loadModule({ DATABASE_URL: server.url() }), { logger: false });
  atEnd(() => app.close());
  const tasks = app.get(TaskService);
  const inputs = Array.from({ length: IN_FLIGHT }, (_, index) => ({ ms: 200, poison: index === IN_FLIGHT / 2 }));
  await tasks.enqueueMany(plain, inputs, { actor: 'cli:chaos' });
  const env = (port) => ({
    ...process.env,
    NODE_OPTIONS: '',
    DATABASE_URL: server.url(port),
    PHOTOSAFE_WORKER_CONCURRENCY: String(IN_FLIGHT),
  });
  const member = await Member.start('worker', { port: server.port, env, logFile: join(folder, 'worker.log') });
  atEnd(() => member.stop());
  const rows = await untilEnded(server);
  await cleanUp(); // nothing of it is to run beside what follows
  await rm(folder, { recursive: true, force: true });
  return rows;
}

async function untilEnded(server) {
  for (const deadline = Date.now() + 3 * POISON_LIMIT_MS; Date.now() < deadline; await sleep(100)) {
    const [row] = await query(
      server.url(),
      `SELECT count(*) FILTER (WHERE status = 'completed')::int AS completed,
         count(*) FILTER (WHERE error_code = 'poison_pill')::int AS quarantined,
         (SELECT extract(epoch FROM max(at) - min(at) FILTER (WHERE reason = 'claimed')) * 1000 FROM task_history)::float8 AS ms
       FROM finished_tasks`,
    );
    if (row.completed + row.quarantined === IN_FLIGHT) return row;
  }
  throw new Error('not all of the tasks have ended');
}
