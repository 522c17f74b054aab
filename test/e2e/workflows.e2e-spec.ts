import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { photosafe } from '../support/photosafe.js';
import { startHttp, type StartedHttp } from '../support/start-http.js';

jest.setTimeout(300_000);

let http: StartedHttp;
let home: string;

beforeAll(async () => {
  [http, home] = [await startHttp(), await mkdtemp(join(tmpdir(), 'photosafe-workflows-'))];
});

afterAll(async () => {
  await http.close();
  await rm(home, { recursive: true, force: true });
});

const catalog_id = '01900000-0000-7000-8000-000000000000';
const SPEC = {
  name: 'new photos',
  nodes: [
    { name: 'scan', type: 'ANALYZE', params: { catalog_id } },
    {
      name: 'thumbnails',
      type: 'thumbnails',
      params: { catalog_id: { $from: 'scan', path: '/catalog_id' } },
      after: [{ node: 'scan', on_failure: 'skip' }],
      skip_if: { node: 'scan', path: '/photos', equals: 0 },
    },
    { name: 'again', type: 'analyze', params: { catalog_id }, after: ['thumbnails', { node: 'scan' }] },
  ],
};

describe('workflows over HTTP', () => {
  it('are started once for a key, shown with their graph, cancelled and retried', async () => {
    const operator = http.as('operator');
    const start = () => operator.post('/api/workflows').set('Idempotency-Key', 'one').send(SPEC);
    const { status, body, headers } = await start();
    expect([status, body]).toMatchObject([
      202,
      { name: 'new photos', status: 'running', progress: 0, counts: { open: 3 } },
    ]);
    expect(headers.location).toBe(`/api/workflows/${String(body.id)}`);
    const replay = await start();
    expect([replay.body.id, replay.headers['idempotent-replay']]).toEqual([body.id, 'true']);

    const later = { ...SPEC, nodes: SPEC.nodes.map((one) => ({ ...one, start_by: new Date(Date.now() + 60_000) })) };
    const timed = await operator.post('/api/workflows').set('Idempotency-Key', 'one').send(later);
    expect(timed.body.id).toBe(body.id);

    const shown = await http.as('viewer').get(`/api/workflows/${String(body.id)}`);
    expect(shown.body.nodes).toMatchObject([
      { name: 'scan', type: 'analyze', status: 'queued', level: 0, after: [] },
      { name: 'thumbnails', status: 'created', level: 1, after: [{ node: 'scan', on_failure: 'skip' }] },
      {
        name: 'again',
        level: 2,
        after: [
          { node: 'scan', on_failure: 'fail' },
          { node: 'thumbnails', on_failure: 'fail' },
        ],
      },
    ]);

    const cancelled = await operator.post(`/api/workflows/${String(body.id)}/cancel`);
    expect(cancelled.body).toMatchObject({ status: 'cancelled', progress: 100, counts: { cancelled: 3 } });
    const retried = await operator.post(`/api/workflows/${String(body.id)}/retry`).send({ node: 'scan' });
    expect(retried.body).toMatchObject({ status: 'running', progress: 0, counts: { open: 3 } });
    await operator.post(`/api/workflows/${String(body.id)}/cancel`);
    const all = await operator.post(`/api/workflows/${String(body.id)}/retry`);
    expect([all.status, all.body]).toMatchObject([200, { status: 'running', counts: { open: 3 } }]);
    const list = await http.as('viewer').get('/api/workflows?status=running');
    expect(list.body.items).toMatchObject([{ id: body.id }]);
  });

  it('are refused with every wrong field by its name', async () => {
    const post = async (nodes: unknown): Promise<object> =>
      (await http.as('operator').post('/api/workflows').send({ nodes })).body as object;
    expect(await post([{ name: 'a', type: 'analyze', after: ['b'], on_failure: 'skip' }])).toMatchObject({
      status: 422,
      errors: [{ field: 'nodes.0.on_failure' }],
    });
    for (const entry of [[], [[]], null, 7]) {
      expect(await post([{ name: 'a', type: 'analyze', params: { catalog_id } }, entry])).toMatchObject({
        status: 422,
        errors: [{ field: 'nodes.1', value: entry, allowed: 'an object' }],
      });
    }
    expect(await post([{ name: 'a', type: 'analyze', after: [7] }])).toMatchObject({
      errors: [{ field: 'nodes.0.after', allowed: expect.stringContaining('run_anyway') }],
    });
    const messageFor = async (...after: unknown[]): Promise<string> => {
      const body = (await post([{ name: 'a', type: 'analyze', after }])) as { errors: { message: string }[] };
      return body.errors[0]?.message ?? '';
    };
    expect([
      await messageFor('b', { node: 'b', on_failure: 'explode' }),
      await messageFor({ node: 7 }),
      await messageFor({ node: 'b', onFailure: 'skip' }),
      await messageFor(7),
    ]).toEqual([
      expect.stringMatching(/number 1, .* on_failure "explode"; it must be one of fail, .*run_anyway/),
      expect.stringContaining('number 0, that names no node'),
      expect.stringContaining('unknown field "onFailure"'),
      expect.stringContaining('neither the name of a node nor an object'),
    ]);
    expect(await post([{ name: 'a', type: 'analyze', params: { catalog_id }, after: ['b', 'a'] }])).toMatchObject({
      code: 'invalid_workflow',
      errors: [
        { field: 'nodes.0.after.0', value: 'b' },
        { field: 'nodes.0.after.1', value: 'a' },
      ],
    });
    const [start_by, run_at] = ['2020-01-01T00:00:00Z', '2100-01-01T00:00:00Z'];
    const analyze = { type: 'analyze', params: { catalog_id } };
    const late = [
      { name: 'a', ...analyze, start_by },
      { name: 'b', ...analyze, run_at },
      { name: 'c', ...analyze, run_at, start_by: run_at },
    ];
    expect(await post(late)).toMatchObject({
      code: 'invalid_workflow',
      errors: [
        { field: 'nodes.0.start_by', value: '2020-01-01T00:00:00.000Z' },
        { field: 'nodes.2.start_by', allowed: expect.stringContaining('its run_at') },
      ],
    });
    expect((await http.as('viewer').post('/api/workflows').send(SPEC)).status).toBe(403);
    expect((await http.as('viewer').get('/api/workflows/nope')).body).toMatchObject({ code: 'invalid_workflow_id' });
  });

  it('may nest their input 500 levels deep, and learn so when it is deeper than can be read', async () => {
    const post = async (levels: number): Promise<string> => {
      const deep = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
      const text = `{"nodes":[{"name":"a","type":"analyze","after":["b"],"params":${deep}}]}`;
      const request = http.as('operator').post('/api/workflows').set('Content-Type', 'application/json');
      return (await request.send(text)).body.detail as string;
    };
    expect(await post(500)).toContain('there is no "b"');
    expect(await post(100_000)).toBe('The input is nested too deeply: keep to 500 levels.');
  });

  it('may have thousands of nodes in one request', async () => {
    const nodes = Array.from({ length: 10_000 }, (_, n) => ({
      ...{ name: `node-number-${String(n)}`, type: 'analyze', params: { catalog_id } },
      after: n === 0 ? [] : [`node-number-${String(n - 1)}`],
    }));
    const { status, body } = await http.as('operator').post('/api/workflows').send({ nodes });
    expect([status, body]).toMatchObject([202, { counts: { total: 10_000 } }]);
    expect((await http.as('viewer').get(`/api/workflows/${String(body.id)}`)).body.nodes).toHaveLength(10_000);
    expect((await http.as('operator').post(`/api/workflows/${String(body.id)}/cancel`)).status).toBe(200);
  });
});

describe('photosafe workflow', () => {
  it('starts what a file describes, shows it, and says what is wrong with another', async () => {
    const environment = { DATABASE_URL: http.database.url, PHOTOSAFE_DATA_DIR: home };
    const [good, bad] = [join(home, 'good.json'), join(home, 'bad.json')];
    await writeFile(good, JSON.stringify(SPEC));
    await writeFile(
      bad,
      JSON.stringify({ nodes: [{ name: 'a', type: 'analyze', params: { catalog_id }, after: ['a'] }] }),
    );
    const run = await photosafe(['workflow', 'run', good, '--json'], environment);
    expect([run.code, run.stderr]).toEqual([0, '']);
    const { id } = JSON.parse(run.stdout) as { id: string };
    const shown = await photosafe(['workflow', 'show', id.slice(0, 24)], environment);
    expect(shown.stdout).toContain('  · thumbnails: created ← scan');
    expect((await photosafe(['workflow', 'cancel', id], environment)).stdout).toContain('cancelled, 0 of 3 nodes open');
    const refused = await photosafe(['workflow', 'run', bad], environment);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('makes "a" wait for itself')]);
    const late = [{ name: 'a', type: 'analyze', params: { catalog_id }, start_by: '2020-01-01' }];
    await writeFile(bad, JSON.stringify({ nodes: late }));
    const tooLate = await photosafe(['workflow', 'run', bad], environment);
    expect([tooLate.code, tooLate.stderr]).toEqual([1, expect.stringContaining('nodes.0.start_by has passed')]);
  });
});
