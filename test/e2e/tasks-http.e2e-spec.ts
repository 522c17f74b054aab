import { startHttp, type StartedHttp } from '../support/start-http.js';

let http: StartedHttp;

beforeAll(async () => {
  http = await startHttp();
});

afterAll(() => http.close());

/** A type of the shipped ones whose input is small. */
const TASK = { type: 'sweep_blobs', params: { min_age_ms: 5 } };

let created = 0;
const create = async (more: object = {}): Promise<Record<string, unknown>> =>
  (
    await http
      .as('operator')
      .post('/api/v1/tasks')
      .send({ ...TASK, dedup_key: `test ${String((created += 1))}`, ...more })
      .expect(202)
  ).body as Record<string, unknown>;

const count = async (): Promise<number> =>
  ((await http.as('viewer').get('/api/tasks?limit=1')).body as { total: number }).total;

describe('the task API that older clients use', () => {
  it('creates, shows, starts, cancels and polls a task', async () => {
    const fields = { description: 'Analyze the input data', domain: 'data_science', drift_score: 0.3 };
    const task = await create({ ...fields, type: 'SWEEP_BLOBS', run_immediately: false });
    const path = `/api/v1/tasks/${String(task.id)}`;
    expect(task).toMatchObject({ ...TASK, ...fields, task_type: 'sweep_blobs', status: 'created', error: null });
    expect((await http.as('viewer').get(path)).body).toEqual(task);
    expect((await http.as('operator').post(`${path}/run`).expect(200)).body).toMatchObject({ status: 'queued' });
    expect((await http.as('operator').post(`${path}/cancel`).expect(200)).body).toMatchObject({ status: 'cancelled' });
    expect((await http.as('viewer').get(`${path}/status`).expect(200)).body).toEqual({
      id: task.id,
      status: 'cancelled',
      updated_at: expect.any(String) as string,
      error: null,
    });
  });

  it.each([
    ['no type', { type: undefined }],
    ['an unknown type', { type: 'analysis_task' }],
    ['params that are no object', { params: [] }],
    ['params that the type refuses', { params: { min_age_ms: 'soon' } }],
    ['a drift score that is no number', { drift_score: 'far' }],
    ['a time that is a week', { run_at: '2026-W10' }],
    ['a field that does not exist', { colour: 'red' }],
  ])('refuses %s with 422 and writes nothing', async (_what, wrong) => {
    const before = await count();
    const answer = await http
      .as('operator')
      .post('/api/tasks')
      .send({ ...TASK, ...wrong });
    expect([answer.status, await count()]).toEqual([422, before]);
  });

  it.each([
    ['status=PENDING', true],
    ['status=created,running', false],
    ['task_type=Sweep_Blobs', true],
    ['type=thumbnails', false],
    ['queue=default', true],
    ['queue=other', false],
    ['text=NEEDLE', true],
    ['created_from=2999-01-01T00:00:00Z', false],
    ['created_to=2999-01-01T00:00:00Z', true],
    ['parent=00000000-0000-7000-8000-000000000000', false],
  ])('?%s finds the task: %p', async (query, isFound) => {
    const { id } = await create({ description: 'a needle in the hay' });
    const { body } = await http.as('viewer').get(`/api/tasks?limit=1&${query}`).expect(200);
    expect((body as { items: { id: string }[] }).items.some((item) => item.id === id)).toBe(isFound);
  });

  it.each([
    ['status=lost'],
    ['limit=101'],
    ['limit=0'],
    ['parent=7'],
    ['created_from=soon'],
    ['created_to=2026-W10'],
    ['cursor=x'],
  ])('?%s is refused with 422', async (query) => {
    await http.as('viewer').get(`/api/tasks?${query}`).expect(422);
  });

  it('finds a task by the beginning of its id, and names the tasks that share it', async () => {
    const id = String((await create()).id);
    const other = String((await create()).id);
    expect(
      (
        await http
          .as('viewer')
          .get(`/api/tasks/${id.slice(0, 24)}`)
          .expect(200)
      ).body,
    ).toMatchObject({ id });
    const { body } = await http
      .as('viewer')
      .get(`/api/tasks/${id.slice(0, 4)}`)
      .expect(409);
    expect(body).toMatchObject({ code: 'ambiguous_task_id', detail: expect.stringContaining(other) as string });
    await http.as('viewer').get('/api/tasks/ffffffff-ffff-7fff-8fff-ffffffffffff').expect(404);
  });
});

describe('a task that is to start by a time', () => {
  const at = (inMs: number): string => new Date(Date.now() + inMs).toISOString();
  const HOUR_MS = 3_600_000;
  const post = (fields: object, key = '') =>
    http
      .as('operator')
      .post('/api/tasks')
      .set(key === '' ? {} : { 'Idempotency-Key': key })
      .send({ ...TASK, ...fields });

  it.each([
    ['that has passed', () => ({ start_by: at(-HOUR_MS) }), 'has passed'],
    [
      'that has passed, like the time not to start before',
      () => ({ start_by: at(-1_000), run_at: at(-HOUR_MS) }),
      'has passed',
    ],
    [
      'before the one not to start before',
      () => ({ start_by: at(HOUR_MS), run_at: at(2 * HOUR_MS) }),
      'not after run_at',
    ],
  ])('%s is refused', async (_what, fields, message) => {
    const times = fields();
    for (const key of ['', 'refused']) {
      const { status, body } = await post(times, key);
      expect([status, body]).toMatchObject([
        422,
        {
          code: 'validation_failed',
          errors: [
            {
              field: 'start_by',
              value: times.start_by,
              message: expect.stringContaining(message) as string,
              allowed: expect.stringMatching(/^after 20/) as string,
            },
          ],
        },
      ]);
    }
  });

  it('is taken, and given again when the request is repeated after that time', async () => {
    const times = { start_by: at(2 * HOUR_MS), run_at: at(HOUR_MS) };
    const first = await post(times, 'in time').expect(202);
    const again = await post({ start_by: at(-HOUR_MS) }, 'in time').expect(202);
    expect([first.body.start_by, again.body.id]).toEqual([times.start_by, first.body.id]);
  });
});

describe('/tasks/{id}/explain, /tasks/stats and /tasks/bulk', () => {
  it('explain a task, count by type, and change many after a dry run', async () => {
    const { id } = await create({ description: 'to be changed' });
    expect(
      (
        await http
          .as('viewer')
          .get(`/api/tasks/${String(id)}/explain`)
          .expect(200)
      ).body,
    ).toMatchObject({
      code: 'no_worker',
      summary: 'No worker is running.',
      status: 'queued',
    });
    expect((await http.as('viewer').get('/api/tasks/stats').expect(200)).body).toMatchObject({
      types: [{ type: 'sweep_blobs' }],
    });
    const bulk = (body: object) => http.as('operator').post('/api/tasks/bulk').send(body);
    const request = { action: 'cancel', filter: { text: 'to be changed' } };
    const { body: dryRun } = (await bulk(request).expect(200)) as { body: { token: string } };
    expect(dryRun).toMatchObject({ dry_run: true, count: 1, changed: 0, sample: [{ id, status: 'queued' }] });
    await bulk({ ...request, dry_run: false }).expect(422);
    await bulk({ ...request, dry_run: false, expected_count: 2 }).expect(409);
    const { body: done } = await bulk({ ...request, dry_run: false, token: dryRun.token }).expect(200);
    expect(done).toMatchObject({ dry_run: false, count: 1, changed: 1 });
    await bulk({ action: 'delete', filter: { status: 'cancelled' } }).expect(403);
    await http.as('viewer').post('/api/tasks/bulk').send(request).expect(403);
  });
});
