import { startHttp, type StartedHttp } from '../support/start-http.js';

let http: StartedHttp;

beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.close());

const TYPE = 'maintenance.find-missing-work';
let created = 0;
const create = async (more: object = {}): Promise<string> => {
  const { body } = await http
    .as('operator')
    .post('/api/tasks')
    .send({ type: TYPE, params: {}, dedup_key: `one ${String((created += 1))}`, ...more })
    .expect(202);
  return String(body.id);
};
const explained = async (id: string): Promise<string[]> => {
  const { body } = await http.as('viewer').get(`/api/tasks/${id}/explain`).expect(200);
  return (body.reasons as { code: string }[]).map(({ code }) => code);
};

describe('queues over HTTP', () => {
  it('are listed with what waits in them', async () => {
    await create();
    const { body } = await http.as('viewer').get('/api/queues').expect(200);
    const names = (body.items as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['default', 'images']));
    const { body: queue } = await http.as('viewer').get('/api/queues/default').expect(200);
    expect(queue).toMatchObject({
      name: 'default',
      ready: expect.any(Number) as number,
      running: 0,
      paused: null,
      limits: {},
    });
    expect((await http.as('viewer').get('/api/queues/nothing').expect(404)).body.code).toBe('queue_not_found');
  });

  it('are paused and resumed by operators, who say why, and limited by admins', async () => {
    const path = '/api/queues/default';
    const reason = 'the disk is full';
    await http.as('viewer').post(`${path}/pause`).send({ reason }).expect(403);
    const paused = await http.as('operator').post(`${path}/pause`).send({ reason }).expect(200);
    expect(paused.body.paused).toMatchObject({ by: expect.stringContaining('test-operator') as string, reason });
    const id = await create();
    expect((await explained(id))[0]).toBe('queue_paused');
    await http.as('operator').post(`${path}/resume`).send({}).expect(200);
    expect(await explained(id)).not.toContain('queue_paused');

    await http.as('operator').put(`${path}/limits`).send({ concurrency: 2 }).expect(403);
    await http.as('admin').put(`${path}/limits`).send({ concurrency: 0 }).expect(422);
    await http
      .as('admin')
      .put(`${path}/limits`)
      .send({ rate: { count: 1, per_ms: 1 } })
      .expect(422);
    const limited = await http.as('admin').put(`${path}/limits`).send({ concurrency: 2 }).expect(200);
    expect(limited.body.limits).toEqual({ concurrency: 2 });
    expect((await http.as('admin').put(`${path}/limits`).send({}).expect(200)).body.limits).toEqual({});
    await http.as('operator').post('/api/queues/nothing/pause').send({}).expect(404);

    const { body } = await http.as('viewer').get('/api/limit-events?scope=queue&limit=3').expect(200);
    const actions = (body.items as { action: string }[]).map(({ action }) => action);
    expect(actions).toEqual(['limits_reset', 'limits_set', 'resumed']);
    const older = await http
      .as('viewer')
      .get(`/api/limit-events?cursor=${String(body.next_cursor)}`)
      .expect(200);
    expect(older.body.items).toMatchObject([{ action: 'paused', name: 'default', reason }]);
  });

  it('have types with limits of their own', async () => {
    const path = `/api/task-types/${TYPE}`;
    const breaker = { failures: 3, cool_down_ms: 5_000, longest_cool_down_ms: 60_000 };
    const limits = { concurrency: 1, concurrency_per_key: 1, rate: { count: 5, per_ms: 60_000 }, breaker };
    const { body } = await http
      .as('admin')
      .put(`${path.toUpperCase().replace('/API/TASK-TYPES', '/api/task-types')}/limits`)
      .send(limits)
      .expect(200);
    expect(body).toMatchObject({
      name: TYPE,
      limits,
      declared: {},
      overridden: limits,
      circuit: { state: 'closed', failures: 0 },
    });
    const { body: events } = await http
      .as('viewer')
      .get(`/api/limit-events?scope=type&name=${TYPE}&limit=1`)
      .expect(200);
    expect(events.items).toMatchObject([{ action: 'limits_set', details: limits }]);
    const unlimited = await http.as('admin').put(`${path}/limits`).send({ concurrency: null }).expect(200);
    expect(unlimited.body).toMatchObject({ limits: {}, overridden: { concurrency: null } });
    await http.as('operator').post(`${path}/pause`).send({ reason: 'x' }).expect(200);
    expect((await explained(await create()))[0]).toBe('type_paused');
    await http.as('operator').post(`${path}/resume`).send({}).expect(200);
    await http.as('operator').post(`${path}/breaker/close`).send({}).expect(200);
    expect((await http.as('viewer').get('/api/task-types/limits').expect(200)).body.items).toMatchObject([
      { name: TYPE },
    ]);
    await http.as('operator').post('/api/task-types/nothing/pause').send({}).expect(422);
  });

  it.each([
    [{ rate: [] }, 'rate'],
    [{ rate: [{ count: 1, per_ms: 1 }] }, 'rate'],
    [{ rate: {} }, 'rate.count'],
    [{ breaker: [] }, 'breaker'],
    [{ breaker: 'x' }, 'breaker'],
    [{ breaker: { failures: 1, cool_down_ms: 2_000, longest_cool_down_ms: 1_999 } }, 'breaker.longest_cool_down_ms'],
    [{ breaker: { failures: 1, longest_cool_down_ms: 29_999 } }, 'breaker.longest_cool_down_ms'],
    [{ breaker: { failures: 1, cool_down_ms: null, longest_cool_down_ms: 29_999 } }, 'breaker.longest_cool_down_ms'],
  ])('refuse limits that are none: %j', async (limits, field) => {
    const path = `/api/task-types/${TYPE}/limits`;
    const { body } = await http.as('admin').put(path).send(limits).expect(422);
    expect((body as { errors: { field: string }[] }).errors[0]?.field).toBe(field);
  });

  it('take breakers whose cool-down never grows, or is longer than the usual longest', async () => {
    const path = `/api/task-types/${TYPE}/limits`;
    for (const more of [{ cool_down_ms: 2_000, longest_cool_down_ms: 2_000 }, { cool_down_ms: 3_600_000 }]) {
      const breaker = { failures: 1, ...more };
      expect((await http.as('admin').put(path).send({ breaker }).expect(200)).body.limits).toEqual({ breaker });
    }
    await http.as('admin').put(path).send({}).expect(200);
  });

  it('take tasks that must start in time', async () => {
    const start_by = new Date(Date.now() + 3_600_000).toISOString();
    expect(await explained(await create({ start_by }))).toContain('must_start_by');
  });
});
