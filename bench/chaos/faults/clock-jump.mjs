import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const LIBRARY = 'faketime/libfaketimeMT.so.1';
const OFFSETS = ['+3600', '-3600', '+86400', '-7200', '+20', '-20', '+31536000'];

/** The library that lies about the time (Debian: libfaketime), or undefined. */
export function fakeTimeLibrary() {
  if (process.platform !== 'linux') return undefined;
  const folders = readdirSync('/usr/lib', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => join('/usr/lib', name, LIBRARY)).find((path) => existsSync(path));
}

/** What a process needs to believe the file `clock`. Timers go on: they do not ask for the time of day. */
export const fakeTimeEnvironment = (clock) => ({
  LD_PRELOAD: fakeTimeLibrary() ?? '',
  FAKETIME_TIMESTAMP_FILE: clock,
  FAKETIME_CACHE_DURATION: '1',
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  DONT_FAKE_MONOTONIC: '1',
});

/** A worker's clock jumps, forth or back, and after a while to where it was. */
export const clockJump = {
  name: 'clock-jump',
  weight: 3,
  missing: () => (fakeTimeLibrary() ? undefined : 'libfaketime is not installed (Debian: apt-get install libfaketime)'),
  async strike({ member, random }) {
    const workers = member.all;
    const at = Date.now();
    await writeFile(member.clock, OFFSETS[Math.floor(random() * OFFSETS.length)]);
    await sleep(2_000 + random() * 4_000);
    await writeFile(member.clock, '+0');
    return { at, workers };
  },
};
