import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment } from '../../config/load-settings.js';
import { invalid } from '../../errors/app-error.js';

/** Whom the server runs as when PhotoSafe runs as root: PostgreSQL itself refuses to be root. */
export interface ServerOwner {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Undefined for an ordinary user, who runs the server himself. For root: the owner of the cluster that is there, else
 * the user `postgres`, else `nobody`.
 */
export async function serverOwner(clusterDir: string): Promise<ServerOwner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const cluster = await stat(clusterDir).catch(() => undefined);
  if (cluster && cluster.uid !== 0) {
    const name = users.find((fields) => Number(fields[2]) === cluster.uid)?.[0] ?? String(cluster.uid);
    return { name, uid: cluster.uid, gid: cluster.gid };
  }
  const entry = ['postgres', 'nobody'].map((name) => users.find((fields) => fields[0] === name)).find(Boolean);
  if (!entry) {
    throw invalid(
      'embedded_postgres_no_user',
      'PostgreSQL does not run as root, and this machine has neither a user "postgres" nor "nobody". ' +
        'Run PhotoSafe as an ordinary user, or set DATABASE_URL.',
    );
  }
  return { name: entry[0] ?? '', uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** Asks the system itself, which knows of ACLs and the like; `path` must exist. */
export async function canEnter(owner: ServerOwner, path: string): Promise<boolean> {
  const asOwner = { uid: owner.uid, gid: owner.gid, cwd: '/', env: childEnvironment() };
  return promisify(execFile)('/bin/sh', ['-c', 'test -x "$0"', path], asOwner).then(
    () => true,
    () => false,
  );
}

/** The outermost folder on the way to `path` that the owner cannot enter. */
export async function closedFolder(owner: ServerOwner, path: string): Promise<string | undefined> {
  const chain: string[] = [];
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) chain.unshift(folder);
  for (const folder of chain) if (!(await canEnter(owner, folder))) return folder;
  return undefined;
}
