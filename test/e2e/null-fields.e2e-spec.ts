import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHttp, type StartedHttp } from '../support/start-http.js';

let http: StartedHttp;

beforeAll(async () => {
  http = await startHttp();
});

afterAll(() => http.close());

const TASK = { type: 'sweep_blobs', params: { min_age_ms: 5 } };

/** Many clients send null for what they leave out. */
describe('null in a field that may be left out', () => {
  it.each(['run_at', 'start_by', 'name', 'description', 'priority', 'task_metadata', 'run_immediately', 'params'])(
    'says nothing of a task: %s',
    async (field) => {
      const send = (body: object) => http.as('operator').post('/api/tasks').send(body).expect(202);
      const { body } = await send({ ...TASK, dedup_key: field, [field]: null });
      expect(body).toMatchObject({ status: 'queued', name: 'Delete files of removed thumbnails', start_by: null });
      expect(Date.parse((body as { run_at: string }).run_at)).toBeGreaterThan(Date.now() - 60_000);
    },
  );

  it.each(['status', 'type', 'queue', 'text', 'created_from', 'created_to'])(
    'narrows no operation on many tasks: %s',
    async (field) => {
      const count = async (filter: object) => {
        const request = {
          action: 'cancel',
          filter: { queue: 'default', status: 'all', ...filter },
          token: null,
          expected_count: null,
        };
        return ((await http.as('operator').post('/api/tasks/bulk').send(request).expect(200)).body as { count: number })
          .count;
      };
      expect(await count({ [field]: null })).toBe(await count({}));
    },
  );

  it('changes nothing of a webhook, but that types and statuses are all', async () => {
    const terms = {
      name: 'hook',
      url: 'http://127.0.0.1:1/',
      types: ['analyze'],
      statuses: ['failed'],
      top_level: true,
    };
    const { body } = await http.as('admin').post('/api/webhooks').send(terms).expect(201);
    const path = `/api/webhooks/${(body as { id: string }).id}`;
    const nulls = { name: null, url: null, top_level: null, enabled: null };
    expect((await http.as('admin').patch(path).send(nulls).expect(200)).body).toMatchObject(terms);
    const all = { types: null, statuses: null };
    expect((await http.as('admin').patch(path).send(all).expect(200)).body).toMatchObject(all);
  });

  it('keeps no tasks for ever', async () => {
    const path = '/api/retention/types/analyze_batch';
    const { body } = await http.as('admin').put(path).send({ completed: null, failed: 5 }).expect(200);
    expect(body).toEqual(expect.objectContaining({ type: 'analyze_batch', failed: 5 }));
    expect(body).not.toHaveProperty('completed');
    await http.as('admin').put(path).send({ completed: null }).expect(422);
  });

  it('makes nothing else of a workflow or a preview', async () => {
    const nulls = { params: null, after: null, skip_if: null, weight: null, priority: null, description: null };
    const nodes = [{ name: 'a', type: 'maintenance.retention', ...nulls }];
    const { body } = await http.as('operator').post('/api/workflows').send({ name: null, nodes }).expect(202);
    const path = `/api/workflows/${(body as { id: string }).id}`;
    await http.as('operator').post(`${path}/cancel`).send({}).expect(200);
    await http.as('operator').post(`${path}/retry`).send({ node: null }).expect(200);
    const preview = { cron: '0 3 * * *', time_zone: null, after: null };
    const times = (await http.as('viewer').post('/api/schedules/preview').send(preview).expect(200)).body as {
      fire_times: string[];
    };
    expect(Date.parse(times.fire_times[0] ?? '')).toBeGreaterThan(Date.now());
    await http
      .as('viewer')
      .post('/api/schedules/preview')
      .send({ ...preview, count: null })
      .expect(422);
  });

  it('changes nothing of a catalogue', async () => {
    const root = await mkdtemp(join(tmpdir(), 'photos-'));
    const sent = { name: 'nulls', roots: [root] };
    const { body } = await http.as('operator').post('/api/catalogs').send(sent).expect(201);
    const { id, roots } = body as { id: string; roots: unknown };
    const nulls = { name: null, roots: null };
    const changed = await http.as('operator').patch(`/api/catalogs/${id}`).send(nulls).expect(200);
    expect(changed.body).toMatchObject({ name: 'nulls', roots });
    await rm(root, { recursive: true });
  });

  it('lets a token work until it is revoked', async () => {
    const sent = { name: 'nulls', role: 'viewer', expires_at: null };
    const { body } = await http.as('admin').post('/api/tokens').send(sent).expect(201);
    expect(body).toMatchObject({ state: 'active', expires_at: null });
  });
});
