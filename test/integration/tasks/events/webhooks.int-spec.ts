import type { ServerResponse } from 'node:http';
import pg from 'pg';
import { Webhook as Verifier } from 'standardwebhooks';
import { Tail } from '../../../../src/tasks/events/tail.js';
import { fixed } from '../../../../src/tasks/retry-policy.js';
import { Poster } from '../../../../src/tasks/webhooks/post.js';
import type { WebhookTerms } from '../../../../src/tasks/webhooks/webhook.js';
import { WebhookDispatchModule } from '../../../../src/tasks/webhooks/webhook-dispatch.module.js';
import { WebhookDispatcher } from '../../../../src/tasks/webhooks/webhook-dispatcher.js';
import { WebhookService } from '../../../../src/tasks/webhooks/webhook.service.js';
import { Engine, type EngineParts, Script, unique, work } from '../../../support/engine-harness.js';
import { FaultProxy } from '../../../support/fault-proxy.js';
import { createTestDatabase, type TestDatabase } from '../../../support/test-database.js';
import { waitFor } from '../../../support/wait-for.js';
import { type Received, WebhookReceiver } from '../../../support/webhook-receiver.js';

let database: TestDatabase;
let receiver: WebhookReceiver;
let engine: Engine;
let webhooks: WebhookService;
const others: Engine[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  receiver = await WebhookReceiver.start();
  engine = await openEngine();
  webhooks = engine.app.get(WebhookService, { strict: false });
});
afterEach(async () => {
  await Promise.all([engine, ...others.splice(0)].map((each) => each.close()));
  await receiver.close();
  await database.drop();
});

async function openEngine(parts: EngineParts = {}, url = database.url): Promise<Engine> {
  const opened = await Engine.open(url, new Script(), { imports: [WebhookDispatchModule], ...parts });
  Object.assign(opened.app.get(WebhookDispatcher, { strict: false }), { lookEveryMs: 50, backoff: fixed(30) });
  opened.app.get(Tail, { strict: false }).lookEveryMs = 20;
  return opened;
}

let count = 0;

/** All but the time of day. */
const REAL = [
  ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const),
  ...(['nextTick', 'queueMicrotask', 'performance', 'hrtime'] as const),
];

const TERMS = { name: 'hook', statuses: null, types: null, topLevel: false };

const create = (terms: Partial<WebhookTerms> = {}) =>
  webhooks.create({ ...TERMS, name: `hook ${String((count += 1))}`, url: receiver.url, ...terms }, 'test:operator');

const addMany = (n: number, on = engine) =>
  on.tasks.enqueueMany(work, Array.from({ length: n }, (_, i) => ({ n: i })), { actor: 'test' }); // prettier-ignore

const idsOf = (messages: readonly Received[]): string[] => messages.map(({ id }) => id);

describe('webhooks', () => {
  it('are sent what happens from then on, in order, signed', async () => {
    await engine.enqueue(work);
    const { secret, webhook } = await create();
    const id = await engine.enqueue(work);
    await engine.tasks.cancel(id, 'test');
    const events = await receiver.until(2);
    expect(events.map((event) => [event.event, event.task_id, event.type])).toEqual([
      ['task.queued', id, 'test.work'],
      ['task.cancelled', id, 'test.work'],
    ]);
    for (const { text, headers } of receiver.messages) new Verifier(secret).verify(text, headers);
    expect(new Set(idsOf(receiver.messages)).size).toBe(receiver.messages.length);
    const noted = await waitFor('the log', async () => {
      const log = await webhooks.deliveries(webhook.id);
      return log.length === receiver.messages.length ? log : undefined;
    });
    expect(noted.map(({ deliveryId, status, error, attempt }) => [deliveryId, status, error, attempt])).toEqual(
      [...receiver.messages].reverse().map((message) => [message.id, 204, null, 1]),
    );
  });

  it('are sent only what they ask for, many at once', async () => {
    await create({ url: `${receiver.url}/cancelled`, statuses: ['cancelled'] });
    await create({ url: `${receiver.url}/unique`, types: ['test.unique'] });
    await create({ url: `${receiver.url}/all` });
    await addMany(1_200);
    const id = await engine.enqueue(unique, { key: 'k' });
    await engine.tasks.cancel(id, 'test');
    const all = await receiver.until(1_202, { path: '/all' });
    await receiver.until(1, { path: '/cancelled' });
    await receiver.until(2, { path: '/unique' });
    expect(new Set(all.map((event) => `${event.id} ${event.task_id}`)).size).toBe(1_202);
    expect(receiver.events('/cancelled').map((event) => event.task_id)).toEqual([id]);
    expect(receiver.events('/unique').map(({ event }) => event)).toEqual(['task.queued', 'task.cancelled']);
    const sizes = receiver.messages.map(({ body }) => body.data.events.length);
    expect([Math.max(...sizes), receiver.messages.length < 20]).toEqual([500, true]);
  });

  it('are sent the same again, under the same id, until it is taken, and nothing else before', async () => {
    const statuses = [500, 302, 404, 429];
    receiver.answer = (_message, response) =>
      response.writeHead(statuses.shift() ?? 200, { location: `${receiver.url}/elsewhere`, 'retry-after': '0' }).end();
    const { webhook } = await create();
    const first = await engine.enqueue(work);
    await waitFor('a failure', () => receiver.messages.length > 1);
    const second = await engine.enqueue(work);
    await waitFor('the second', () => receiver.messages.at(-1)?.body.data.events[0]?.task_id === second);
    expect(receiver.events().map((event) => event.task_id)).toEqual([first, first, first, first, first, second]);
    expect(new Set(idsOf(receiver.messages.slice(0, 5))).size).toBe(1);
    expect(new Set(receiver.messages.slice(0, 5).map(({ text }) => text)).size).toBe(1);
    expect(receiver.messages.every(({ path }) => path === '/')).toBe(true);
    const log = await waitFor('the log', async () => {
      const attempts = await webhooks.deliveries(webhook.id);
      return attempts.length === 6 ? attempts : undefined;
    });
    expect(log.map(({ status, attempt }) => [status, attempt])).toEqual([
      [200, 1],
      [200, 5],
      [429, 4],
      [404, 3],
      [302, 2],
      [500, 1],
    ]);
    expect(await webhooks.get(webhook.id)).toMatchObject({ failingSince: null, attempt: 0, disabledAt: null });
  });

  it('are tried again when the receiver hangs, hangs up, talks another protocol or is not there', async () => {
    engine.app.get(Poster, { strict: false }).answerMs = 150;
    const behaviours: ((message: Received, response: ServerResponse) => unknown)[] = [
      () => undefined, // says nothing
      (_message, response) => response.destroy(),
      (_message, response) => response.writeHead(101, { connection: 'upgrade', upgrade: 'websocket' }).end(),
    ];
    receiver.answer = (message, response) => {
      const next = behaviours.shift();
      if (next) next(message, response);
      else response.end();
    };
    const [one, absent] = [await create(), await create({ url: 'http://127.0.0.1:1/' })];
    const id = await engine.enqueue(work);
    await waitFor('four attempts', () => receiver.messages.length === 4);
    expect(receiver.events().map((event) => event.task_id)).toEqual([id, id, id, id]);
    const errors = async (of: string): Promise<(string | undefined)[]> =>
      (await webhooks.deliveries(of)).map(({ error }) => error?.split(':')[0]);
    await waitFor('the logs', async () => (await errors(one.webhook.id)).length === 4);
    expect((await errors(one.webhook.id)).slice(1)).toEqual(['the receiver answered 101', 'econnreset', 'timeout']);
    await waitFor('refusals', async () => (await errors(absent.webhook.id)).includes('econnrefused'));
    expect(await webhooks.get(absent.webhook.id)).toMatchObject({ failingSince: expect.any(Date) });
  });

  it.each([3_600_000, -3_600_000])(
    'wait by the database’s time where a process’s clock is %d ms off',
    async (offMs) => {
      receiver.answer = (_message, response) => response.writeHead(500).end();
      const first = await create();
      await engine.enqueue(work);
      jest.useFakeTimers({ now: Date.now() + offMs, advanceTimers: true, doNotFake: REAL });
      try {
        await waitFor('three attempts', async () => (await webhooks.get(first.webhook.id)).attempt > 2);
      } finally {
        jest.useRealTimers();
      }
      const { nextAttemptAt, failingSince, disabledAt } = await webhooks.get(first.webhook.id);
      const isNear = (time: Date | null): boolean => Math.abs((time?.getTime() ?? 0) - Date.now()) < 60_000;
      expect([isNear(nextAttemptAt), isNear(failingSince), disabledAt]).toEqual([true, true, null]);
      // And whoever goes on with it waits no longer than it should.
      const other = await openEngine();
      others.push(other);
      await engine.close();
      receiver.answer = (_message, response) => response.end();
      const taken = async () =>
        (await other.app.get(WebhookService, { strict: false }).get(first.webhook.id)).attempt === 0;
      await waitFor('it to be taken', taken);
    },
  );

  it('end where the receiver is gone, or has failed for too long; and go on when somebody says so', async () => {
    receiver.answer = (_message, response) => response.writeHead(410).end();
    const { webhook } = await create();
    const id = await engine.enqueue(work);
    const disabled = (of: string) =>
      waitFor('the end', async () => {
        const { disabledReason } = await webhooks.get(of);
        return disabledReason;
      });
    expect(await disabled(webhook.id)).toBe('gone');
    await engine.enqueue(work);
    engine.app.get(WebhookDispatcher, { strict: false }).giveUpMs = 100;
    receiver.answer = (_message, response) => response.writeHead(503).end();
    const failing = await create();
    const last = await engine.enqueue(work);
    expect(await disabled(failing.webhook.id)).toBe('failing');
    receiver.messages.length = 0;
    receiver.takeAll();
    await webhooks.update(webhook.id, { enabled: true }, 'test');
    const events = await receiver.until(3);
    expect([events[0]?.task_id, events[2]?.task_id]).toEqual([id, last]);
  });

  it('are delivered by one process, and by another when that ends, without doubles', async () => {
    others.push(await openEngine());
    for (let i = 0; i < 4; i += 1) await create({ url: `${receiver.url}/${String(i)}` });
    await addMany(100);
    for (let i = 0; i < 4; i += 1) await receiver.until(100, { path: `/${String(i)}` });
    const [other] = others.splice(0);
    await other?.close();
    await addMany(100);
    for (let i = 0; i < 4; i += 1) {
      const events = await receiver.until(200, { path: `/${String(i)}` });
      expect(new Set(events.map((event) => event.task_id)).size).toBe(200);
      expect(events).toHaveLength(200);
    }
  });

  it('are delivered in the middle of what was being delivered when its process lost it', async () => {
    const { webhook } = await create();
    const held: (() => void)[] = [];
    receiver.answer = (_message, response) => held.push(() => response.end());
    await addMany(40);
    await waitFor('a message', () => receiver.messages.length === 1);
    // As if that process had stood still for longer than its lease.
    await engine.database.query(`UPDATE webhooks SET held_until = now() - interval '1 second'`);
    await waitFor('another message', () => receiver.messages.length === 2);
    receiver.takeAll();
    for (const release of held) release();
    await addMany(1);
    await receiver.until(81);
    expect(receiver.messages.slice(0, 2).map(({ id }) => id)).toEqual([
      receiver.messages[0]?.id,
      receiver.messages[0]?.id,
    ]);
    expect(receiver.messages[0]?.text).toBe(receiver.messages[1]?.text);
    expect((await webhooks.deliveries(webhook.id)).length).toBeGreaterThan(0);
  });

  it('are taken from a process that held them before the clock of the database was set back', async () => {
    await create();
    await engine.database.query(
      `UPDATE webhooks SET held_by = gen_random_uuid(), held_until = now() + interval '1 hour'`,
    );
    await addMany(1);
    await receiver.until(1);
  });

  it('do not keep a process from ending while the database is away', async () => {
    const proxy = await FaultProxy.before(database.url);
    const cutOff = await openEngine({}, proxy.url);
    await engine.close();
    let answer: (() => void) | undefined;
    receiver.answer = (_message, response) => (answer = () => response.writeHead(500).end());
    await cutOff.app.get(WebhookService, { strict: false }).create({ ...TERMS, url: receiver.url }, 'test:operator');
    await cutOff.enqueue(work);
    await waitFor('a message', () => answer);
    proxy.takeAway();
    answer?.();
    await waitFor('the outcome not to be written', () => proxy.refused > 3);
    await cutOff.close();
    await proxy.close();
  });

  it('are changed by several people at once, each in what they change', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { webhook } = await create();
      await Promise.all([
        webhooks.update(webhook.id, { name: `renamed ${String(round)}` }, 'test'),
        webhooks.update(webhook.id, { types: ['test.work'] }, 'test'),
        webhooks.update(webhook.id, { topLevel: true }, 'test'),
      ]);
      const changed = { name: `renamed ${String(round)}`, types: ['test.work'], topLevel: true };
      expect(await webhooks.get(webhook.id)).toMatchObject(changed);
    }
  });

  it('are sent the same to the byte by whoever goes on, in whatever order it was committed', async () => {
    const { webhook } = await create();
    await create({ url: `${receiver.url}/quick` });
    const held: (() => void)[] = [];
    receiver.answer = ({ path }, response) => {
      if (path === '/quick') response.end();
      else held.push(() => response.end());
    };
    const late = new pg.Client(database.url);
    await late.connect();
    await late.query('BEGIN');
    await late.query(
      `INSERT INTO task_events (task_id, to_status, attempt, fence, actor, reason)
      VALUES (gen_random_uuid(), 'created', 0, 0, 'test', 'created')`,
    );
    await addMany(1);
    await waitFor('the first message', () => held.length === 1);
    await addMany(1);
    await receiver.until(2, { path: '/quick' });
    await late.query('COMMIT');
    await late.end();
    await receiver.until(3, { path: '/quick' });
    held[0]?.();
    await waitFor('the second message', () => held.length === 2);
    await engine.database.query(`UPDATE webhooks SET held_until = now() - interval '1 second' WHERE id = $1`, [
      webhook.id,
    ]);
    await waitFor('the same again', () => held.length === 3);
    const [, second, again] = receiver.messages.filter(({ path }) => path === '/');
    expect([again?.id, again?.text]).toEqual([second?.id, second?.text]);
    expect(second?.body.data.events).toHaveLength(2);
    receiver.takeAll();
    for (const release of held) release();
  });

  it('are told that they have missed something when they come back after more than a day', async () => {
    const { webhook } = await create();
    await webhooks.update(webhook.id, { enabled: false }, 'test');
    await engine.enqueue(work);
    await engine.database.query(`UPDATE webhooks SET position = 't~5-9'`);
    await webhooks.update(webhook.id, { enabled: true }, 'test');
    await receiver.until(1);
    const id = await engine.enqueue(work);
    const events = await receiver.until(2);
    expect(events.map((event) => [event.event, event.reason, event.task_id])).toEqual([
      ['reset', 'position_too_old', undefined],
      ['task.queued', 'enqueued', id],
    ]);
  });

  it('can be pinged, and sent a delivery again', async () => {
    const { webhook, secret } = await create({ statuses: ['queued'] });
    const pinged = await webhooks.ping(webhook.id);
    expect([pinged.status, receiver.messages[0]?.body.type]).toEqual([204, 'ping']);
    await addMany(3);
    await receiver.until(3);
    const message = receiver.messages.at(-1);
    await waitFor('the log', async () => (await webhooks.deliveries(webhook.id)).length === 1);
    const again = await webhooks.redeliver(webhook.id, message?.id ?? '');
    expect([again.status, again.events]).toEqual([204, 3]);
    const last = receiver.messages.at(-1);
    expect([last?.id, last?.text]).toEqual([message?.id, message?.text]);
    new Verifier(secret).verify(last?.text ?? '', last?.headers ?? {});
    await expect(webhooks.redeliver(webhook.id, webhook.id)).rejects.toMatchObject({ code: 'delivery_not_found' });
  });

  it('follow a name to no address that is not allowed', async () => {
    const strict = await openEngine({ environment: { PHOTOSAFE_WEBHOOK_NETWORKS: 'public' } });
    others.push(strict);
    const service = strict.app.get(WebhookService, { strict: false });
    const url = receiver.url.replace('127.0.0.1', 'localhost');
    const terms = { name: 'inside', url, statuses: null, types: null, topLevel: false };
    const { webhook } = await service.create(terms, 'test'); // a name tells nothing before it is asked
    expect(await service.ping(webhook.id)).toMatchObject({
      status: null,
      error: expect.stringMatching(/^address_not_allowed/),
    });
    await expect(service.create({ ...terms, name: 'b', url: receiver.url }, 'test')).rejects.toMatchObject({
      code: 'invalid_webhook_url',
    });
    expect(receiver.messages).toEqual([]);
    await service.remove(webhook.id);
  });

  it('keep a log of a hundred attempts and no more', async () => {
    const { webhook } = await create();
    for (let i = 0; i < 110; i += 1) {
      await engine.enqueue(work);
      await receiver.until(i + 1);
    }
    await waitFor('the last in the log', async () => {
      const [last] = await webhooks.deliveries(webhook.id);
      return last?.deliveryId === receiver.messages.at(-1)?.id;
    });
    const log = await webhooks.deliveries(webhook.id);
    expect(log.map(({ deliveryId }) => deliveryId)).toEqual(idsOf(receiver.messages).reverse().slice(0, 100));
  });
});
