import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { withHomeLock } from '../../../src/platform/database/embedded/home-lock.js';
import { processFacts } from '../../../src/platform/database/embedded/process-facts.js';

describe('the lock of an embedded server’s home', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'photosafe-lock-'));
    path = join(folder, 'lock');
  });

  afterEach(async () => {
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });

  it('lets one in at a time, and goes away also when the work fails', async () => {
    let inside = 0;
    const order: number[] = [];
    const work = (turn: number) => async (): Promise<void> => {
      inside += 1;
      expect(inside).toBe(1);
      await setImmediate();
      inside -= 1;
      order.push(turn);
      if (turn === 2) throw new Error('fails');
    };
    const results = await Promise.allSettled([1, 2, 3, 4].map((turn) => withHomeLock(path, 5_000, work(turn))));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(order.sort()).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ['a dead process', JSON.stringify({ pid: 2_147_483_646, startedAt: '1' })],
    ['a process whose number has been given to another one', JSON.stringify({ pid: process.pid, startedAt: '1' })],
  ])('is taken over from %s', async (_name, content) => {
    await writeFile(path, content);
    let inside = 0;
    const enter = (): Promise<void> =>
      withHomeLock(path, 5_000, async () => {
        inside += 1;
        expect(inside).toBe(1);
        await setImmediate();
        inside -= 1;
      });
    await Promise.all([enter(), enter(), enter()]);
  });

  it('is taken over when its holder was killed before it could write its name', async () => {
    await writeFile(path, '');
    const minuteAgo = Date.now() / 1_000 - 60;
    await utimes(path, minuteAgo, minuteAgo);
    expect(await withHomeLock(path, 5_000, () => Promise.resolve('inside'))).toBe('inside');
  });

  it('is not taken from a living holder, whose name the message tells', async () => {
    const { startedAt } = await processFacts(process.pid);
    await writeFile(path, JSON.stringify({ pid: process.pid, startedAt }));
    await expect(withHomeLock(path, 50, () => Promise.resolve())).rejects.toMatchObject({
      code: 'embedded_postgres_busy',
    });
    await rm(path);
  });
});
