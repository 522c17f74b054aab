import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'photosafe.js');

/** A PhotoSafe process that is started again whenever it ends, as a service manager would. */
export class Member {
  #child;
  #stopped = false;

  constructor(name, args, env, logFile) {
    Object.assign(this, { name, args, env });
    this.log = createWriteStream(logFile, { flags: 'a' });
    this.#start();
  }

  get pid() {
    return this.#child.pid;
  }

  /** Dies at once; a new one is started at once. */
  kill() {
    this.#child.kill('SIGKILL');
  }

  async stop() {
    this.#stopped = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await Promise.race([ended, sleep(20_000, undefined, { ref: false }).then(() => this.#child.kill('SIGKILL'))]);
  }

  #start() {
    const child = spawn(process.execPath, [PROGRAM, ...this.args], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.pipe(this.log, { end: false });
    child.stderr.pipe(this.log, { end: false });
    child.once('exit', () => {
      if (!this.#stopped) setTimeout(() => this.#stopped || this.#start(), 100);
    });
    this.#child = child;
  }
}

/** Where the embedded server lives: in the data folder, or where that says (a folder closed to the server's user). */
export async function postgresHome(dataDir) {
  const elsewhere = await readFile(join(dataDir, 'postgres-is-at'), 'utf8').catch(() => undefined);
  return elsewhere?.trim() ?? join(dataDir, 'postgres');
}

/** The pid of the embedded server, or undefined while there is none. */
export async function postmasterPid(dataDir) {
  const home = await postgresHome(dataDir);
  const text = await readFile(join(home, 'data', 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n', 1)[0]);
  return pid > 0 ? pid : undefined;
}

/** The API, asked again while the process behind it is being replaced. */
export class Api {
  constructor(url, token) {
    Object.assign(this, { url, token });
  }

  async request(method, path, body, patienceMs = 30_000) {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      try {
        const response = await fetch(`${this.url}/api${path}`, {
          method,
          headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
          body: body && JSON.stringify(body),
          signal: AbortSignal.timeout(5_000),
        });
        if (response.ok) return await response.json();
        if (response.status !== 503)
          throw new Refused(`${method} ${path}: ${response.status} ${await response.text()}`);
      } catch (error) {
        if (error instanceof Refused || Date.now() > deadline) throw error;
      }
      if (Date.now() > deadline) throw new Error(`${method} ${path}: no answer within ${patienceMs} ms`);
      await sleep(100);
    }
  }

  get = (path) => this.request('GET', path);
  post = (path, body) => this.request('POST', path, body);
}

class Refused extends Error {}
