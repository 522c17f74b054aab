import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { waitFor, type WaitOptions } from './wait-for.js';

export const PROJECT_ROOT = resolve(import.meta.dirname, '..', '..');

/** A child process whose output lines a test can wait for. */
export class Child {
  readonly lines: string[] = [];
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(readonly process: ChildProcess) {
    for (const stream of [process.stdout, process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
    }
    this.ended = once(process, 'close').then(([code, signal]: unknown[]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }));
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** The first line, from line number `from` on, that matches. Fails at once when the child ends without it. */
  async line(pattern: RegExp, options: WaitOptions & { from?: number } = {}): Promise<string> {
    const find = (): string | undefined => this.lines.slice(options.from ?? 0).find((line) => pattern.test(line));
    const gone = this.ended.then(() => {
      const line = find();
      if (line === undefined)
        throw new Error(`The process ended without a line ${String(pattern)}:\n${this.lines.join('\n')}`);
      return line;
    });
    const found = await Promise.race([waitFor(`a line ${String(pattern)}`, find, options), gone]).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\nIts output was:\n${this.lines.join('\n')}`, { cause: error });
      },
    );
    gone.catch(() => undefined);
    return found;
  }

  say(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  /** Ends it (nothing happens when it has ended) and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.process.kill(signal);
    await this.ended;
  }
}

/** Runs one of the project's JavaScript files in a process of its own. */
export const runNode = (file: string, args: readonly string[]): Child =>
  new Child(spawn(process.execPath, [file, ...args], { cwd: PROJECT_ROOT, stdio: 'pipe' }));

/** Runs one of the project's TypeScript files in a process of its own. */
export function runTypeScript(file: string, args: readonly string[], options: SpawnOptions = {}): Child {
  const command = [
    '--no-warnings',
    '--import',
    '@swc-node/register/esm-register',
    resolve(PROJECT_ROOT, file),
    ...args,
  ];
  return new Child(spawn(process.execPath, command, { cwd: PROJECT_ROOT, stdio: 'pipe', ...options }));
}
