import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { systemErrorCode } from './system-error.js';

export interface ProcessFacts {
  readonly state: 'running' | 'zombie' | 'gone';
  /** Tells two processes apart that had the same id one after the other. Only for comparing. */
  readonly startedAt?: string;
  /** The command line; undefined when the system does not tell. */
  readonly args?: readonly string[];
}

/** What the system knows of a process id. */
export async function processFacts(pid: number): Promise<ProcessFacts> {
  if (!exists(pid)) return { state: 'gone' };
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

/** True when the process is the one that was seen then, and has not ended. */
export async function isStillRunning(pid: number, startedAt: string | undefined): Promise<boolean> {
  const facts = await processFacts(pid);
  return facts.state === 'running' && (startedAt === undefined || (facts.startedAt ?? startedAt) === startedAt);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

async function fromProc(pid: number): Promise<ProcessFacts> {
  const folder = `/proc/${String(pid)}`;
  const stat = await readFile(`${folder}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return { state: exists(pid) ? 'running' : 'gone' };
  // Fields 3 (state) and 22 (start, in clock ticks since boot) of proc(5); the name before them may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return { state: 'zombie', startedAt: fields[19] };
  const commandLine = await readFile(`${folder}/cmdline`, 'utf8').catch(() => undefined);
  return { state: 'running', startedAt: fields[19], args: commandLine?.split('\0') };
}

async function fromPs(pid: number): Promise<ProcessFacts> {
  const format = ['-o', 'stat=', '-o', 'lstart=', '-o', 'command=', '-p', String(pid)];
  const output = await promisify(execFile)('ps', format, { env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' } }).catch(
    () => undefined,
  );
  const match = /^(\S+)\s+(\w{3}\s+\w{3}\s+\d+\s+[\d:]+\s+\d{4})\s+(.*)$/.exec(output?.stdout.trim() ?? '');
  if (!match) return { state: exists(pid) ? 'running' : 'gone' };
  const [, state = '', startedAt, command = ''] = match;
  return { state: state.startsWith('Z') ? 'zombie' : 'running', startedAt, args: command.split(' ') };
}
