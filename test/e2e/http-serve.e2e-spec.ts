import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Child } from '../support/child.js';
import { startPhotosafe } from '../support/photosafe.js';
import { administer, createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait-for.js';

const SLOW = { timeoutMs: 60_000 };
const TOKEN = /^ +(ps_[\w-]{43})$/;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  json(): unknown;
}

describe('photosafe serve', () => {
  const children: Child[] = [];
  const databases: TestDatabase[] = [];

  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.kill()));
    await Promise.all(databases.splice(0).map((database) => database.drop()));
  });

  function serve(url: string, environment: Record<string, string> = {}): Child {
    const child = startPhotosafe(['serve', '--port', '0', '--role', 'api'], { DATABASE_URL: url, ...environment });
    children.push(child);
    return child;
  }

  async function kept(database: Promise<TestDatabase>): Promise<string> {
    databases.push(await database);
    return (await database).url;
  }

  const listening = async (child: Child): Promise<string> =>
    (JSON.parse(await child.line(/"msg":"listening"/, SLOW)) as { url: string }).url;
  const secretsOf = (child: Child): string[] => child.lines.flatMap((line) => TOKEN.exec(line)?.slice(1) ?? []);
  /** Reads the answer to its end: a body that is left lying keeps its connection. */
  const get = async (address: string, secret?: string): Promise<Answer> => {
    const headers = { connection: 'close', ...(secret && { authorization: `Bearer ${secret}` }) };
    const answer = await fetch(address, { headers });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: () => JSON.parse(text) as unknown };
  };
  const stop = async (child: Child): Promise<number | null> => {
    child.process.kill('SIGTERM');
    return (await child.ended).code;
  };

  it('shows one admin token at the first start, however many processes it has, and none later', async () => {
    const url = await kept(createEmptyDatabase());
    const three = [serve(url), serve(url), serve(url)];
    const addresses = await Promise.all(three.map(listening));
    const [secret, ...more] = await waitFor('the token', () => {
      const secrets = three.flatMap(secretsOf);
      return secrets.length > 0 ? secrets : undefined;
    });
    expect(more).toEqual([]);
    for (const address of addresses) {
      expect((await get(`${address}/api/tokens/current`, secret)).json()).toMatchObject({ role: 'admin' });
    }
    expect(await Promise.all(three.map(stop))).toEqual([0, 0, 0]);

    const again = serve(url);
    await listening(again);
    expect([await stop(again), secretsOf(again)]).toEqual([0, []]);
  });

  it('takes the token from outside and keeps it to itself', async () => {
    const secret = randomBytes(20).toString('hex');
    const child = serve(await kept(createTestDatabase()), { PHOTOSAFE_BOOTSTRAP_TOKEN: secret });
    const address = await listening(child);
    expect((await get(`${address}/api/audit`, secret)).status).toBe(200);
    expect([await stop(child), child.lines.filter((line) => line.includes(secret))]).toEqual([0, []]);
  });

  it('serves docs that load nothing from elsewhere', async () => {
    const child = serve(await kept(createTestDatabase()));
    const address = await listening(child);
    const page = await get(`${address}/api/docs`);
    const html = page.text;
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, link = '']) => new URL(link, `${address}/api/docs/`),
    );
    expect(links.map(({ origin }) => origin)).toEqual(links.map(() => address));
    const statuses = await Promise.all(links.map(async ({ href }) => (await get(href)).status));
    expect(statuses).toEqual(links.map(() => 200));
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(/<script(?![^>]*src=)[^>]*>\s*\S/.test(html)).toBe(false); // an inline script would be blocked
  });

  it('is alive and not ready while it waits for its database, and goes on when that comes', async () => {
    const url = new URL(await kept(createTestDatabase()));
    const name = `late_${randomBytes(4).toString('hex')}`;
    url.pathname = `/${name}`;
    const port = await freePort();
    const child = startPhotosafe(['serve', '--port', String(port)], { DATABASE_URL: url.href });
    children.push(child);
    await child.line(/the database is not there; trying again/, SLOW);
    const address = `http://127.0.0.1:${port}`;
    const answers = await Promise.all(
      ['/api/health/live', '/api/v1/health/ready', '/api/tokens'].map((path) => get(address + path)),
    );
    expect(answers.map((answer) => [answer.status, answer.json()])).toEqual([
      [200, { status: 'ok' }],
      [503, { status: 'unavailable', reason: 'starting: waiting for the database' }],
      [503, expect.objectContaining({ code: 'starting', status: 503 })],
    ]);
    await administer(`CREATE DATABASE ${name}`);
    databases.push({ url: url.href, drop: () => administer(`DROP DATABASE ${name} WITH (FORCE)`) });
    await waitFor('ready', async () => (await get(`${address}/api/health/ready`)).status === 200, SLOW);
    expect(await stop(child)).toBe(0);
  });

  it('says so while the database is away, and recovers by itself', async () => {
    const url = await kept(createTestDatabase());
    const name = new URL(url).pathname.slice(1);
    const child = serve(url);
    const address = await listening(child);
    expect((await get(`${address}/api/health/ready`)).status).toBe(200);

    await administer(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await administer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
    const report = await waitFor('not ready', async () => {
      const answer = await get(`${address}/api/health/ready`);
      return answer.status === 503 ? answer.json() : undefined;
    });
    expect(report).toMatchObject({
      status: 'unavailable',
      reason: expect.stringContaining('the database does not answer') as unknown,
    });
    const refused = await get(`${address}/api/tokens`, `ps_${'x'.repeat(43)}`);
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([503, true]);
    expect(refused.json()).toMatchObject({ code: 'database_unavailable' });
    expect((await get(`${address}/api/health/live`)).status).toBe(200);

    await administer(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    await waitFor('ready again', async () => (await get(`${address}/api/health/ready`)).status === 200);
    expect(await stop(child)).toBe(0);
  });

  it('says which port is taken', async () => {
    const url = await kept(createTestDatabase());
    const server = await listeningServer();
    const { port } = server.address() as AddressInfo;
    const child = startPhotosafe(['serve', '--port', String(port)], { DATABASE_URL: url });
    children.push(child);
    const { code } = await child.ended;
    server.close();
    expect([code, child.lines]).toEqual([
      1,
      [expect.stringContaining(`Port ${port} of 127.0.0.1 is taken. Set another`)],
    ]);
  });

  it('ends at once at the second Ctrl-C', async () => {
    const child = startPhotosafe(['serve', '--port', '0'], { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '1' });
    children.push(child);
    await child.line(/ECONNREFUSED/, SLOW);
    child.process.kill('SIGINT');
    await child.line(/"msg":"stopping"/);
    const stopAgain = (): boolean => {
      child.process.kill('SIGINT');
      return child.process.exitCode !== null;
    };
    await waitFor('the end', stopAgain, { everyMs: 50 });
    expect(await child.ended).toEqual({ code: 130, signal: null });
  });
});

async function listeningServer(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function freePort(): Promise<number> {
  const server = await listeningServer();
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
