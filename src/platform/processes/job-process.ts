import { fork, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { JOB_BEGUN, toArgv, type JobCall, type JobReply } from './job-protocol.js';
import { JobError, ProcessDiedError } from './process-errors.js';

/** Enough for a V8 or libc message of death. */
const LAST_WORDS_CHARACTERS = 2_000;

/**
 * How long a killed child is waited for. A process in uninterruptible sleep (a dead network disk) survives SIGKILL for
 * as long as the kernel likes; whoever asked for the kill must not.
 */
const KILL_WAIT_MS = 1_000;

export interface JobProcessOptions {
  /** The module that calls `serveJobs`: built JavaScript, or TypeScript where tests run uncompiled. */
  readonly module: URL;
  /** Above this the child is killed in the middle of its job, which fails with ProcessDiedError (SIGKILL). */
  readonly maxRssBytes: number;
  /** 0–19, higher yields more to other processes. */
  readonly niceness: number;
  /** The child's whole environment: nothing is inherited, so that no secret is in reach of a decoder. */
  readonly env: Readonly<Record<string, string>>;
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly cause?: Error;
}

/** One child process, which does one job at a time. It does not keep its parent alive while it has none. */
export class JobProcess {
  /** Calls it has been given, and its resident memory after the last one. */
  jobs = 0;
  rssBytes = 0;
  /** Resolves when the process is gone, also when it never started. */
  readonly ended: Promise<void>;

  private readonly child: ChildProcess;
  private exit: Exit | undefined;
  private condemned = false;
  private jobBegun = false;
  private lastWords = '';
  private pending: { resolve: (result: unknown) => void; reject: (error: Error) => void } | undefined;

  constructor(options: JobProcessOptions) {
    this.child = fork(
      fileURLToPath(options.module),
      toArgv({ parentPid: process.pid, maxRssBytes: options.maxRssBytes }),
      {
        serialization: 'advanced',
        execArgv: options.module.pathname.endsWith('.ts') ? ['--import', '@swc-node/register/esm-register'] : [],
        env: { ...options.env },
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    );
    this.ended = new Promise((resolve) => {
      // Not `exit`: that comes before the last words have been read.
      this.child.once('close', (code, signal) => {
        this.end({ code, signal });
        resolve();
      });
      // Either it could not be started, or a message could not be sent: useless in both cases.
      this.child.on('error', (cause) => {
        this.end({ code: null, signal: null, cause });
        resolve();
      });
    });
    this.child.on('message', (message: JobReply | typeof JOB_BEGUN) => {
      if (message === JOB_BEGUN) this.jobBegun = true;
      else this.settle(message);
    });
    this.child.once('exit', () => {
      this.condemned = true;
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.lastWords = (this.lastWords + chunk.toString()).slice(-LAST_WORDS_CHARACTERS);
    });
    this.lower(options.niceness);
    this.keepParentAlive(false);
  }

  /** Can be given a job. */
  get usable(): boolean {
    return this.exit === undefined && !this.condemned;
  }

  /** Rejects with JobError for what the method threw and with ProcessDiedError when the process ended first. */
  run(call: JobCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.exit) {
        reject(this.death(this.exit));
        return;
      }
      this.jobs += 1;
      this.jobBegun = false;
      this.pending = { resolve, reject };
      this.keepParentAlive(true);
      this.child.send(call);
    });
  }

  /** Ends it, whatever it is doing. Resolves when it is gone (at most KILL_WAIT_MS later). */
  async kill(): Promise<void> {
    this.condemned = true;
    this.child.kill('SIGKILL');
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, KILL_WAIT_MS)));
    await Promise.race([this.ended, patience]);
    clearTimeout(timer);
  }

  private settle(reply: JobReply): void {
    const pending = this.pending;
    this.pending = undefined;
    this.rssBytes = reply.rssBytes;
    this.keepParentAlive(false);
    if (reply.ok) pending?.resolve(reply.result);
    else pending?.reject(new JobError(reply.message, reply.code, reply.stack));
  }

  private end(exit: Exit): void {
    this.exit ??= exit;
    this.pending?.reject(this.death(this.exit));
    this.pending = undefined;
    if (exit.cause) this.child.kill('SIGKILL');
  }

  private death({ code, signal, cause }: Exit): ProcessDiedError {
    return new ProcessDiedError(code, signal, this.jobBegun, this.lastWords.trim(), cause && { cause });
  }

  private keepParentAlive(keep: boolean): void {
    const stderr = this.child.stderr instanceof Socket ? this.child.stderr : undefined;
    for (const handle of [this.child, this.child.channel, stderr]) {
      if (keep) handle?.ref();
      else handle?.unref();
    }
  }

  /** Before the child has threads: on Linux priority belongs to a thread and is inherited by those it starts. */
  private lower(niceness: number): void {
    if (this.child.pid === undefined || niceness === constants.priority.PRIORITY_NORMAL) return;
    try {
      setPriority(this.child.pid, niceness);
    } catch {
      // Only a courtesy to other processes; a system that refuses it runs the job all the same.
    }
  }
}
