import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from './clean-up.mjs';
import { freePort } from './free-port.mjs';

const program = '/usr/bin/redis-server';

/** Why there is no Redis here, or undefined. */
export function redisMissing() {
  return existsSync(program) ? undefined : `${program} is not installed (Debian: apt-get install redis-server)`;
}

/**
 * A Redis of one's own with an empty keyspace. AOF with `everysec` is what its users run for durability: after a crash
 * of the machine up to a second of acknowledged jobs is gone, which none of the PostgreSQL contenders may lose.
 */
export async function startRedis() {
  const folder = await mkdtemp(join(tmpdir(), 'photosafe-bench-redis-'));
  const port = await freePort();
  const password = randomBytes(18).toString('base64url');
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    requirepass: password,
    appendonly: 'yes',
    appendfsync: 'everysec',
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const server = spawn(program, [...flags, '--save', ''], { stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const stop = async () => {
    server.kill('SIGKILL'); // nothing of it is wanted any more
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  atEnd(stop);
  for (const deadline = Date.now() + 10_000; !(await answers(port)); await sleep(20)) {
    if (Date.now() > deadline) throw new Error('Redis did not start');
  }
  return { pid: server.pid, connection: { host: '127.0.0.1', port, password }, stop };
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
