import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from '../../errors/app-error.js';
import { systemErrorCode } from './system-error.js';
import { isStillRunning, processFacts } from './process-facts.js';

/** A lock file without content is one that its maker is about to write, or was killed before writing. */
const UNWRITTEN_MS = 5_000;

/**
 * One process at a time makes, repairs or starts the cluster. The lock file says who holds it, so that a killed holder's
 * lock is taken over at once. It saves work and keeps messages clear; what must never happen (two servers on one
 * folder, a half-made cluster) PostgreSQL's own lock and an atomic rename rule out as well.
 */
export async function withHomeLock<T>(path: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  while (!(await tryTake(path))) {
    if (Date.now() > deadline)
      throw unavailable('embedded_postgres_busy', `Another process holds ${path} for too long`);
    if (await isAbandoned(path)) await discard(path);
    else await sleep(20 + Math.random() * 30);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function tryTake(path: string): Promise<boolean> {
  const { startedAt } = await processFacts(process.pid);
  try {
    await writeFile(path, JSON.stringify({ pid: process.pid, startedAt }), { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  const holder = parseHolder(text);
  if (holder) return !(await isStillRunning(holder.pid, holder.startedAt));
  const facts = await stat(path).catch(() => undefined);
  return facts !== undefined && Date.now() - facts.mtimeMs > UNWRITTEN_MS;
}

/** Renames before deleting and looks again: between looking and renaming somebody else may have taken the lock over. */
async function discard(path: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  if (await isAbandoned(aside)) await rm(aside, { force: true });
  else await rename(aside, path);
}

function parseHolder(text: string): { pid: number; startedAt?: string } | undefined {
  try {
    const { pid, startedAt } = JSON.parse(text) as { pid?: unknown; startedAt?: unknown };
    if (typeof pid !== 'number') return undefined;
    return { pid, ...(typeof startedAt === 'string' ? { startedAt } : {}) };
  } catch {
    return undefined;
  }
}
