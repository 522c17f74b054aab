import { setTimeout as sleep } from 'node:timers/promises';

/** No room is left for the database: it refuses, or ends when it is the log that finds none. Then there is room again. */
export const fullDisk = {
  name: 'full-disk',
  weight: 2,
  everybody: true,
  missing: ({ server }) => (server.disk ? undefined : 'only root on Linux can give the database a small disk'),
  async strike({ server, random }) {
    await server.fillDisk();
    await sleep(1_000 + random() * 3_000);
    const at = Date.now(); // before that nobody could have recovered
    await server.freeDisk();
    await server.ready();
    return { at };
  },
};
