import { Logger } from '@nestjs/common';
import { Queue } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import { Degradations } from '../../../../src/platform/health/degradations.js';
import { ACTOR, deferred, type Engine, once, work } from '../../../support/engine-harness.js';
import { describeWithRedis, REDIS_PASSWORD, RedisServer } from '../../../support/redis-server.js';
import { waitFor } from '../../../support/wait-for.js';
import { Fleet, SLOW } from './fleet.js';

const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const FALLBACK = 'photosafe_dispatch_fallback';
const CLAIMED = 'photosafe_dispatch_claimed_total';

describeWithRedis('tasks that Redis carries', () => {
  let redis: RedisServer;
  let fleet: Fleet;
  let warn: jest.SpyInstance<void, unknown[]>;

  const open = (overrides: Readonly<Record<string, string>> = {}): Promise<Fleet> =>
    Fleet.open({ PHOTOSAFE_DISPATCH: 'redis', REDIS_URL: redis.url, ...overrides });

  beforeEach(async () => {
    warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    redis = await RedisServer.start();
    fleet = await open();
  });

  afterEach(async () => {
    try {
      expect(await fleet.wrong()).toEqual([]);
      expect(JSON.stringify(warn.mock.calls)).not.toContain(REDIS_PASSWORD);
    } finally {
      await fleet.close();
      await redis.remove();
    }
  });

  const carried = async () => {
    await waitFor('Redis to carry', async () => (await fleet.metric(FALLBACK)) === 0 && (await redisKeys()).length > 0, SLOW); // prettier-ignore
    await sleep(1_100); // for a second it counts who knew which types when it was asked last: perhaps before all workers were there
  };
  const away = (workers = 1) =>
    waitFor('the fallback', async () => (await fleet.metric(FALLBACK)) === workers, { ...SLOW, everyMs: 5 });
  const redisKeys = () => redis.ask((client) => client.keys('photosafe:*'));
  const completed = (count: number) =>
    waitFor(
      `${String(count)} to complete`,
      async () => (await fleet.api.count(`finished_tasks WHERE status = 'completed'`)) >= count,
      { ...SLOW, everyMs: 5 },
    );
  const enqueueMany = (count: number) => fleet.api.tasks.enqueueMany(once, numbers(count), { actor: ACTOR });
  /** Slow enough for things to happen meanwhile. */
  const takesAWhile = () => fleet.script.when(once, () => sleep(5));
  const expectAllOnce = async (count: number) => {
    await fleet.drained();
    expect(await fleet.api.count(`finished_tasks WHERE status = 'completed'`)).toBe(count);
    expect(await fleet.api.count(`task_history WHERE reason = 'claimed'`)).toBe(count);
  };

  it('are carried by it and not by PostgreSQL, and leave nothing behind', async () => {
    await Promise.all([fleet.worker(), fleet.worker()]);
    await carried();
    await enqueueMany(500);
    await expectAllOnce(500);
    expect(await fleet.metric(CLAIMED, { via: 'redis' })).toBe(500);
    expect(await fleet.metric(CLAIMED, { via: 'postgres' })).toBe(0);
    expect(await fleet.metric('photosafe_dispatch_offered_total')).toBeGreaterThanOrEqual(500);
    const left = (await redisKeys()).filter((key) => /[\da-f]{8}-[\da-f]{4}-/.test(key));
    expect(left).toEqual([]);
  });

  it('survive the loss of everything in Redis, again and again', async () => {
    takesAWhile();
    await Promise.all([fleet.worker(), fleet.worker(), fleet.worker()]);
    await carried();
    await enqueueMany(900);
    for (let done = 100; done <= 800; done += 100) {
      await completed(done);
      await redis.ask((client) => client.flushall());
    }
    await expectAllOnce(900);
    expect(await fleet.metric(CLAIMED, { via: 'redis' })).toBeGreaterThan(0);
    expect(await fleet.metric('photosafe_dispatch_offered_total')).toBeGreaterThan(900); // what it lost, it was given again
  });

  it('survive the death of Redis, which comes back empty', async () => {
    takesAWhile();
    await Promise.all([fleet.worker(), fleet.worker()]);
    await carried();
    await enqueueMany(600);
    await completed(50);
    await redis.kill();
    await completed(250); // without Redis
    await enqueueMany(200);
    await completed(300);
    await redis.start();
    await waitFor('Redis to carry again', async () => (await fleet.metric(FALLBACK)) === 0, SLOW);
    await enqueueMany(100);
    await expectAllOnce(900);
    expect(await fleet.metric(CLAIMED, { via: 'redis' })).toBeGreaterThan(0);
    expect(await fleet.metric(CLAIMED, { via: 'postgres' })).toBeGreaterThan(0);
  });

  it('go by PostgreSQL while there is no Redis, which is said once, and by Redis when there is one', async () => {
    await redis.kill();
    const worker = await fleet.worker();
    await away();
    const from = performance.now();
    await fleet.api.finished(await fleet.api.enqueue(once));
    expect(performance.now() - from).toBeLessThan(1_000);
    expect(worker.app.get(Degradations).list()).toEqual([expect.stringMatching(/^redis: .*PostgreSQL.*ECONNREFUSED/)]);
    await redis.start();
    await waitFor('Redis to carry', async () => (await fleet.metric(FALLBACK)) === 0, SLOW);
    const before = await fleet.metric(CLAIMED, { via: 'redis' });
    await fleet.api.finished(await fleet.api.enqueue(once));
    expect((await fleet.metric(CLAIMED, { via: 'redis' })) - before).toBe(1);
    expect(worker.app.get(Degradations).list()).toEqual([]);
    expect(warn.mock.calls.filter(([line]) => JSON.stringify(line).includes('Redis is away'))).toHaveLength(1);
  });

  it('pass a Redis that hangs', async () => {
    takesAWhile();
    await Promise.all([fleet.worker(), fleet.worker()]);
    await carried();
    await enqueueMany(600);
    await completed(50);
    redis.signal('SIGSTOP');
    const from = performance.now();
    await fleet.api.enqueue(once);
    expect(performance.now() - from).toBeLessThan(1_000);
    await completed(500);
    await away(2);
    redis.signal('SIGCONT');
    await waitFor('Redis to carry again', async () => (await fleet.metric(FALLBACK)) === 0, SLOW);
    await enqueueMany(99);
    await expectAllOnce(700);
  });

  it('need no Redis that lets us in: a wrong password is said without showing any', async () => {
    await fleet.close();
    fleet = await open({ REDIS_URL: redis.urlWith('another:secret') });
    const worker = await fleet.worker();
    await away();
    expect(await fleet.api.finished(await fleet.api.enqueue(once))).toMatchObject({ status: 'completed' });
    const said = JSON.stringify([warn.mock.calls, worker.app.get(Degradations).list()]);
    expect(said).toMatch(/WRONGPASS/);
    expect(said).not.toMatch(/another|secret/);
  });

  it('do not keep a process from ending while Redis hangs', async () => {
    const worker = await fleet.worker();
    await carried();
    redis.signal('SIGSTOP');
    const from = performance.now();
    await worker.close();
    expect(performance.now() - from).toBeLessThan(6_000);
    redis.signal('SIGCONT');
  });

  it('are looked after by another process when the one that feeds Redis dies', async () => {
    const feeding = await fleet.workerProcess({ concurrency: { other: 1, default: 1 } });
    await waitFor('it to feed', async () => (await redisKeys()).includes('photosafe:feeder'), SLOW);
    await fleet.worker();
    await carried();
    await feeding.kill('SIGKILL');
    const from = performance.now();
    await fleet.api.finished(await fleet.api.enqueue(once), SLOW);
    expect(performance.now() - from).toBeLessThan(10_000);
    expect(await fleet.metric(CLAIMED, { via: 'redis' })).toBe(1);
  });

  it('stay apart from what others keep in the same Redis', async () => {
    const theirs = { 'photosafeguard:x': 'kept', 'default:wait': 'kept', 'bull:default:meta': 'kept' };
    await redis.ask((client) => client.mset(theirs));
    await fleet.worker();
    await carried();
    await enqueueMany(50);
    await expectAllOnce(50);
    expect(await redis.ask((client) => client.mget(Object.keys(theirs)))).toEqual(Object.values(theirs));
    const all = await redis.ask((client) => client.keys('*'));
    expect(all.filter((key) => !(key in theirs) && !key.startsWith('photosafe:'))).toEqual([]);
  });

  describe('amid jobs that are none of ours', () => {
    let queue: Queue;
    const ghost = '01a22a43-58b5-71ab-8176-90aa002f65ea';

    const withQueue = async (put: (queue: Queue) => Promise<unknown>): Promise<void> => {
      const { hostname: host, port } = new URL(redis.url);
      const connection = { host, port: Number(port), password: REDIS_PASSWORD, db: 1 };
      queue = new Queue('default', { connection, prefix: 'photosafe' });
      await put(queue).finally(() => queue.close());
    };
    const serves = async (worker: Engine) => {
      for (const input of numbers(3)) await fleet.api.finished(await fleet.api.enqueue(once, input), SLOW);
      expect(worker.app.get(Degradations).list()).toEqual([]);
      await waitFor(
        'the strangers to be gone',
        async () => (await redisKeys()).every((key) => !/stranger|default:\d|[\da-f]{8}-/.test(key)),
        SLOW,
      );
    };

    it('are not disturbed by them', async () => {
      const worker = await fleet.worker();
      await carried();
      await withQueue(async (them) => {
        await them.add('x', { id: ghost });
        await them.add('x', { sql: `'; DROP TABLE live_tasks; --` }, { jobId: 'stranger', priority: 1 });
        await them.add('x', {}, { jobId: `${ghost}_0`, removeOnComplete: false });
        await them.add('x', {}, { jobId: `stranger_${'9'.repeat(500)}` });
      });
      await serves(worker);
      expect(await fleet.metric('photosafe_dispatch_dropped_total')).toBeGreaterThanOrEqual(4);
      expect(await fleet.api.count('live_tasks')).toBe(0);
    });

    it('are not disturbed by what BullMQ itself cannot read', async () => {
      const worker = await fleet.worker();
      await carried();
      await redis.ask(async (client) => {
        await client.hset('photosafe:default:stranger', { name: 'x', data: '{"no', opts: 'json', timestamp: 'then' });
        await client.hset('photosafe:default:stranger2', { name: 'x', data: 'no', opts: '[', priority: 'high' });
        await client.lpush('photosafe:default:wait', 'stranger', 'stranger2', 'stranger-without-hash');
        await client.zadd('photosafe:default:marker', 0, '0');
      });
      await serves(worker);
    });

    it('are run once when Redis proposes them again and again, or proposes what runs or has ended', async () => {
      const go = deferred();
      fleet.script.when(work, () => go.promise);
      const worker = await fleet.worker();
      await carried();
      const ended = await fleet.api.enqueue(once);
      await fleet.api.finished(ended);
      const running = await fleet.api.enqueue(work);
      await fleet.api.until(running, ({ status }) => status === 'running');
      const later = await fleet.api.enqueue(once, {}, { runImmediately: false });
      await withQueue(async (them) => {
        for (const id of [ended, running, later]) {
          for (let fence = 0; fence < 5; fence += 1) await them.add('x', {}, { jobId: `${id}_${String(fence)}` });
        }
      });
      await serves(worker);
      expect(await fleet.api.tasks.get(later)).toMatchObject({ status: 'created', attempt: 0 });
      go.resolve();
      expect(await fleet.api.finished(running)).toMatchObject({ attempt: 1 });
      await fleet.api.tasks.run(later, ACTOR);
      expect(await fleet.api.finished(later, SLOW)).toMatchObject({ attempt: 1 });
    });

    it('are not kept waiting by somebody who hides them: the head of the line is looked at all the same', async () => {
      await fleet.worker({ pollMs: 500 });
      await carried();
      const hidden = await fleet.api.enqueue(once, {}, { runImmediately: false });
      // Redis says that it knows the task, and hands it out to nobody.
      await redis.ask((client) => client.hset(`photosafe:default:${hidden}_0`, { name: 'task' }));
      await fleet.api.tasks.run(hidden, ACTOR);
      expect(await fleet.api.finished(hidden, SLOW)).toMatchObject({ status: 'completed' });
    });

    it('are not stopped by somebody who pauses the queue in Redis', async () => {
      await fleet.worker({ pollMs: 500 });
      await carried();
      await withQueue((them) => them.pause());
      await enqueueMany(200);
      await expectAllOnce(200);
      expect(await fleet.metric(CLAIMED, { via: 'postgres' })).toBeGreaterThan(0);
    });
  });
});
