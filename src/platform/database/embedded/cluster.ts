import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { childEnvironment } from '../../config/load-settings.js';
import { conflict, invalid, unavailable } from '../../errors/app-error.js';
import type { Binaries } from './binaries.js';
import type { Home } from './location.js';
import { ignore, systemErrorCode } from './system-error.js';
import { disownPidFile, runningPostmaster } from './postmaster.js';

export const SUPERUSER = 'photosafe';

/** A server that is not ready after this long is not going to be; recovery of a big crash may take most of it. */
const START_TIMEOUT_MS = 120_000;

/** Beyond this the log is put aside at the next start; the one before it is deleted. */
const LOG_LIMIT_BYTES = 10_000_000;

/** The longest path of a socket that every system takes is 103 bytes; the socket's own name needs 17 of them. */
const SOCKET_DIR_BYTES = 85;

/** The embedded server's own settings; see "Server Configuration" in PostgreSQL's manual. */
const SERVER_SETTINGS = {
  listen_addresses: '', // never reachable from off the machine
  unix_socket_permissions: '0700',
  max_connections: '300',
  shared_buffers: '128MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  jit: 'off', // compiling costs more than our statements take
  autovacuum_naptime: '15s', // queue tables age quickly
  shared_preload_libraries: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %a ',
  log_checkpoints: 'off',
  log_min_messages: 'warning',
};

/** An empty cluster with the programs beside it and the first segments of its log. Smaller fails half-way, again and again. */
const ROOM_BYTES = 150_000_000;

/** The files of one embedded server: making them, and starting a server on them. Call under the home's lock. */
export class Cluster {
  readonly dir: string;
  private readonly logFile: string;

  constructor(
    private readonly home: Home,
    private readonly extraSettings: Readonly<Record<string, string>> = {},
  ) {
    this.dir = join(home.path, 'data');
    this.logFile = join(home.path, 'server.log');
  }

  /** The superuser's random password. Throws `embedded_postgres_other_user` when it is not ours to read. */
  async password(): Promise<string> {
    return (await this.readOwn('password')) ?? '';
  }

  /**
   * Where there is no cluster yet, nobody waits until a full disk has room for one; one that exists is waited for. Throws
   * `data_dir_unusable`.
   */
  async requireRoom(bytes = ROOM_BYTES): Promise<void> {
    if ((await this.majorVersion()) !== undefined) return;
    const { blocks, bavail, bsize } = await statfs(this.home.path);
    const tellsNothing = blocks === 0; // ramfs, tmpfs without a limit, some networks
    if (tellsNothing || bavail * bsize >= bytes) return;
    const inMb = (size: number): string => `${String(Math.floor(size / 1_000_000))} MB`;
    throw invalid(
      'data_dir_unusable',
      `A new database needs ${inMb(bytes)} in ${this.home.path}, which has ${inMb(bavail * bsize)}; make room or set PHOTOSAFE_DATA_DIR`,
    );
  }

  /**
   * Makes the cluster in a folder of its own and renames it into place when it is complete, so that a killed start
   * leaves nothing half-made behind.
   */
  async initialise(binaries: Binaries): Promise<void> {
    await this.sweep();
    const major = await this.majorVersion();
    if (major !== undefined) {
      this.requireVersion(major, binaries);
      return;
    }
    const passwordFile = join(this.home.path, 'password');
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), { flag: 'wx', mode: 0o600 }).catch(
      ignore('EEXIST'),
    );
    const fresh = `${this.dir}.new-${randomBytes(6).toString('hex')}`;
    await mkdir(fresh, { mode: 0o700 });
    await writeFile(`${fresh}.pw`, await this.password(), { mode: 0o600 });
    await this.handOver(fresh, `${fresh}.pw`);
    try {
      await this.runInitdb(binaries, fresh);
      await rename(fresh, this.dir);
    } finally {
      await Promise.all([rm(`${fresh}.pw`, { force: true }), rm(fresh, { recursive: true, force: true })]);
    }
  }

  /** Starts the server and waits until it takes connections. It outlives this process. */
  async start(binaries: Binaries): Promise<void> {
    await disownPidFile(this.dir);
    const socketDir = await this.makeSocketDir();
    const log = await this.openLog();
    const { size } = await log.stat();
    const settings = { ...SERVER_SETTINGS, unix_socket_directories: socketDir, ...this.extraSettings };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    try {
      // A session of its own: neither Ctrl-C in our terminal nor our death reaches it.
      const child = spawn(binaries.postgres, ['-D', this.dir, ...flags], {
        ...this.identity(),
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      });
      child.unref();
      const ended = new Promise<string>((resolve) => {
        child.once('error', (error) => {
          resolve(error.message);
        });
        child.once('exit', (code, signal) => {
          resolve(`it ended with ${signal ?? `code ${String(code)}`}`);
        });
      });
      await this.untilReady(ended, size);
    } finally {
      await log.close();
    }
  }

  private async untilReady(ended: Promise<string>, logFrom: number): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    const watch: { end?: string } = {};
    void ended.then((end) => (watch.end = end));
    while (!(await runningPostmaster(this.dir))?.ready) {
      if (watch.end !== undefined) throw await this.startFailed(watch.end, logFrom);
      if (Date.now() > deadline) throw await this.startFailed('it is not ready after two minutes', logFrom);
      await sleep(15);
    }
  }

  /** Tells what the server has logged since byte `logFrom`. */
  private async startFailed(reason: string, logFrom: number): Promise<Error> {
    const log = (await readFile(this.logFile)).subarray(logFrom).toString().trim();
    const lines = log.split('\n').map((line) => line.replace(/^.*?\[\d+\]\s+/, ''));
    return unavailable(
      'embedded_postgres_failed',
      `The embedded PostgreSQL did not start (${reason}): ${lines.slice(-6).join(' | ')}. Its log is ${this.logFile}`,
    );
  }

  private async runInitdb(binaries: Binaries, folder: string): Promise<void> {
    const options = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8', '--no-instructions'];
    try {
      const args = ['-D', folder, '-U', SUPERUSER, '--pwfile', `${folder}.pw`, ...options];
      await promisify(execFile)(binaries.initdb, args, this.identity());
    } catch (cause) {
      const { stderr, message } = cause as { stderr?: string; message: string };
      const reason = stderr?.trim() ? stderr.trim() : message;
      throw unavailable('embedded_postgres_failed', `The embedded PostgreSQL could not be made: ${reason}`, { cause });
    }
  }

  /** Deep homes have their socket in /tmp (never $TMPDIR, which may differ between the processes that share it). */
  private async makeSocketDir(): Promise<string> {
    const wanted = join(this.home.path, 'run');
    const short = `/tmp/photosafe-${createHash('sha256').update(this.home.path).digest('hex').slice(0, 24)}`;
    const dir = Buffer.byteLength(wanted) <= SOCKET_DIR_BYTES ? wanted : short;
    await mkdir(dir, { mode: 0o700 }).catch(ignore('EEXIST'));
    const facts = await lstat(dir);
    const expected = [process.getuid?.(), this.home.owner?.uid];
    if (!facts.isDirectory() || !expected.includes(facts.uid)) {
      throw conflict('embedded_postgres_socket', `${dir} is in the way: it is not a folder of ours. Remove it.`);
    }
    await this.handOver(dir);
    await chmod(dir, 0o700);
    return dir;
  }

  private async openLog(): Promise<Awaited<ReturnType<typeof open>>> {
    const size = (await stat(this.logFile).catch(() => undefined))?.size ?? 0;
    if (size > LOG_LIMIT_BYTES) await rename(this.logFile, `${this.logFile}.1`);
    const log = await open(this.logFile, 'a', 0o600);
    await this.handOver(this.logFile);
    return log;
  }

  private async majorVersion(): Promise<string | undefined> {
    return this.readOwn('data/PG_VERSION');
  }

  /** Undefined when there is no such file in the home. */
  private async readOwn(name: string): Promise<string | undefined> {
    try {
      return (await readFile(join(this.home.path, name), 'utf8')).trim();
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      if (systemErrorCode(error) !== 'EACCES') throw error;
      throw conflict(
        'embedded_postgres_other_user',
        `The database in ${this.home.path} belongs to another user; run PhotoSafe as that user, or set PHOTOSAFE_DATA_DIR`,
        { cause: error },
      );
    }
  }

  private requireVersion(major: string, binaries: Binaries): void {
    if (major === binaries.major) return;
    throw conflict(
      'embedded_postgres_version',
      `The database in ${this.dir} was made by PostgreSQL ${major}, but PostgreSQL ${binaries.major} is installed`,
    );
  }

  /** Clears away what killed first starts have left; what an initdb is still writing to stays for the next time. */
  private async sweep(): Promise<void> {
    const left = (await readdir(this.home.path)).filter((name) => name.startsWith('data.new-'));
    await Promise.allSettled(left.map((name) => rm(join(this.home.path, name), { recursive: true, force: true })));
  }

  private async handOver(...paths: string[]): Promise<void> {
    const { owner } = this.home;
    if (owner) await Promise.all(paths.map((path) => chown(path, owner.uid, owner.gid)));
  }

  private identity(): { uid?: number; gid?: number; cwd: string; env: Record<string, string> } {
    const { owner } = this.home;
    const env = { ...childEnvironment(), LC_ALL: 'C.UTF-8', TZ: 'UTC' };
    return { ...(owner && { uid: owner.uid, gid: owner.gid }), cwd: '/', env };
  }
}
