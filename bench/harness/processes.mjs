import { readFileSync, readdirSync } from 'node:fs';

/** Linux counts CPU time in ticks of 1/100 s, on every architecture that Node runs on. */
const ticksPerSecond = 100;
const pageBytes = 4096;

function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of a process may hold spaces and parentheses; what follows its last ")" is numbers.
    const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
    return {
      pid,
      name,
      parent: Number(fields[1]),
      ticks: utime + stime,
      reapedTicks: cutime + cstime,
      pages: Number(fields[21]),
    };
  } catch {
    return undefined; // gone meanwhile
  }
}

/** The process and all that descend from it, as they are now, but for processes of this name and what descends from those. */
function treeOf(rootPid, exceptName) {
  const children = new Map();
  const all = new Map();
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? statOf(Number(entry)) : undefined;
    if (stat === undefined || stat.name === exceptName) continue;
    all.set(stat.pid, stat);
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), stat.pid]);
  }
  const tree = [];
  const waiting = [rootPid];
  while (waiting.length > 0) {
    const pid = waiting.pop();
    if (all.has(pid)) tree.push(all.get(pid));
    waiting.push(...(children.get(pid) ?? []));
  }
  return tree;
}

/** CPU seconds of a process, of its descendants, and of those of them that have ended and were waited for. */
export function treeCpuSeconds(rootPid) {
  return treeOf(rootPid).reduce((sum, stat) => sum + stat.ticks + stat.reapedTicks, 0) / ticksPerSecond;
}

/**
 * Resident memory of a process and its descendants; pages that two of them share count twice. A database server among
 * them does not count: every one of its processes shows the shared buffers again, as far as it happened to touch them.
 */
export function treeRssBytes(rootPid) {
  return treeOf(rootPid, 'postgres').reduce((sum, stat) => sum + stat.pages, 0) * pageBytes;
}

/** Seconds in which the machine's cores were busy since it was started, and in which they could have been. */
export function machineCpuSeconds() {
  const [, user, nice, system, idle, iowait, irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .split(/\s+/)
    .map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { busy: busy / ticksPerSecond, total: (busy + idle + iowait) / ticksPerSecond };
}
