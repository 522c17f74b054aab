import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Logger } from '@nestjs/common';
import { atEnd } from '../harness/clean-up.mjs';
import { freePort } from '../harness/free-port.mjs';
import { binaries, query, serverOwner } from '../harness/postgres.mjs';
import { product } from '../harness/product.mjs';

const DISK_BYTES = 320 * 2 ** 20;
const SETTINGS = { shared_buffers: '64MB', min_wal_size: '32MB', max_wal_size: '64MB', max_connections: '200' };
const USER = 'chaos';
const PASSWORD = 'chaos';

/**
 * A PostgreSQL that is started again whenever it ends, as a service manager would; on a small disk of its own where that can
 * be had (Linux, as root), so that this can be filled.
 */
export class Server {
  #child;
  #stopped = false;

  static async start() {
    const { initdb, postgres } = await binaries();
    const owner = await serverOwner();
    const folder = await mkdtemp(join(tmpdir(), 'photosafe-chaos-pg-'));
    const disk = join(folder, 'disk');
    await mkdir(disk);
    const small = mountSmallDisk(disk);
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, PASSWORD);
    await chmod(folder, 0o755);
    if (owner) for (const path of [disk, passwordFile]) await chown(path, owner.uid, owner.gid);
    const run = { ...owner, cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC' } };
    const data = join(disk, 'data');
    const flags = ['-U', USER, '--pwfile', passwordFile, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8'];
    await promisify(execFile)(initdb, ['-D', data, ...flags, '--set', 'scram_iterations=1', '--no-sync'], run);
    const port = await freePort();
    const options = Object.entries({ ...SETTINGS, listen_addresses: '127.0.0.1', port, unix_socket_directories: '' });
    const args = ['-D', data, ...options.flatMap(([key, value]) => ['-c', `${key}=${value}`])];
    const server = new Server({
      folder,
      disk: small ? disk : undefined,
      port,
      launch: () => spawn(postgres, args, { ...run, stdio: 'ignore' }),
    });
    await server.ready();
    return server;
  }

  constructor(parts) {
    Object.assign(this, parts);
    this.#start();
  }

  /** A database with the product's schema in it. */
  static async startMigrated() {
    const server = await Server.start();
    atEnd(() => server.stop());
    Logger.overrideLogger(['warn', 'error', 'fatal']);
    const { migrate } = await product('platform/database/migrate');
    await migrate(server.url());
    return server;
  }

  /** By way of this port, which may be a proxy's. */
  url(port = this.port) {
    return `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/postgres`;
  }

  signal(signal) {
    this.#child.kill(signal);
  }

  /** Until it answers, however long it takes to recover. */
  async ready() {
    for (const deadline = Date.now() + 120_000; ; await sleep(100)) {
      if (await query(this.url(), 'SELECT 1').catch(() => undefined)) return;
      if (Date.now() > deadline) throw new Error('PostgreSQL did not come back');
    }
  }

  /** Leaves not a byte. */
  async fillDisk() {
    const { bavail, bsize } = await statfs(this.disk);
    const file = join(this.disk, 'filler');
    for (let megabytes = Math.ceil((bavail * bsize) / 2 ** 20); megabytes > 0; megabytes -= 1) {
      const filled = await writeFile(file, Buffer.alloc(2 ** 20), { flag: 'a' }).then(
        () => true,
        () => false,
      );
      if (!filled) return;
    }
  }

  freeDisk() {
    return rm(join(this.disk, 'filler'), { force: true });
  }

  async stop() {
    this.#stopped = true;
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGQUIT');
      await once(this.#child, 'exit');
    }
    if (this.disk) execFileSync('umount', ['--lazy', this.disk]);
    await rm(this.folder, { recursive: true, force: true });
  }

  #start() {
    const child = (this.#child = this.launch());
    child.once('exit', () => {
      if (!this.#stopped) setTimeout(() => this.#stopped || this.#start(), 300);
    });
  }
}

function mountSmallDisk(path) {
  if (process.platform !== 'linux' || process.getuid() !== 0) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=755`, 'photosafe-chaos', path]);
    return true;
  } catch {
    return false; // a container without the right to
  }
}
