import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { generatePlainPhotos } from '../../src/catalogs/sample-library/generate-plain-photos.js';
import { type Child, runNode } from '../support/child.js';
import { namespacesMissing, Network } from '../support/network-namespaces.js';
import { waitFor } from '../support/wait-for.js';

const SLOW = { timeoutMs: 90_000 };
/** What the engine promises for a machine that is not heard of any more. */
const TAKEN_OVER_WITHIN_MS = 15_000;
const LEASE_MS = 10_000;
const PROGRAMS = 'test/e2e/programs';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}
type LogLine = Readonly<Record<string, unknown>> & { readonly time: string };

const missing = namespacesMissing();
if (missing !== undefined) process.stderr.write(`skipped: a fleet of several hosts: ${missing}\n`);
// Needs root and Linux; CI has both.
const onSeveralHosts = missing === undefined ? describe : describe.skip;

onSeveralHosts('an API and two workers on three hosts, and a database on a fourth', () => {
  const token = randomBytes(20).toString('hex');
  const acknowledged: string[] = [];
  let home: string;
  let network: Network;
  let database: pg.Pool;
  let local: string;
  let requests: Child;
  const mends: (() => Promise<unknown>)[] = [];
  const cleanUps: (() => Promise<unknown>)[] = [];
  let apiUrl: string;
  const workers: Record<string, Child> = {};

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'photosafe-fleet-'));
    cleanUps.push(() => rm(home, { recursive: true, force: true }));
    await chmod(home, 0o755); // the server has a user of its own
    await Promise.all(['pg', 'data', 'photos'].map((folder) => mkdir(join(home, folder))));
    await generatePlainPhotos(join(home, 'photos'), 3, { megapixels: 0.1, seed: 1 });
    network = await Network.of('a', 'b', 'c');
    cleanUps.push(() => network.remove());
    const { hub, range } = network;
    const postgres = network.start('hub', [`${PROGRAMS}/fleet-postgres.mjs`, join(home, 'pg'), hub.address, range], {});
    const urls = JSON.parse(await postgres.line(/^\{"local"/, SLOW)) as { local: string; url: string };
    local = urls.local;
    const env = {
      DATABASE_URL: urls.url,
      PHOTOSAFE_DATA_DIR: join(home, 'data'),
      PHOTOSAFE_BOOTSTRAP_TOKEN: token,
      PHOTOSAFE_WORKER_LEASE_MS: String(LEASE_MS),
      PHOTOSAFE_WORKER_CONCURRENCY: 'default=3,images=1',
      PHOTOSAFE_DECODER_PROCESSES: '1',
    };
    const api = network.start('a', [`${PROGRAMS}/fleet-member.mjs`, 'api'], { ...env, PHOTOSAFE_ROLE: 'api' });
    apiUrl = (JSON.parse(await api.line(/"msg":"listening"/, SLOW)) as { url: string }).url;
    requests = network.start('a', [`${PROGRAMS}/requests.mjs`], {});
    database = new pg.Pool({ connectionString: local });
    cleanUps.push(() => database.end());
    await database.query('CREATE TABLE chaos_effects (task_id uuid NOT NULL, fence int NOT NULL)');
    for (const host of ['b', 'c']) {
      workers[host] = network.start(host, [`${PROGRAMS}/fleet-member.mjs`, 'worker'], {
        ...env,
        PHOTOSAFE_ROLE: 'worker',
      });
    }
    await Promise.all(Object.values(workers).map((worker) => worker.line(/"msg":"worker started"/, SLOW)));
  });

  /** What one test has cut must not stay so for the next. */
  afterEach(async () => {
    for (const mend of mends.splice(0)) await mend();
  });

  afterAll(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });

  async function ask(method: string, path: string, body?: object): Promise<Answer> {
    const from = requests.lines.length;
    requests.say(JSON.stringify({ method, url: `${apiUrl}/api${path}`, token, body }));
    return JSON.parse(await requests.line(/^\{"status"/, { from, ...SLOW })) as Answer;
  }

  async function add(params: object): Promise<string> {
    const { status, body } = await ask('POST', '/tasks', { type: 'chaos.plain', params });
    expect([status, body]).toEqual([202, expect.anything()]);
    acknowledged.push(String(body.id));
    return String(body.id);
  }

  const rows = async <Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> =>
    (await database.query<Row>(sql, values)).rows;
  const logOf = (host: string, message: string): LogLine[] =>
    (workers[host]?.lines ?? [])
      .filter((line) => line.includes(`"msg":"${message}"`))
      .map((line) => JSON.parse(line) as LogLine);
  /** The lease that the host's worker (not a cell of it) has now. */
  const leaseOf = (host: string): string =>
    String(
      logOf(host, 'worker started')
        .filter(({ pid }) => pid === workers[host]?.pid)
        .at(-1)?.workerId,
    );
  const heldBy = (worker: string) =>
    rows<{ id: string }>(`SELECT id FROM live_tasks WHERE status = 'running' AND worker_id = $1`, [worker]);

  /** Work that is under way on both hosts. */
  async function keepBusy(): Promise<void> {
    for (let n = 0; n < 12; n += 1) await add({ ms: 4_000, effect: true, deaf: n % 2 === 0, expect: 'completed' });
    await waitFor(
      'both to be at work',
      async () => {
        const held = await Promise.all(['b', 'c'].map(async (host) => (await heldBy(leaseOf(host))).length));
        return held.every((count) => count > 1);
      },
      SLOW,
    );
  }

  const finished = () => waitFor('all to end', async () => (await rows('SELECT 1 FROM live_tasks')).length === 0, SLOW);

  async function wrong(): Promise<unknown> {
    const checker = runNode(`${PROGRAMS}/check-rows.mjs`, [local]);
    checker.process.stdin?.end(JSON.stringify(acknowledged));
    const line = await checker.line(/^\{/, SLOW);
    await checker.ended;
    return JSON.parse(line);
  }
  const NOTHING = { lost: [], settledTwice: [], effects: [], trail: [], outcome: [], order: [] };

  it('share the work, and the blobs', async () => {
    const catalog = await ask('POST', '/catalogs', { name: 'shared', roots: [join(home, 'photos')] });
    const rebuild = await ask('POST', '/jobs/rebuild', { catalog_id: catalog.body.id });
    await waitFor(
      'the rebuild to complete',
      async () => (await ask('GET', `/tasks/${String(rebuild.body.id)}`)).body.status === 'completed',
      SLOW,
    );
    const images = (await ask('GET', '/images')).body.items as { id: string }[];
    expect(images).toHaveLength(3);
    // The API has what the workers wrote: it is no JSON.
    const { status, body } = await ask('GET', `/images/${String(images[0]?.id)}/thumbnail/256`);
    expect([status, body.error]).toEqual([0, expect.stringContaining('JSON')]);
  });

  it.each([
    ['unplugged', (host: string) => network.unplug(host), (host: string) => network.plugIn(host)],
    ['not answered', (host: string) => network.deafen(host), (host: string) => network.restoreHearing(host)],
  ])('go on without a worker that is %s, which stops by itself and joins again', async (_how, cut, mend) => {
    await finished();
    await keepBusy();
    const lease = leaseOf('b');
    const held = (await heldBy(lease)).map(({ id }) => id);
    expect(held.length).toBeGreaterThan(0);

    await cut('b');
    const cutAt = Date.now();
    mends.push(() => mend('b'));

    await waitFor('its tasks to be taken over', async () => (await heldBy(lease)).length === 0, SLOW);
    const taken = await rows<{ at: Date }>(
      `SELECT at FROM task_history WHERE task_id = ANY($1) AND reason = 'worker_lost' AND at > $2`,
      [held, new Date(cutAt)],
    );
    expect(taken.length).toBeGreaterThan(0);
    const takenAt = taken.map(({ at }) => at.getTime());
    expect(Math.max(...takenAt) - cutAt).toBeLessThan(TAKEN_OVER_WITHIN_MS);

    // It has stopped trusting its lease before anybody else did.
    await waitFor('it to notice', () => logOf('b', 'lease lost').some(({ workerId }) => workerId === lease), SLOW);
    const noticedAt = Date.parse(logOf('b', 'lease lost').find(({ workerId }) => workerId === lease)?.time ?? '');
    expect(noticedAt - cutAt).toBeLessThan(LEASE_MS + 1_000);
    expect(noticedAt).toBeLessThanOrEqual(Math.min(...takenAt) + 500);

    // The other host finishes everything meanwhile.
    await waitFor(
      'what it held to complete elsewhere',
      async () => (await rows('SELECT 1 FROM finished_tasks WHERE id = ANY($1)', [held])).length === held.length,
      SLOW,
    );

    // The server forgets it too, with the locks and places of its sessions.
    await waitFor(
      'its sessions to end',
      async () => {
        const sessions = 'SELECT 1 FROM pg_stat_activity WHERE client_addr = $1 AND backend_start < $2';
        return (await rows(sessions, [network.address('b'), new Date(cutAt)])).length === 0;
      },
      SLOW,
    );

    await mends.pop()?.();
    await waitFor('it to join again', () => leaseOf('b') !== lease, SLOW);
    await keepBusy(); // it gets its share of new work
    await finished();
    expect(await wrong()).toEqual(NOTHING);
    const late = await rows(`SELECT 1 FROM task_history WHERE worker_id = $1 AND at > $2 AND to_status = 'completed'`, [
      lease,
      new Date(Math.max(...takenAt)),
    ]);
    expect(late).toEqual([]);
  });

  it('work on without the API, which says that it is not ready, and is again once it is back', async () => {
    await keepBusy();
    expect((await ask('GET', '/health/ready')).status).toBe(200);

    await network.unplug('a');
    mends.push(() => network.plugIn('a'));

    await waitFor('it to be not ready', async () => (await ask('GET', '/health/ready')).status === 503, SLOW);
    expect((await ask('GET', '/health/live')).status).toBe(200);
    await finished();

    await mends.pop()?.();

    const pluggedIn = Date.now();
    await waitFor('it to be ready', async () => (await ask('GET', '/health/ready')).status === 200, SLOW);
    expect(Date.now() - pluggedIn).toBeLessThan(60_000);
    await keepBusy();
    await finished();
    expect(await wrong()).toEqual(NOTHING);
  });
});
