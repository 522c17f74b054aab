import createClient from 'openapi-fetch';
import { Webhook } from 'standardwebhooks';
import type { paths } from '../support/api.js';
import type { Child } from '../support/child.js';
import { SLOPE } from '../support/external-http.js';
import { photosafe, startPhotosafe } from '../support/photosafe.js';
import { SseClient } from '../support/sse-client.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait-for.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const token = 'events-e2e-test-token-0123456789-abcdef';

describe('events across processes', () => {
  let database: TestDatabase;
  let receiver: WebhookReceiver;
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
    receiver = await WebhookReceiver.start();
  });
  afterAll(async () => {
    await receiver.close();
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

  it('reach webhooks after the server that was sending them was killed, under the same id', async () => {
    await Promise.all(servers.map((server) => server.kill())); // one alone takes the webhook
    const one = await start();
    const api = createClient<paths>({ baseUrl: one.url, headers: { authorization: `Bearer ${token}` } });
    await api.POST('/api/external/types', { body: SLOPE });
    receiver.answer = () => undefined; // keeps it waiting
    const created = await api.POST('/api/webhooks', {
      body: { name: 'e2e', url: receiver.url, statuses: ['created'], types: [SLOPE.name.toUpperCase()] },
    });
    const body = { type: SLOPE.name, params: { tile: 1 }, run_immediately: false };
    const { data: task } = await api.POST('/api/tasks', { body });
    await waitFor('a message', () => receiver.messages.length > 0, { timeoutMs: 20_000 });
    const other = await start();
    await one.server.kill('SIGKILL');
    receiver.takeAll();
    const before = receiver.messages.length;
    const events = await receiver.until(before + 1, { timeoutMs: 60_000 });
    expect(new Set(events.map((event) => event.task_id))).toEqual(new Set([task?.id]));
    expect(new Set(receiver.messages.map(({ id }) => id)).size).toBe(1);
    for (const { text, headers } of receiver.messages) new Webhook(created.data?.secret ?? '').verify(text, headers);

    const rest = createClient<paths>({ baseUrl: other.url, headers: { authorization: `Bearer ${token}` } });
    const path = { id: created.data?.id ?? '' };
    const log = await waitFor('the log', async () => {
      const { data } = await rest.GET('/api/webhooks/{id}/deliveries', { params: { path } });
      return data?.items[0]?.status === 204 ? data.items : undefined;
    });
    expect(log[0]).toMatchObject({ id: receiver.messages[0]?.id, status: 204, error: null, events: 1 });
    const delivery = { params: { path: { ...path, delivery_id: log[0]?.id ?? '' } } };
    const again = await rest.POST('/api/webhooks/{id}/deliveries/{delivery_id}/redeliver', delivery);
    expect([again.data?.status, receiver.messages.at(-1)?.text]).toEqual([204, receiver.messages[0]?.text]);
    const changed = await rest.PATCH('/api/webhooks/{id}', { params: { path }, body: { enabled: false, types: null } });
    expect(changed.data).toMatchObject({
      enabled: false,
      disabled_reason: 'by_hand',
      types: null,
      statuses: ['created'],
    });
    const refused = await rest.PATCH('/api/webhooks/{id}', {
      params: { path },
      body: { url: 'http://169.254.169.254/' },
    });
    expect([refused.response.status, refused.error?.code]).toEqual([422, 'invalid_webhook_url']);
    expect((await rest.DELETE('/api/webhooks/{id}', { params: { path } })).response.status).toBe(204);
    expect((await rest.GET('/api/webhooks', {})).data?.items).toEqual([]);
  });

  it('are sent where the command line says', async () => {
    const environment = { DATABASE_URL: database.url };
    const options = ['--url', receiver.url, '--status', 'failed,succeeded', '--type', 'thumbnails', '--json'];
    const made = await photosafe(['webhook', 'create', 'cli', ...options], environment);
    expect(JSON.parse(made.stdout)).toMatchObject({
      secret: expect.stringMatching(/^whsec_/),
      statuses: ['failed', 'completed'],
      types: ['thumbnails'],
      created_by: expect.stringMatching(/^cli:/),
    });
    const listed = await photosafe(['webhook', 'list'], environment);
    expect(listed.stdout).toContain(receiver.url);
    expect(await photosafe(['webhook', 'ping', 'cli'], environment)).toMatchObject({ code: 0 });
    expect(receiver.messages.at(-1)?.body.type).toBe('ping');
    receiver.answer = (_message, response) => response.writeHead(500).end();
    const failed = await photosafe(['webhook', 'ping', 'cli'], environment);
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('answered 500')]);
    expect(await photosafe(['webhook', 'delete', 'CLI'], environment)).toMatchObject({ code: 0 });
    expect(await photosafe(['webhook', 'delete', 'cli'], environment)).toMatchObject({ code: 1 });
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
