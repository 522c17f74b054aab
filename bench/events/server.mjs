import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from '../harness/clean-up.mjs';
import { freePort } from '../harness/free-port.mjs';

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'photosafe.js');

/** The server as it is shipped, in a process of its own. */
export async function startServer(databaseUrl) {
  const token = randomBytes(24).toString('hex');
  const port = await freePort();
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--role', 'api'], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DATABASE_URL: databaseUrl,
      PHOTOSAFE_BOOTSTRAP_TOKEN: token,
      PORT: String(port),
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 2, 2],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  atEnd(stop);
  const request = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
  for (let tries = 0; ; tries += 1) {
    const ready = await request('GET', '/health/ready').catch(() => undefined);
    if (ready) break;
    if (tries > 600 || child.exitCode !== null) throw new Error('the server did not start');
    await sleep(100);
  }
  return { pid: child.pid, port, token, request, stop };
}
