import { Database } from '../../src/platform/database/database.js';
import { startHttp, type StartedHttp } from '../support/start-http.js';

jest.setTimeout(120_000);

let http: StartedHttp;

beforeAll(async () => {
  http = await startHttp();
});

afterAll(() => http.close());

const catalog_id = '01900000-0000-7000-8000-000000000000';

describe('the status of workflows', () => {
  let running: string;
  let cancelled: string;

  const start = async (): Promise<string> => {
    const nodes = [{ name: 'scan', type: 'analyze', params: { catalog_id } }];
    return (await http.as('operator').post('/api/workflows').send({ nodes })).body.id as string;
  };

  beforeAll(async () => {
    running = await start();
    cancelled = await start();
    await http.as('operator').post(`/api/workflows/${cancelled}/cancel`);
    await http.app
      .get(Database)
      .query('UPDATE workflows SET open = 0, completed = 1, completed_at = now() WHERE id = $1', [await start()]);
  });

  it.each([
    ['RUNNING', ['running']],
    ['succeeded', ['completed']],
    ['COMPLETED', ['completed']],
    ['completed,failed', ['completed']],
    ['cancelled, Running', ['cancelled', 'running']],
    ['pending', []],
    ['all', ['completed', 'cancelled', 'running']],
  ])('is read as that of tasks is: %s', async (status, shown) => {
    const { body } = await http.as('viewer').get('/api/workflows').query({ status });
    expect((body.items as { status: string }[]).map((one) => one.status)).toEqual(shown);
  });

  it('goes from page to page', async () => {
    const query = { status: 'CANCELLED,running', limit: 1 };
    const first = await http.as('viewer').get('/api/workflows').query(query);
    const second = await http
      .as('viewer')
      .get('/api/workflows')
      .query({ ...query, cursor: first.body.next_cursor });
    expect([first.body.items[0].id, second.body.items[0].id]).toEqual([cancelled, running]);
  });

  it.each(['lost', '', 'running,', 'toString'])('is refused when it means none: "%s"', async (status) => {
    const { body } = await http.as('viewer').get('/api/workflows').query({ status });
    expect(body).toMatchObject({
      status: 422,
      errors: [{ field: 'status', allowed: expect.stringContaining('succeeded') }],
    });
  });
});

describe('the statuses of webhooks', () => {
  const url = 'https://example.com/hook';
  const create = (name: string, statuses: unknown) =>
    http.as('admin').post('/api/webhooks').send({ name, url, statuses });

  it('are read as those of tasks are, each kept once, when one is made and when it is changed', async () => {
    const { status, body } = await create('one', ['succeeded', 'PENDING', 'Created']);
    expect([status, body.statuses]).toEqual([201, ['completed', 'created', 'queued']]);
    const patch = async (changes: object) =>
      (
        await http
          .as('admin')
          .patch(`/api/webhooks/${String(body.id)}`)
          .send(changes)
      ).body.statuses as unknown;
    expect([
      await patch({ statuses: ['FAILED', 'Succeeded'] }),
      await patch({ name: 'two' }),
      await patch({ statuses: null }),
    ]).toEqual([['failed', 'completed'], ['failed', 'completed'], null]);
  });

  it.each([[['lost']], [['completed', 7]], [[]], ['completed']])(
    'are refused when they mean none: %j',
    async (words) => {
      expect((await create('three', words)).body).toMatchObject({
        status: 422,
        errors: [{ field: 'statuses', allowed: expect.stringContaining('each: one of created, queued') }],
      });
    },
  );
});
