import createClient from 'openapi-fetch';
import type { paths } from '../support/api.js';
import type { Child } from '../support/child.js';
import { SLOPE } from '../support/external-http.js';
import { startPhotosafe } from '../support/photosafe.js';
import { SseClient } from '../support/sse-client.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const token = 'events-e2e-test-token-0123456789-abcdef';

describe('events across processes', () => {
  let database: TestDatabase;
  const servers: Child[] = [];

  async function start(): Promise<{ server: Child; url: string }> {
    const server = startPhotosafe(['serve', '--port', '0', '--role', 'api'], {
      DATABASE_URL: database.url,
      PHOTOSAFE_BOOTSTRAP_TOKEN: token,
    });
    servers.push(server);
    const line = JSON.parse(await server.line(/"msg":"listening"/, { timeoutMs: 60_000 })) as { url: string };
    return { server, url: line.url };
  }

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.kill()));
    await database.drop();
  });

  it('go on at another server after theirs was killed, whoever makes them', async () => {
    const [one, two] = [await start(), await start()];
    const api = createClient<paths>({ baseUrl: two.url, headers: { authorization: `Bearer ${token}` } });
    await api.POST('/api/external/types', { body: SLOPE });
    const create = async (): Promise<string> => {
      const { data } = await api.POST('/api/tasks', {
        body: { type: SLOPE.name, params: { tile: 1 }, run_immediately: false },
      });
      return data?.id ?? '';
    };
    const stream = await SseClient.open(`${one.url}/api/v1/events?status=created`, { token });
    const before = [await create(), await create()];
    await stream.until(2);
    await one.server.kill('SIGKILL');
    await stream.untilEnded();
    const meanwhile = [await create(), await create()];
    const again = await SseClient.open(`${two.url}/api/events?status=created`, {
      token,
      lastEventId: stream.events[0]?.id,
    });
    const after = await create();
    await again.until(4);
    again.close();
    expect(stream.tasks.map(({ data }) => data.task_id)).toEqual(before);
    expect(again.tasks.map(({ data }) => data.task_id)).toEqual([before[1], ...meanwhile, after]);
  });

  it('end with the server, which does not wait for those who read them', async () => {
    const { server, url } = await start();
    const streams = await Promise.all(Array.from({ length: 20 }, () => SseClient.open(`${url}/api/events`, { token })));
    const startedAt = performance.now();
    await server.kill('SIGTERM');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect((await server.ended).code).toBe(0);
    for (const stream of streams) await stream.untilEnded();
    expect(new Set(streams.map((stream) => stream.events.at(-1)?.data.reason))).toEqual(new Set(['shutting_down']));
  });
});
