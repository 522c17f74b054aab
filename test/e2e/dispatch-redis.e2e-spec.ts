import type { Child } from '../support/child.js';
import { photosafe, startPhotosafe } from '../support/photosafe.js';
import { describeWithRedis, REDIS_PASSWORD, RedisServer } from '../support/redis-server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait-for.js';

const SLOW = { timeoutMs: 60_000 };
const TOKEN = 'an-admin-token-for-the-tests-of-redis';

describeWithRedis('photosafe serve with dispatch over Redis', () => {
  let redis: RedisServer;
  let database: TestDatabase;
  let server: Child;
  let address: string;
  let environment: Record<string, string>;

  beforeAll(async () => {
    [redis, database] = await Promise.all([RedisServer.start(), createTestDatabase()]);
    environment = { DATABASE_URL: database.url, PHOTOSAFE_DISPATCH: 'redis', REDIS_URL: redis.url };
    await redis.kill();
    server = startPhotosafe(['serve', '--port', '0'], {
      ...environment,
      PHOTOSAFE_BOOTSTRAP_TOKEN: TOKEN,
      PHOTOSAFE_WORKER_POLL_MS: '60000',
    });
    address = (JSON.parse(await server.line(/"msg":"listening"/, SLOW)) as { url: string }).url;
  });

  afterAll(async () => {
    await server.kill();
    await database.drop();
    await redis.remove();
  });

  async function ask(path: string, init: RequestInit = {}) {
    const headers = { connection: 'close', authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const answer = await fetch(`${address}/api${path}`, { ...init, headers });
    return {
      status: answer.status,
      body: (await answer.json()) as { id?: string; status: string; degraded?: string[] },
    };
  }
  const readiness = () => ask('/health/ready');
  async function runsATask(): Promise<void> {
    const body = JSON.stringify({ type: 'maintenance.retention', params: {} });
    const { body: task } = await ask('/tasks', { method: 'POST', body });
    await waitFor(
      'the task to complete',
      async () => (await ask(`/tasks/${task.id ?? ''}`)).body.status === 'completed',
      SLOW,
    );
  }

  it('starts without Redis, says that it is ready and what it lacks, and works', async () => {
    await waitFor('it to say so', async () => (await readiness()).body.degraded, SLOW);
    expect(await readiness()).toEqual({
      status: 200,
      body: { status: 'ready', degraded: [expect.stringMatching(/^redis: .*ECONNREFUSED/)] },
    });
    await runsATask();
  });

  it('goes over to Redis when that comes', async () => {
    await redis.start();
    await waitFor('it to notice', async () => (await readiness()).body.degraded === undefined, SLOW);
    await runsATask();
    const text = await (
      await fetch(`${address}/api/metrics`, { headers: { connection: 'close', authorization: `Bearer ${TOKEN}` } })
    ).text();
    expect(text).toMatch(/^photosafe_dispatch_claimed_total\{via="redis"\} [1-9]/m);
    expect((await photosafe(['doctor'], environment)).stdout).toMatch(/^OK {4}redis: Redis \d+\.\d+\.\d+, 127/m);
  });

  it('ends as asked, and has never shown the password', async () => {
    server.process.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(server.lines.filter((line) => line.includes(REDIS_PASSWORD) || line.includes(redis.url))).toEqual([]);
    expect(await redis.ask((client) => client.get('photosafe:feeder'))).toBeNull();
  });
});
