import pg from 'pg';
import { systemActor, TokenService } from '../../../../src/access/index.js';
import { Database } from '../../../../src/platform/database/database.js';
import type { Role } from '../../../../src/platform/http/declared-access.js';
import { EventStreams } from '../../../../src/tasks/events/event-streams.js';
import { ProgressWatch } from '../../../../src/tasks/events/progress-watch.js';
import { Tail } from '../../../../src/tasks/events/tail.js';
import {
  type AnyTaskDefinition,
  type EnqueueOptions,
  TaskService,
  WorkflowService,
} from '../../../../src/tasks/index.js';
import { elsewhere, type TestInput, unique, work } from '../../../support/engine-harness.js';
import { type ServerSentEvent, SseClient } from '../../../support/sse-client.js';
import { startHttp, type StartedHttp } from '../../../support/start-http.js';
import { waitFor } from '../../../support/wait-for.js';

const NO_ID = '01890000-0000-7000-8000-000000000000';
const ENVIRONMENT = { PHOTOSAFE_EVENT_STREAMS: '8' };

let http: StartedHttp;
let url: string;
let streams: EventStreams;
let tasks: TaskService;
let count = 0;
const clients: SseClient[] = [];

beforeAll(async () => {
  http = await startHttp([], ENVIRONMENT);
  await http.app.listen(0, '127.0.0.1');
  url = `${await http.app.getUrl()}/api/events`;
  streams = http.app.get(EventStreams, { strict: false });
  tasks = http.app.get(TaskService, { strict: false });
  Object.assign(streams, { checkMs: 50, beatMs: 200 });
  http.app.get(Tail, { strict: false }).lookEveryMs = 20;
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(() => http.close());

async function newToken(role: Role = 'viewer', expiresAt?: Date) {
  const name = `token ${String((count += 1))}`;
  return http.app.get(TokenService).create({ name, role, expiresAt }, systemActor('test'));
}

async function open(query = '', options: { token?: string; lastEventId?: string } = {}): Promise<SseClient> {
  const token = options.token ?? (await newToken()).secret;
  const client = await SseClient.open(`${url}${query}`, { ...options, token });
  clients.push(client);
  return client;
}

const add = async (
  task: AnyTaskDefinition = work,
  input: TestInput = {},
  options: Partial<EnqueueOptions> = {},
): Promise<string> => (await tasks.enqueue(task, input, { actor: 'test:someone', ...options })).id;

const addMany = (n: number) =>
  tasks.enqueueMany(work, Array.from({ length: n }, (_, i) => ({ n: i })), { actor: 'test' }); // prettier-ignore

const idsOf = (events: readonly ServerSentEvent[]): unknown[] => events.map(({ data }) => data.task_id);
const numbersOf = (events: readonly ServerSentEvent[]): string[] =>
  events.map(({ data }) => `${String(data.id)} ${String(data.task_id)}`);

describe('GET /api/events', () => {
  it('tells what happens to tasks, from the moment of its answer on', async () => {
    await add();
    const client = await open();
    const id = await add(work, {}, { name: 'a task\nof mine' });
    await tasks.cancel(id, 'test:other');
    const [queued, cancelled] = await client.until(2);
    expect([client.status, client.response.headers['content-type'], client.response.headers['cache-control']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store, no-transform',
    ]);
    expect(client.retryMs).toBeGreaterThanOrEqual(1_000);
    const common = { task_id: id, type: 'test.work', name: 'a task\nof mine', queue: 'default', attempt: 0 };
    const unsaid = { id: expect.stringMatching(/^\d+$/), at: expect.stringMatching(/^20.*Z$/) };
    expect([queued, cancelled].map((event) => [event?.event, event?.data])).toEqual([
      [
        'task.queued',
        {
          ...{ ...common, ...unsaid, event: 'task.queued', from: 'created', to: 'queued' },
          ...{ reason: 'enqueued', actor: 'test:someone' },
        },
      ],
      [
        'task.cancelled',
        {
          ...{ ...common, ...unsaid, event: 'task.cancelled', from: 'queued', to: 'cancelled' },
          ...{ reason: 'cancelled', actor: 'test:other' },
        },
      ],
    ]);
  });

  it('goes on behind any event that a client has had, also within many that were written as one', async () => {
    const first = await open();
    await add();
    await addMany(20);
    const all = [...(await first.until(21))];
    first.close();
    await add(); // while nobody listens
    for (const at of [0, 1, 7, 19, 20]) {
      const again = await open('', { lastEventId: all[at]?.id });
      const rest = await again.until(all.length - at);
      again.close();
      expect(numbersOf(rest.slice(0, -1))).toEqual(numbersOf(all.slice(at + 1)));
    }
    const caughtUp = await open('', { lastEventId: first.lastEventId });
    expect(await caughtUp.until(1)).toHaveLength(1);
  });

  it.each([
    ['what-is-this', 'position_malformed'],
    ['t~5-9', 'position_too_old'],
    ['top2v4~zzzzzzzz-5', 'position_unknown'],
  ])('says so, and begins anew, where it cannot go on behind %s', async (lastEventId, reason) => {
    const client = await open('', { lastEventId });
    const id = await add();
    await client.until(1);
    expect(client.events.map(({ event, data }) => [event, data.reason, data.task_id])).toEqual([
      ['reset', reason, undefined],
      ['task.queued', 'enqueued', id],
    ]);
  });

  it('tells only what was asked for', async () => {
    const plan = { name: 'a workflow', nodes: [{ name: 'only', type: work, params: {} }] };
    const { id: workflowId } = await http.app.get(WorkflowService, { strict: false }).start(plan, { actor: 'test' });
    const one = await add();
    const asked = [
      '?status=cancelled,pending&type=TEST.WORK',
      '?queue=other',
      `?task=${one.toUpperCase()},${NO_ID}`,
      `?workflow=${workflowId}`,
      `?parent=${NO_ID}`,
      '?top_level=true&type=test.unique',
    ];
    const opened = await Promise.all(asked.map((query) => open(query)));
    const everything = await open();
    const [two, other, third] = [await add(), await add(elsewhere), await add(unique, { key: 'k' })];
    await tasks.cancel(one, 'test');
    await everything.until(4);
    const mark = await add(unique, { key: 'last' });
    await everything.until(5);
    await opened[5]?.until(2);
    expect(opened.map((client) => idsOf(client.tasks))).toEqual([[two, one], [other], [one], [], [], [third, mark]]);
  });

  it.each([
    ['?status=dancing', ['status']],
    ['?status=', ['status']],
    ['?task=1', ['task']],
    [`?task=${NO_ID},,${NO_ID}`, ['task']],
    ["?parent=' OR 1=1&workflow=%00&top_level=maybe&progress=7", ['parent', 'workflow', 'top_level', 'progress']],
    ['?created_from=2026-01-01&offset=1', ['created_from', 'offset']],
    ['?type=a&type=b', ['type']],
  ])('refuses %s before it begins', async (query, fields) => {
    const client = await open(query.replaceAll(' ', '%20'));
    await client.untilEnded();
    const problem = JSON.parse(client.text) as { code: string; errors: { field: string }[] };
    expect([client.status, problem.code]).toEqual([422, 'validation_failed']);
    expect(problem.errors.map(({ field }) => field).sort()).toEqual([...fields].sort());
  });

  it('refuses more than a hundred ids', async () => {
    const client = await open(`?task=${Array.from({ length: 101 }, () => NO_ID).join(',')}`);
    await client.untilEnded();
    expect([client.status, client.text]).toEqual([422, expect.stringContaining('"field":"task"')]);
  });

  it('is for those who may read', async () => {
    const [nobody, worker] = [await SseClient.open(url), await open('', { token: (await newToken('worker')).secret })];
    await Promise.all([nobody.untilEnded(), worker.untilEnded()]);
    expect([nobody, worker].map(({ status, text }) => [status, (JSON.parse(text) as { code: string }).code])).toEqual([
      [401, 'token_missing'],
      [403, 'role_insufficient'],
    ]);
    const { status, headers } = await http.as('viewer').head('/api/events');
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });

  it('ends when its token is revoked or has expired, and says so', async () => {
    const revoked = await newToken();
    const expiring = await newToken('viewer', new Date(Date.now() + 3_000));
    const [one, two, other] = [
      await open('', { token: revoked.secret }),
      await open('', { token: expiring.secret }),
      await open(),
    ];
    await http.app.get(TokenService).revoke(revoked.token.id, systemActor('test'));
    await Promise.all([one.untilEnded({ timeoutMs: 20_000 }), two.untilEnded({ timeoutMs: 20_000 })]);
    expect([one, two].map((client) => client.events.at(-1)).map((event) => [event?.event, event?.data])).toEqual([
      ['end', { event: 'end', reason: 'token_revoked' }],
      ['end', { event: 'end', reason: 'token_expired' }],
    ]);
    expect(other.ended).toBe(false);
  });

  it('admits so many and no more', async () => {
    const opened = await Promise.all(Array.from({ length: 8 }, () => open()));
    const refused = await open();
    await refused.untilEnded();
    expect([refused.status, (JSON.parse(refused.text) as { code: string }).code]).toEqual([
      503,
      'too_many_event_streams',
    ]);
    expect(refused.response.headers['retry-after']).toBeDefined();
    opened[0]?.close();
    await waitFor('a free place', async () => (await open()).status === 200);
  });

  it('shows that it lives, and moves the position of who is told nothing', async () => {
    const client = await open('?type=none');
    const before = client.lastEventId;
    await add();
    await waitFor('a heartbeat', () => client.comments.includes('alive') && client.lastEventId !== before);
    const again = await open('', { lastEventId: client.lastEventId });
    const id = await add();
    expect(idsOf(await again.until(1))).toEqual([id]);
  });

  it('tells the progress of running tasks to those who ask for it', async () => {
    const [client, plain] = [await open('?progress=true'), await open()];
    const id = await add(work, {}, { runImmediately: false });
    await moveTo(id, 3, 12);
    await waitFor('its progress', () => client.events.some(({ event }) => event === 'task.progress'));
    await moveTo(id, 9, 12);
    await waitFor('more of it', () => client.events.filter(({ event }) => event === 'task.progress').length > 1);
    const told = client.events.filter(({ event }) => event === 'task.progress').map(({ data }) => data);
    expect(told.map((data) => [data.task_id, data.processed, data.total, data.progress])).toEqual([
      [id, 3, 12, 25],
      [id, 9, 12, 75],
    ]);
    expect(plain.events.some(({ event }) => event === 'task.progress')).toBe(false);
  });
});

/** As if a worker had it and had come so far. */
async function moveTo(id: string, processed: number, total: number): Promise<void> {
  await http.app.get(Database, { strict: false }).query(
    `UPDATE live_tasks SET status = 'running', ready = false, queued_at = now(), worker_id = gen_random_uuid(), processed = $2, total = $3
     WHERE id = $1`,
    [id, processed, total],
  );
}

describe('a client that stops reading', () => {
  it('is cut after a while, and neither holds up the others nor misses anything when it comes back', async () => {
    streams.stallMs = 600;
    const [slow, quick] = [await open(), await open()];
    await add();
    const [last] = await slow.until(1);
    slow.response.pause();
    slow.response.socket.pause();
    const rounds = 12;
    const startedAt = performance.now();
    for (let round = 1; round <= rounds; round += 1) {
      await addMany(4_000); // more than sockets hold
      await quick.until(1 + round * 4_000, { timeoutMs: 60_000 });
    }
    await waitFor('the slow one to be cut', async () => (await cuts()) === 1, { timeoutMs: 20_000 });
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    streams.stallMs = 20_000;
    const back = await open('', { lastEventId: last?.id });
    await back.until(rounds * 4_000, { timeoutMs: 60_000 });
    expect(numbersOf(back.tasks)).toEqual(numbersOf(quick.tasks.slice(1)));
  });

  const cuts = async (): Promise<number> => {
    const { text } = await http.as('viewer').get('/api/metrics');
    return Number(/^photosafe_event_streams_cut_total (\d+)$/m.exec(text)?.[1]);
  };
});

describe('progress', () => {
  it('is looked at once a second, also when people come and go while a look takes long', async () => {
    const watch = http.app.get(ProgressWatch, { strict: false });
    const locking = new pg.Client(http.database.url);
    await locking.connect();
    await locking.query('BEGIN; LOCK TABLE live_tasks IN ACCESS EXCLUSIVE MODE');
    const isLooking = async (): Promise<boolean> => {
      const sql = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'photosafe-events' AND wait_event_type = 'Lock'
        AND datname = current_database()`;
      return (await http.app.get(Database).query(sql)).length === 1;
    };
    const first = (): void => undefined;
    watch.join(first);
    await waitFor('a look to be under way', isLooking);
    watch.leave(first);
    const at: number[] = [];
    const second = (): void => void at.push(performance.now());
    watch.join(second);
    await locking.query('COMMIT');
    await locking.end();
    await waitFor('some looks', () => at.length > 4);
    watch.leave(second);
    const [from = 0, ...later] = at;
    expect((later.at(-1) ?? 0) - from).toBeGreaterThan(3_000);
  });
});

describe('the end of the server', () => {
  it('waits for no stream, not even one that nobody reads', async () => {
    const own = await startHttp();
    await own.app.listen(0, '127.0.0.1');
    const address = `${await own.app.getUrl()}/api/events`;
    const { secret: token } = await own.app
      .get(TokenService)
      .create({ name: 'follower', role: 'viewer' }, systemActor('test'));
    const [one, stuck] = [await SseClient.open(address, { token }), await SseClient.open(address, { token })];
    stuck.response.socket.pause();
    await own.app
      .get(TaskService, { strict: false })
      .enqueueMany(work, Array.from({ length: 30_000 }, (_, n) => ({ n })), { actor: 'test' }); // prettier-ignore
    await one.until(30_000, { timeoutMs: 30_000 });
    const startedAt = performance.now();
    await own.close();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await one.untilEnded();
    expect(one.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'shutting_down' } });
    stuck.close();
  });
});
