import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { waitFor } from './wait-for.js';

/** Where redis-server is, or undefined. */
const redisProgram = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'redis-server'))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** `describe`, or what says that it was skipped and why. */
export const describeWithRedis = (name: string, tests: () => void): void => {
  if (redisProgram) describe(name, tests);
  else describe.skip(`${name} (skipped: redis-server is not installed)`, tests);
};

export const REDIS_PASSWORD = 'p:ss w@rd/0';

/** A Redis of the test's own, on the same port through all its lives. It keeps nothing: each life begins empty. */
export class RedisServer {
  private process: ChildProcess | undefined;

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'photosafe-redis-')));
    await server.start();
    return server;
  }

  private constructor(
    private readonly port: number,
    private readonly folder: string,
  ) {}

  get url(): string {
    return this.urlWith(REDIS_PASSWORD);
  }

  urlWith(password: string): string {
    return `redis://:${encodeURIComponent(password)}@127.0.0.1:${String(this.port)}/1`;
  }

  async start(): Promise<void> {
    const settings = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.folder,
      requirepass: REDIS_PASSWORD,
      appendonly: 'no',
    };
    const flags = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
    this.process = spawn(redisProgram ?? '', [...flags, '--save', ''], { stdio: 'ignore' });
    await waitFor('Redis to answer', () => this.ask((client) => client.ping()));
  }

  /** Nothing happens when it has ended. */
  async kill(): Promise<void> {
    const { process } = this;
    this.process = undefined;
    if (!process) return;
    const gone = once(process, 'exit');
    process.kill('SIGCONT');
    process.kill('SIGKILL');
    await gone;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.process?.kill(signal);
  }

  /** Asks on a connection of its own. */
  async ask<T>(question: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await question(client);
    } finally {
      client.disconnect();
    }
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
