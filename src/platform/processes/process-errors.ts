/** The child that ran a job ended before it answered: a crash, the kernel's out-of-memory killer, an exit of its own. */
export class ProcessDiedError extends Error {
  constructor(
    readonly exitCode: number | null,
    readonly signal: NodeJS.Signals | null,
    /** It had begun with the job; false when it was dead before or never came up. */
    readonly jobBegun: boolean,
    /** The last of what it wrote to stderr; empty when it died silently. */
    readonly lastWords: string,
    options?: ErrorOptions,
  ) {
    super(`The process ended with ${signal ?? `exit code ${String(exitCode)}`} before it answered`, options);
    this.name = 'ProcessDiedError';
  }
}

/** The job did not answer in time; its process has been killed. */
export class ProcessTimeoutError extends Error {
  constructor(readonly timeoutMs: number) {
    super(`The job took longer than ${timeoutMs} ms; its process was killed`);
    this.name = 'ProcessTimeoutError';
  }
}

export class ProcessPoolClosedError extends Error {
  constructor() {
    super('The process pool is closed');
    this.name = 'ProcessPoolClosedError';
  }
}

/** What a job threw in its process. `code` is that of a system error (`ENOENT`), when it was one. */
export class JobError extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
    /** Where it was thrown over there. */
    readonly remoteStack: string | undefined,
  ) {
    super(message);
    this.name = 'JobError';
  }
}
