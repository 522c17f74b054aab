import { readFileSync } from 'node:fs';
import {
  JobError,
  ProcessDiedError,
  ProcessPoolClosedError,
  ProcessTimeoutError,
} from '../../../../src/platform/processes/process-errors.js';
import { ProcessPool, type ProcessPoolOptions } from '../../../../src/platform/processes/process-pool.js';
import { runTypeScript } from '../../../support/child.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Mischief } from './mischief.process.js';

const MEGABYTE = 1024 * 1024;

const pools: ProcessPool<Mischief>[] = [];

function aPool(options: Partial<ProcessPoolOptions> = {}): ProcessPool<Mischief> {
  const pool = new ProcessPool<Mischief>({
    module: new URL('./mischief.process.ts', import.meta.url),
    size: 2,
    jobsPerProcess: 1_000,
    recycleRssBytes: 1_000 * MEGABYTE,
    maxRssBytes: 2_000 * MEGABYTE,
    idleMs: 60_000,
    niceness: 5,
    env: {},
    ...options,
  });
  pools.push(pool);
  return pool;
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

/** Starts all its processes, so that what follows is not timed by their start. */
async function warm(pool: ProcessPool<Mischief>, size: number): Promise<void> {
  await Promise.all(Array.from({ length: size }, () => pool.run('blockInNativeCode', [0.05], patiently)));
}

const patiently = { signal: new AbortController().signal, timeoutMs: 30_000 };

describe('ProcessPool', () => {
  it('hands arguments and results over as they are, bytes included', async () => {
    const value = { text: 'ü', bytes: Buffer.from([0, 255, 1]), list: [1, undefined, null] };

    const result = await aPool().run('echo', [value], patiently);

    expect(result).toEqual(value);
    expect(Buffer.isBuffer((result as typeof value).bytes)).toBe(true);
  });

  it('gives the children nothing of the environment', async () => {
    const environment = await aPool({ env: { MARK: '1' } }).run('environment', [], patiently);

    expect(Object.keys(environment)).toEqual(expect.arrayContaining(['MARK']));
    expect(environment).not.toHaveProperty('PATH');
  });

  it("rejects with what a job threw, with a system error's code, and goes on using the process", async () => {
    const pool = aPool({ size: 1 });
    const pid = await pool.run('pid', [], patiently);

    await expect(pool.run('fail', ['no such file', 'ENOENT'], patiently)).rejects.toMatchObject({
      constructor: JobError,
      message: 'no such file',
      code: 'ENOENT',
    });

    await expect(pool.run('pid', [], patiently)).resolves.toBe(pid);
  });

  it('runs as many jobs at once as it has places, and keeps the others waiting in order', async () => {
    const pool = aPool({ size: 2 });
    await warm(pool, 2);
    const done: number[] = [];

    await Promise.all(
      [1_000, 10, 10, 10].map((milliseconds, index) =>
        pool.run('blockInNativeCode', [milliseconds / 1_000], patiently).then(() => done.push(index)),
      ),
    );

    expect(done.slice(0, 3)).toEqual([1, 2, 3]);
  });

  it.each(['hang', 'spin', 'blockInNativeCode'] as const)(
    'kills a job that would %s within a second of the abort',
    async (method) => {
      const pool = aPool({ size: 2 });
      await warm(pool, 2);
      const bystander = pool.run('blockInNativeCode', [1], patiently);
      const pid = await pool.run('pid', [], patiently);
      const controller = new AbortController();
      const job = pool.run(method, [600], { signal: controller.signal, timeoutMs: 600_000 });
      setTimeout(() => {
        controller.abort(new Error('not wanted any more'));
      }, 200);

      await expect(job).rejects.toThrow('not wanted any more');

      await waitFor('its end', () => !isAlive(pid), { timeoutMs: 1_000 });
      await expect(bystander).resolves.toBeUndefined();
      await expect(pool.run('echo', ['next'], patiently)).resolves.toBe('next');
    },
  );

  it('kills a job that takes longer than it may', async () => {
    const pool = aPool({ size: 1 });
    const pid = await pool.run('pid', [], patiently);

    await expect(pool.run('spin', [], { ...patiently, timeoutMs: 200 })).rejects.toThrow(ProcessTimeoutError);

    expect(isAlive(pid)).toBe(false);
    await expect(pool.run('pid', [], patiently)).resolves.not.toBe(pid);
  });

  it('drops a waiting job at once when it is aborted, and refuses one that already is', async () => {
    const pool = aPool({ size: 1 });
    const running = pool.run('blockInNativeCode', [0.5], patiently);
    const controller = new AbortController();
    const waiting = pool.run('echo', [1], { signal: controller.signal, timeoutMs: 1_000 });
    controller.abort(new Error('cancelled'));

    await expect(waiting).rejects.toThrow('cancelled');
    await expect(pool.run('echo', [1], { signal: controller.signal, timeoutMs: 1_000 })).rejects.toThrow('cancelled');
    await expect(running).resolves.toBeUndefined();
  });

  it.each([
    ['exit', [7], { exitCode: 7, signal: null }],
    ['die', ['SIGSEGV'], { exitCode: null, signal: 'SIGSEGV' }],
    ['die', ['SIGKILL'], { exitCode: null, signal: 'SIGKILL' }],
  ] as const)('tells how a process ended that died by %s %s, and replaces it', async (method, args, status) => {
    const pool = aPool({ size: 1 });

    const failed = pool.run(method, args as never, patiently);
    const queued = pool.run('echo', ['next'], patiently);

    await expect(failed).rejects.toMatchObject({ constructor: ProcessDiedError, ...status });
    await expect(queued).resolves.toBe('next');
  });

  it('keeps the last words of a process that ran out of heap', async () => {
    const error = await aPool({ env: { NODE_OPTIONS: '--max-old-space-size=60' } })
      .run('exhaustHeap', [], patiently)
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({
      constructor: ProcessDiedError,
      lastWords: expect.stringContaining('heap') as string,
    });
  });

  it('gives the next job a fresh process when an idle one has died', async () => {
    const pool = aPool({ size: 1 });
    const pid = await pool.run('pid', [], patiently);
    process.kill(pid, 'SIGKILL');

    await expect(pool.run('echo', ['next'], patiently)).resolves.toBe('next');
  });

  it('gives up when no process comes up, and says what it has heard', async () => {
    const pool = aPool({ module: new URL('./no-such.process.ts', import.meta.url) });

    await expect(pool.run('echo', [1], patiently)).rejects.toMatchObject({
      constructor: ProcessDiedError,
      exitCode: 1,
      jobBegun: false,
      lastWords: expect.stringContaining('no-such.process') as string,
    });
  });

  it('survives the signals that a terminal or a service manager sends to the whole group', async () => {
    const pool = aPool({ size: 1 });
    const pid = await pool.run('pid', [], patiently);
    const job = pool.run('blockInNativeCode', [0.5], patiently);
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGTERM');

    await expect(job).resolves.toBeUndefined();
    await expect(pool.run('pid', [], patiently)).resolves.toBe(pid);
  });

  it('replaces a process after so many jobs', async () => {
    const pool = aPool({ size: 1, jobsPerProcess: 3 });
    const pids: number[] = [];
    for (let job = 0; job < 6; job++) pids.push(await pool.run('pid', [], patiently));

    expect(pids.map((pid) => pids.indexOf(pid))).toEqual([0, 0, 0, 3, 3, 3]);
  });

  it('replaces a process that holds too much memory after its job, and ends one that takes too much within it', async () => {
    const pool = aPool({ size: 1, recycleRssBytes: 300 * MEGABYTE, maxRssBytes: 700 * MEGABYTE });
    const pid = await pool.run('hoard', [400], patiently);

    await expect(pool.run('pid', [], patiently)).resolves.not.toBe(pid);
    await expect(
      pool.run('hoard', [1_200], patiently).then(() => pool.run('hang', [], patiently)),
    ).rejects.toMatchObject({
      signal: 'SIGKILL',
    });
  });

  it('ends processes that nobody has used for a while', async () => {
    const pool = aPool({ size: 1, idleMs: 50 });
    const pid = await pool.run('pid', [], patiently);

    await waitFor('its end', () => !isAlive(pid));

    await expect(pool.run('pid', [], patiently)).resolves.not.toBe(pid);
  });

  it('waits on close for what runs, refuses what waits and what comes, and leaves no process', async () => {
    const pool = aPool({ size: 1 });
    const pid = await pool.run('pid', [], patiently);
    const running = pool.run('blockInNativeCode', [0.3], patiently);
    const waiting = pool.run('echo', [1], patiently);
    const refused = expect(waiting).rejects.toThrow(ProcessPoolClosedError);

    await pool.close();

    await refused;
    await expect(running).resolves.toBeUndefined();
    await expect(pool.run('echo', [1], patiently)).rejects.toThrow(ProcessPoolClosedError);
    expect(isAlive(pid)).toBe(false);
  });

  it('leaves no orphan when its own process is killed, whatever the children are busy with', async () => {
    const owner = runTypeScript('test/integration/platform/processes/pool-owner.process.ts', []);
    const pids = JSON.parse(await owner.line(/^\[/, { timeoutMs: 60_000 })) as number[];
    expect(pids.map(isAlive)).toEqual([true, true, true]);

    await owner.kill('SIGKILL');
    const from = performance.now();
    await waitFor('its end', () => !pids.some(isAlive));

    expect(performance.now() - from).toBeLessThan(3_000);
  });
});

/** A zombie that its new parent has not fetched yet is dead, too. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readStatus(pid));
  } catch {
    return false;
  }
}

function readStatus(pid: number): string {
  return process.platform === 'linux' ? readFileSync(`/proc/${pid}/status`, 'utf8') : '';
}
