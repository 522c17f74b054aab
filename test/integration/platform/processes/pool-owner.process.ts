import { ProcessPool } from '../../../../src/platform/processes/process-pool.js';
import type { Mischief } from './mischief.process.js';

/** A process with a pool of its own, for tests that kill it. Prints its children's ids when they are busy. */
const pool = new ProcessPool<Mischief>({
  module: new URL('./mischief.process.ts', import.meta.url),
  size: 3,
  jobsPerProcess: 100,
  recycleRssBytes: 1e9,
  maxRssBytes: 2e9,
  idleMs: 60_000,
  niceness: 0,
  env: {},
});
const never = { signal: new AbortController().signal, timeoutMs: 600_000 };

void Promise.all([pool.run('pid', [], never), pool.run('pid', [], never), pool.run('pid', [], never)]).then((pids) => {
  pool.run('spin', [], never).catch(() => undefined);
  pool.run('blockInNativeCode', [600], never).catch(() => undefined);
  setTimeout(() => {
    process.stdout.write(`${JSON.stringify(pids)}\n`);
  }, 200);
});
