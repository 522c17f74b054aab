import os from 'node:os';
import { machineCpuSeconds, treeCpuSeconds } from './processes.mjs';

export function describeMachine() {
  const [cpu] = os.cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    node: process.version,
  };
}

/**
 * How much of the machine others used meanwhile. Above some 15 % the figures of a run are not to be compared with
 * those of another run; within one run the contenders still had the same neighbours, on the whole.
 */
export function watchLoad() {
  const before = { machine: machineCpuSeconds(), own: treeCpuSeconds(process.pid) };
  return {
    othersPercent() {
      const machine = machineCpuSeconds();
      const own = treeCpuSeconds(process.pid) - before.own;
      const others = machine.busy - before.machine.busy - own;
      return Math.max(0, Math.round((100 * others) / (machine.total - before.machine.total)));
    },
  };
}
