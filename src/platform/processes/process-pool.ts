import { JobProcess, type JobProcessOptions } from './job-process.js';
import type { JobCall, JobMethods } from './job-protocol.js';
import { PlaceQueue } from './place-queue.js';
import { ProcessDiedError, ProcessPoolClosedError, ProcessTimeoutError } from './process-errors.js';

/** Processes that are tried for a job before it counts as impossible to start one. */
const MAX_STARTS = 3;

export interface ProcessPoolOptions extends JobProcessOptions {
  /** How many children run at once. They are started when there is work for them. */
  readonly size: number;
  /** A child is replaced after that many jobs: what native code leaks or fragments does not add up. */
  readonly jobsPerProcess: number;
  /** A child that holds more than this after a job is replaced. Less than `maxRssBytes`, which ends it within a job. */
  readonly recycleRssBytes: number;
  /** An unused child is ended after that long, so that an idle server holds no decoder in memory. */
  readonly idleMs: number;
}

export interface RunOptions {
  /** Kills the job's process when it fires; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** From when the job starts, not from when it was asked for. Rejects with ProcessTimeoutError. */
  readonly timeoutMs: number;
}

/**
 * Child processes for work that may hang, crash or exhaust memory inside native code: each runs one job at a time and
 * can be killed without harm to any other. Jobs wait in order of arrival.
 *
 * Hand-made on `child_process.fork`, because of what the pools on npm do not give for processes: workerpool 10 tells
 * neither exit code nor signal, leaves the queue standing after a crash, fails an innocent job after an idle child's
 * death, and kills by SIGTERM after two time-outs; the others run threads, which native code takes down together.
 */
export class ProcessPool<Methods extends JobMethods> {
  private readonly idle = new Map<JobProcess, NodeJS.Timeout>();
  private readonly running = new Set<Promise<unknown>>();
  private readonly places: PlaceQueue;

  constructor(private readonly options: ProcessPoolOptions) {
    this.places = new PlaceQueue(options.size);
  }

  /**
   * Rejects with JobError (thrown by the method), ProcessDiedError, ProcessTimeoutError, the signal's reason, or
   * ProcessPoolClosedError. By then a killed process is gone.
   */
  async run<Name extends keyof Methods & string>(
    method: Name,
    args: Parameters<Methods[Name]>,
    { signal, timeoutMs }: RunOptions,
  ): Promise<Awaited<ReturnType<Methods[Name]>>> {
    const work = this.perform({ method, args }, { signal, timeoutMs });
    this.running.add(work);
    try {
      // The wire is untyped: the child answers with what the method of this name returned.
      return (await work) as Awaited<ReturnType<Methods[Name]>>;
    } finally {
      this.running.delete(work);
    }
  }

  /** Waits for the running jobs, refuses those that wait, and ends all children. */
  async close(): Promise<void> {
    this.places.close(new ProcessPoolClosedError());
    await Promise.allSettled(this.running);
    await Promise.all([...this.idle.keys()].map((child) => this.retire(child)));
  }

  private async perform(call: JobCall, options: RunOptions): Promise<unknown> {
    await this.places.take(options.signal);
    try {
      for (let start = 1; ; start++) {
        options.signal.throwIfAborted();
        const child = this.takeIdle() ?? new JobProcess(this.options);
        try {
          return await runOrKill(child, call, options).finally(() => this.giveBack(child));
        } catch (error) {
          // An idle process's death is no fault of the job that comes next.
          if (!(error instanceof ProcessDiedError) || error.jobBegun || start === MAX_STARTS) throw error;
        }
      }
    } finally {
      this.places.leave();
    }
  }

  private takeIdle(): JobProcess | undefined {
    for (const [child, timer] of this.idle) {
      clearTimeout(timer);
      this.idle.delete(child);
      if (child.usable) return child;
    }
    return undefined;
  }

  private async giveBack(child: JobProcess): Promise<void> {
    if (!child.usable) return;
    const worn = child.jobs >= this.options.jobsPerProcess || child.rssBytes > this.options.recycleRssBytes;
    if (worn) await child.kill();
    else this.idle.set(child, setTimeout(() => void this.retire(child), this.options.idleMs).unref());
  }

  private retire(child: JobProcess): Promise<void> {
    clearTimeout(this.idle.get(child));
    this.idle.delete(child);
    return child.kill();
  }
}

/** `signal` has not fired yet. Rejects only when a killed process is gone: its memory and its files are free by then. */
function runOrKill(child: JobProcess, call: JobCall, { signal, timeoutMs }: RunOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cleanUp = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const stop = (reason: Error): void => {
      stopped = true;
      cleanUp();
      void child.kill().then(() => {
        reject(reason);
      });
    };
    const onAbort = (): void => {
      stop(signal.reason as Error);
    };
    let stopped = false;
    const timer = setTimeout(() => {
      stop(new ProcessTimeoutError(timeoutMs));
    }, timeoutMs);
    signal.addEventListener('abort', onAbort);
    const outcome = child.run(call).finally(cleanUp);
    const pass = (): void => {
      // The death of a stopped process is not the news: the reason for stopping it is.
      if (!stopped) resolve(outcome);
    };
    outcome.then(pass, pass);
  });
}
