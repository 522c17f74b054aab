import { Worker } from 'node:worker_threads';
import {
  fromArgv,
  JOB_BEGUN,
  type ChildArguments,
  type JobCall,
  type JobMethods,
  type JobReply,
} from './job-protocol.js';

/**
 * How often a child looks whether its parent still lives and how much memory it holds. Longer: an orphan burns a core,
 * and a decompression bomb fills the machine, for that much longer. Shorter: wake-ups of an idle process.
 */
const WATCH_INTERVAL_MS = 200;

/**
 * Runs in a thread of its own, because the main thread may be inside a decoder for minutes. Source text and not a
 * module, so that it starts alike from built and from uncompiled code, in a few milliseconds and 4 MB.
 */
const WATCH = `
const { parentPid, maxRssBytes, intervalMs } = require('node:worker_threads').workerData;
setInterval(() => {
  if (process.ppid !== parentPid || process.memoryUsage.rss() > maxRssBytes) process.kill(process.pid, 'SIGKILL');
}, intervalMs);
`;

/**
 * Makes this process the child of a process pool: it answers one call after the other until its parent goes away.
 * The entry module of a child calls it and does nothing else at load; import what is heavy inside the methods.
 */
export function serveJobs(methods: JobMethods): void {
  // Ctrl-C and a service manager's SIGTERM reach the whole process group: the parent decides what becomes of the job.
  process.on('SIGINT', ignore).on('SIGTERM', ignore).on('SIGHUP', ignore);
  process.on('disconnect', killSelf);
  watch(fromArgv(process.argv.slice(2)));
  process.on('message', (call: JobCall) => void answer(methods, call));
}

async function answer(methods: JobMethods, call: JobCall): Promise<void> {
  process.send?.(JOB_BEGUN);
  const reply = await perform(methods, call).catch(toFailure);
  process.send?.({ ...reply, rssBytes: process.memoryUsage.rss() } satisfies JobReply);
}

async function perform(methods: JobMethods, { method, args }: JobCall): Promise<{ ok: true; result: unknown }> {
  const job = methods[method];
  if (!job) throw new Error(`This process has no method ${method}`);
  // The pool's type parameter checked the arguments against this very method when the call was made.
  return { ok: true, result: await job(...(args as never[])) };
}

function toFailure(error: unknown): {
  ok: false;
  message: string;
  code: string | undefined;
  stack: string | undefined;
} {
  if (!(error instanceof Error)) return { ok: false, message: String(error), code: undefined, stack: undefined };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { ok: false, message: error.message, code, stack: error.stack };
}

function watch({ parentPid, maxRssBytes }: ChildArguments): void {
  new Worker(WATCH, {
    eval: true,
    execArgv: [],
    workerData: { parentPid, maxRssBytes, intervalMs: WATCH_INTERVAL_MS },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2 },
  }).unref();
}

/** At once, whatever native code is doing in other threads: `process.exit` would wait for them. */
function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}

function ignore(): void {
  // A handler that does nothing replaces the signal's default, which is to end the process.
}
