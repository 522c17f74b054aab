import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from '../../errors/app-error.js';
import { ignore } from './system-error.js';
import { processFacts } from './process-facts.js';

/** What postmaster.pid says; one value a line. See "postmaster.pid" in PostgreSQL's src/include/utils/pidfile.h. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketDir: string;
  readonly ready: boolean;
}

/** No process has this id on any system: it is above every limit. */
const NOBODYS_PID = '2147483647';

export async function readPostmaster(clusterDir: string): Promise<Postmaster | undefined> {
  const text = await readFile(pidFile(clusterDir), 'utf8').catch(ignore('ENOENT'));
  const [pid, , , port, socketDir, , , status] = text?.split('\n') ?? [];
  if (!Number(pid)) return undefined;
  return { pid: Number(pid), port: Number(port), socketDir: socketDir ?? '', ready: status?.trim() === 'ready' };
}

/**
 * The server of this cluster, or undefined when none runs. After a crash or in a restarted container the number in
 * postmaster.pid can be that of something else by now.
 */
export async function runningPostmaster(clusterDir: string): Promise<Postmaster | undefined> {
  const postmaster = await readPostmaster(clusterDir);
  if (!postmaster) return undefined;
  return (await isPostmasterOf(postmaster.pid, clusterDir)) ? postmaster : undefined;
}

/**
 * Lets a server start although postmaster.pid names a living process that is not it (a stranger of the same user, or a
 * zombie that nobody collects): PostgreSQL would refuse for ever. Only the number is made harmless; the shared memory
 * block that the file names stays, so PostgreSQL still sees whether processes of the old server are about.
 * Call it under the home's lock only.
 */
export async function disownPidFile(clusterDir: string): Promise<void> {
  const postmaster = await readPostmaster(clusterDir);
  if (!postmaster || String(postmaster.pid) === NOBODYS_PID) return;
  if (await isPostmasterOf(postmaster.pid, clusterDir)) return;
  const text = await readFile(pidFile(clusterDir), 'utf8');
  await writeFile(pidFile(clusterDir), text.replace(/^-?\d+/, NOBODYS_PID));
}

/**
 * Stops the server and waits until it is gone. `fast` ends sessions and writes everything out; `immediate` is a crash
 * that the next start recovers from.
 */
export async function stopPostmaster(
  clusterDir: string,
  mode: 'fast' | 'immediate',
  timeoutMs = 60_000,
): Promise<void> {
  const postmaster = await runningPostmaster(clusterDir);
  if (!postmaster) return;
  signal(postmaster.pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  const deadline = Date.now() + timeoutMs;
  while ((await runningPostmaster(clusterDir))?.pid === postmaster.pid) {
    if (Date.now() > deadline)
      throw unavailable('embedded_postgres_stuck', `PostgreSQL in ${clusterDir} does not stop`);
    await sleep(10);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    ignore('ESRCH')(error);
  }
}

/** Folders are compared by identity: the server may have been started under another name of the same folder. */
async function isPostmasterOf(pid: number, clusterDir: string): Promise<boolean> {
  const { state, args } = await processFacts(pid);
  if (state !== 'running') return false;
  if (args === undefined) return true;
  if (basename(args[0] ?? '') !== 'postgres') return false;
  const theirs = await stat(args[args.indexOf('-D') + 1] ?? '').catch(() => undefined);
  const ours = await stat(clusterDir);
  return theirs?.ino === ours.ino && theirs.dev === ours.dev;
}

const pidFile = (clusterDir: string): string => join(clusterDir, 'postmaster.pid');
