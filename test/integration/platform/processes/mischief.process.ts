import { spawnSync } from 'node:child_process';
import { serveJobs } from '../../../../src/platform/processes/serve-jobs.js';

/** A child that does whatever a decoder might do to its host. */
const mischief = {
  echo: (value: unknown): unknown => value,
  pid: (): number => process.pid,
  environment: (): Record<string, string | undefined> => ({ ...process.env }),
  fail: (message: string, code?: string): never => {
    throw Object.assign(new Error(message), code === undefined ? {} : { code });
  },
  hang: (): Promise<never> => new Promise(() => setInterval(() => undefined, 1_000)),
  spin: (): never => {
    for (;;);
  },
  /** The event loop stands still outside of JavaScript, as it does inside a native decoder. */
  blockInNativeCode: (seconds: number): void => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1_000);
  },
  exit: (code: number): never => process.exit(code),
  die: (signal: NodeJS.Signals): Promise<never> => {
    // Twice: Node's own handler may swallow the first of a synchronous signal sent from outside.
    spawnSync('kill', [`-${signal.slice(3)}`, String(process.pid)]);
    process.kill(process.pid, signal);
    return new Promise(() => setInterval(() => undefined, 1_000));
  },
  exhaustHeap: (): never => {
    for (const hoard: unknown[] = []; ;) hoard.push(new Array(100_000).fill(hoard.length));
  },
  hoard: (megabytes: number): number => {
    hoarded.push(Buffer.alloc(megabytes * 1024 * 1024, 1));
    return process.pid;
  },
};

export type Mischief = typeof mischief;

const hoarded: Buffer[] = [];

serveJobs(mischief);
