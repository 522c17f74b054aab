/** An error whose message is meant for the person at the terminal, with what to do next and the exit code it ends in. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly options: { readonly exitCode?: number; readonly advice?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'CliError';
  }

  get exitCode(): number {
    return this.options.exitCode ?? 1;
  }
}

/** The command line itself is wrong. */
export class UsageError extends CliError {
  constructor(message: string, advice?: string) {
    super(message, { exitCode: 2, advice });
  }
}

/** Ctrl-C: what was begun can go on later. */
export class InterruptedError extends CliError {
  constructor(advice?: string) {
    super('interrupted', { exitCode: 130, advice });
  }
}
