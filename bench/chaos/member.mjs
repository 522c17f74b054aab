import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FaultProxy } from './proxy.mjs';

const PROGRAM = fileURLToPath(new URL('worker.mjs', import.meta.url));
const RESTART_MS = 200;

/** A worker process behind a proxy of its own, started again whenever it ends, as a service manager would. */
export class Member {
  #child;
  #stopped = false;
  /** Whether a fault has it at the moment. */
  busy = false;
  /** pid → the lease that a process of this member has: the worker's, and those of its cells. */
  #workers = new Map();

  static async start(name, { port, env, logFile }) {
    const proxy = await FaultProxy.before(port);
    return new Member(name, { proxy, env: env(proxy.port), logFile });
  }

  constructor(name, { proxy, env, logFile }) {
    Object.assign(this, { name, proxy, env });
    this.log = createWriteStream(logFile, { flags: 'a' });
    this.#start();
  }

  get pid() {
    return this.#child.pid;
  }

  /** The leases of the worker process alone. */
  get own() {
    return [this.#workers.get(this.pid)].filter(Boolean);
  }

  /** Those of its cells as well. */
  get all() {
    return [...this.#workers.values()];
  }

  signal(signal) {
    this.#child.kill(signal);
  }

  async stop() {
    this.#stopped = true;
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(patience);
    }
    await this.proxy.close();
  }

  #start() {
    this.#workers.clear();
    const child = spawn(process.execPath, ['--no-deprecation', PROGRAM], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#read(line));
    }
    child.once('exit', () => {
      if (!this.#stopped) setTimeout(() => this.#stopped || this.#start(), RESTART_MS);
    });
    this.#child = child;
  }

  #read(line) {
    this.log.write(`${line}\n`);
    const [, pid, , workerId] = /"pid":(\d+).*"(workerId)":"([^"]+)".*"msg":"worker started"/.exec(line) ?? [];
    if (workerId !== undefined) this.#workers.set(Number(pid), workerId);
  }
}
