import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, PROJECT_ROOT } from '../support/child.js';
import { photosafe, startPhotosafe } from '../support/photosafe.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait-for.js';

const EXAMPLE = join(PROJECT_ROOT, 'docs', 'examples', 'python-worker');
const SLOW = { timeoutMs: 60_000 };

const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) process.stderr.write('There is no python3 on this machine: the example worker is not tried.\n');

type Task = Readonly<Record<string, unknown>>;

(hasPython ? describe : describe.skip)('the example worker in Python', () => {
  const admin = randomBytes(20).toString('hex');
  const workers: Child[] = [];
  let database: TestDatabase;
  let server: Child;
  let url: string;
  let workerToken: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    server = startPhotosafe(['serve', '--port', '0', '--role', 'api'], {
      DATABASE_URL: database.url,
      PHOTOSAFE_BOOTSTRAP_TOKEN: admin,
    });
    url = (JSON.parse(await server.line(/"msg":"listening"/, SLOW)) as { url: string }).url;
    await ask('POST', '/external/types', JSON.parse(readFileSync(join(EXAMPLE, 'type.json'), 'utf8')) as object);
    workerToken = String((await ask('POST', '/tokens', { name: 'python', role: 'worker' })).token);
  });

  afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.kill())));

  afterAll(async () => {
    await server.kill();
    await database.drop();
  });

  async function ask(method: string, path: string, body?: object): Promise<Task> {
    const headers = { connection: 'close', authorization: `Bearer ${admin}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api${path}`, { method, headers, body: body && JSON.stringify(body) });
    const json = (await answer.json()) as Task;
    if (!answer.ok) throw new Error(JSON.stringify(json));
    return json;
  }

  async function aWorker(): Promise<Child> {
    const environment = { PATH: process.env.PATH, HOME: process.env.HOME, PYTHONDONTWRITEBYTECODE: '1' };
    const env = { ...environment, PHOTOSAFE_URL: url, PHOTOSAFE_TOKEN: workerToken, LEASE_MS: '2000' };
    const child = new Child(spawn('python3', ['-u', 'worker.py'], { cwd: EXAMPLE, env }));
    workers.push(child);
    await child.line(/is ready$/, SLOW);
    return child;
  }

  const addUp = async (params: object): Promise<string> =>
    String((await ask('POST', '/tasks', { type: 'example.add-up', params })).id);
  const until = (id: string, holds: (task: Task) => boolean): Promise<Task> =>
    waitFor(
      `task ${id}`,
      async () => {
        const task = await ask('GET', `/tasks/${id}`);
        return holds(task) ? task : undefined;
      },
      SLOW,
    );
  const processed = (id: string, count: number) => until(id, (task) => Number(task.processed) >= count);

  it('is killed amid a task, and another one goes on where it was', async () => {
    const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
    const dying = await aWorker();
    const id = await addUp({ numbers, pause_ms: 50 });
    await processed(id, 3);
    await dying.kill('SIGKILL');
    const heir = await aWorker();
    expect(await until(id, ({ status }) => status === 'completed')).toMatchObject({
      result: { sum: 820, by: heir.pid },
      attempt: 1,
      crash_count: 1,
      processed: 40,
    });
    const [, from] = /goes on at (\d+) of 40/.exec(await heir.line(/^goes on at/)) ?? [];
    expect(Number(from)).toBeGreaterThanOrEqual(3);
  });

  it('tries again what may work later, gives up what never will, and stops what is cancelled', async () => {
    const worker = await aWorker();
    const busy = await addUp({ numbers: [1, 'busy', 2] });
    const create = (params: string) =>
      photosafe(['task', 'create', 'example.add-up', '--json', '--params', params], { DATABASE_URL: database.url });
    const broken = String((JSON.parse((await create('{"numbers": [1, "broken"]}')).stdout) as Task).id);
    expect(await create('{}')).toMatchObject({ code: 1, stderr: expect.stringContaining('params.numbers') as string });
    expect(await create('7')).toMatchObject({ code: 2 });
    expect(await until(busy, ({ status }) => status === 'completed')).toMatchObject({ result: { sum: 3 }, attempt: 2 });
    expect(await until(broken, ({ status }) => status === 'failed')).toMatchObject({
      error_code: 'number_broken',
      error_category: 'permanent',
      attempt: 1,
    });
    const long = await addUp({ numbers: Array.from({ length: 500 }, () => 1), pause_ms: 1_000 });
    await processed(long, 1);
    await ask('POST', `/tasks/${long}/cancel`);
    await until(long, ({ status }) => status === 'cancelled');
    await worker.line(new RegExp(`^task ${long}: cancelled`), SLOW);
  });

  it('gives its task back with its checkpoint when it is told to end', async () => {
    const worker = await aWorker();
    const id = await addUp({ numbers: Array.from({ length: 500 }, () => 1), pause_ms: 200 });
    await processed(id, 2);
    const asked = performance.now();
    worker.process.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
    expect(performance.now() - asked).toBeLessThan(5_000);
    expect(await ask('GET', `/tasks/${id}`)).toMatchObject({ status: 'queued', attempt: 0, crash_count: 0 });
    const { items } = (await ask('GET', `/tasks/${id}/events`)) as { items: { reason: string }[] };
    expect(items.map(({ reason }) => reason)).toEqual(['enqueued', 'claimed', 'released']);

    const idle = await aWorker();
    await processed(id, 4);
    await ask('POST', `/tasks/${id}/cancel`);
    await until(id, ({ status }) => status === 'cancelled');
    idle.process.kill('SIGTERM'); // while it waits for a claim
    expect(await idle.ended).toMatchObject({ code: 0 });
  });
});
