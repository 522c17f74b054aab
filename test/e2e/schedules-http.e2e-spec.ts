import { ScheduleDefaults } from '../../src/tasks/schedules/schedule-defaults.js';
import { startHttp, type StartedHttp } from '../support/start-http.js';

let http: StartedHttp;

beforeAll(async () => {
  http = await startHttp();
});

afterAll(() => http.close());

interface Body {
  id: string;
  next_fire_times: string[];
}

/** Far away, so that no test meets it. */
const NEW_YEAR = { type: 'sweep_blobs', params: { min_age_ms: 5 }, cron: '0 0 1 1 *', time_zone: 'europe/berlin' };

const create = async (name: string, terms: object = {}): Promise<Body> =>
  (
    await http
      .as('admin')
      .post('/api/schedules')
      .send({ name, ...NEW_YEAR, ...terms })
      .expect(201)
  ).body as Body;

describe('/schedules', () => {
  it('lists what is shipped, with the next fire times', async () => {
    await http.app.get(ScheduleDefaults, { strict: false }).insert();
    const { body } = await http.as('viewer').get('/api/schedules').expect(200);
    expect(body).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({
          name: 'nightly missing work',
          task_type: 'maintenance.find-missing-work',
          cron: '30 3 * * *',
          paused: false,
          next_fire_times: Array.from({ length: 5 }, () => expect.any(String) as string),
          last_tick: null,
          last_task: null,
          problem: null,
        }),
        expect.objectContaining({ name: 'weekly sweep of thumbnails', task_type: 'sweep_blobs' }),
      ]) as unknown,
      next_cursor: null,
    });
  });

  it('creates, shows, changes and deletes', async () => {
    const created = await http
      .as('admin')
      .post('/api/schedules')
      .send({ name: ' Yearly ', ...NEW_YEAR, type: 'Sweep_Blobs' });
    const { id, next_fire_times: times } = created.body as Body;
    expect(created.status).toBe(201);
    expect(created.headers.location).toBe(`/api/schedules/${id}`);
    expect(created.body).toMatchObject({
      name: 'Yearly',
      type: 'sweep_blobs',
      task_type: 'sweep_blobs',
      params: { min_age_ms: 5 },
      time_zone: 'Europe/Berlin',
      catch_up: 'latest',
      catch_up_max: 10,
      overlap: 'skip',
      priority: null,
      start_within_ms: null,
      created_by: 'token:test-admin',
    });
    expect(times.every((time) => time.endsWith('-12-31T23:00:00.000Z'))).toBe(true);
    expect((await http.as('viewer').get(`/api/schedules/${id}`).expect(200)).body).toEqual(created.body);

    const changed = await http
      .as('admin')
      .patch(`/api/schedules/${id}`)
      .send({
        catch_up: 'all',
        overlap: 'queue',
        description: 'Once',
        priority: -3,
        start_within_ms: 5_000,
        cron: null,
      })
      .expect(200);
    expect(changed.body).toMatchObject({
      catch_up: 'all',
      catch_up_max: 10,
      overlap: 'queue',
      description: 'Once',
      priority: -3,
      start_within_ms: 5_000,
      name: 'Yearly',
    });
    const removed = { description: null, priority: null, start_within_ms: null };
    expect((await http.as('admin').patch(`/api/schedules/${id}`).send(removed)).body).toMatchObject(removed);

    await http.as('admin').delete(`/api/schedules/${id}`).expect(204);
    const gone = await http.as('viewer').get(`/api/schedules/${id}`).expect(404);
    expect(gone.body).toMatchObject({ code: 'schedule_not_found' });
    await http.as('admin').delete(`/api/schedules/${id}`).expect(404);
    await http.as('admin').post(`/api/schedules/${id}/pause`).expect(404);
    await http.as('operator').post(`/api/schedules/${id}/run`).expect(404);
  });

  it('is changed by several people at once, each in what they change', async () => {
    const { id } = await create('by several');
    const patch = (changes: object) => http.as('admin').patch(`/api/schedules/${id}`).send(changes).expect(200);
    await Promise.all([{ catch_up: 'all' }, { catch_up_max: 7 }, { description: 'theirs' }].map(patch));
    const { body } = await http.as('viewer').get(`/api/schedules/${id}`).expect(200);
    expect(body).toMatchObject({ catch_up: 'all', catch_up_max: 7, description: 'theirs' });
  });

  it('takes the old name of the type, alone or beside the new one', async () => {
    const old = await create('old name', { type: undefined, task_type: 'SWEEP_BLOBS' });
    const both = await create('both names', { task_type: 'Sweep_Blobs' });
    const type = 'maintenance.find-missing-work';
    const patch = async (terms: object) =>
      (await http.as('admin').patch(`/api/schedules/${old.id}`).send(terms)).body as Body;
    const changed = [
      await patch({ task_type: type, params: {} }),
      await patch({ type: 'sweep_blobs' }),
      await patch({ type: null, task_type: type }),
      await patch({ description: 'as it was' }),
    ];
    expect([old, both, ...changed]).toMatchObject(
      ['sweep_blobs', 'sweep_blobs', type, 'sweep_blobs', type, type].map((one) => ({ type: one, task_type: one })),
    );
    const refused = await http.as('admin').patch(`/api/schedules/${old.id}`).send({ type, task_type: 'sweep_blobs' });
    expect(refused.body).toMatchObject({ status: 422, errors: [{ field: 'task_type', value: 'sweep_blobs' }] });
  });

  it('pages through them', async () => {
    await Promise.all(['page 1', 'page 2', 'page 3'].map((name) => create(name)));
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query = cursor === '' ? { limit: 2 } : { limit: 2, cursor };
      const { body } = await http.as('viewer').get('/api/schedules').query(query).expect(200);
      const page = body as { items: Body[]; next_cursor: string | null };
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    const { body } = await http.as('viewer').get('/api/schedules').query({ limit: 100 });
    expect(seen).toEqual((body as { items: Body[] }).items.map(({ id }) => id));
    await http.as('viewer').get('/api/schedules').query({ cursor: 'bm9uZQ' }).expect(422);
  });

  it.each([
    [{ cron: '0 0 31 2 *' }, 'invalid_cron_expression', 'cron'],
    [{ cron: 'x'.repeat(300) }, 'validation_failed', 'cron'],
    [{ time_zone: 'Mars' }, 'unknown_time_zone', 'time_zone'],
    [{ type: 'nothing' }, 'unknown_task_type', 'type'],
    [{ type: 7 }, 'validation_failed', 'type'],
    [{ type: undefined }, 'validation_failed', 'type'],
    [{ type: null }, 'validation_failed', 'type'],
    [{ type: undefined, task_type: '' }, 'validation_failed', 'task_type'],
    [{ type: 'thumbnails', task_type: 'sweep_blobs' }, 'validation_failed', 'task_type'],
    [{ params: { min_age_ms: -1 } }, 'invalid_task_input', 'params.min_age_ms'],
    [{ params: [] }, 'validation_failed', 'params'],
    [{ catch_up: 'some' }, 'validation_failed', 'catch_up'],
    [{ catch_up_max: 0 }, 'validation_failed', 'catch_up_max'],
    [{ overlap: 'cancel' }, 'validation_failed', 'overlap'],
    [{ priority: 1_001 }, 'validation_failed', 'priority'],
    [{ start_within_ms: 999 }, 'validation_failed', 'start_within_ms'],
    [{ start_within_ms: 604_800_001 }, 'validation_failed', 'start_within_ms'],
    [{ name: '' }, 'validation_failed', 'name'],
    [{ name: 'a\u0000b' }, 'validation_failed', 'name'],
    [{ crom: '* * * * *' }, 'validation_failed', 'crom'],
  ])('refuses %j, naming the field and what would do', async (terms, code, field) => {
    const { body } = await http
      .as('admin')
      .post('/api/schedules')
      .send({ name: 'refused', ...NEW_YEAR, ...terms })
      .expect(422);
    expect(body).toMatchObject({ code, errors: [expect.objectContaining({ field })] });
  });

  it('refuses a name that is taken', async () => {
    await create('taken');
    const { body } = await http
      .as('admin')
      .post('/api/schedules')
      .send({ name: 'TAKEN', ...NEW_YEAR })
      .expect(409);
    expect(body).toMatchObject({ code: 'schedule_name_taken' });
  });

  it('runs one now, pauses and resumes it, and tells what became of it', async () => {
    const { id } = await create('by hand');
    const paused = await http.as('admin').post(`/api/schedules/${id}/pause`).expect(200);
    expect(paused.body).toMatchObject({ paused: true, paused_by: 'token:test-admin', next_fire_times: [] });

    const run = await http.as('operator').post(`/api/schedules/${id}/run`).expect(202);
    const task = run.body as { id: string };
    expect(run.headers.location).toBe(`/api/tasks/${task.id}`);
    expect(run.body).toMatchObject({ type: 'sweep_blobs', requested_by: 'token:test-operator', status: 'queued' });
    const busy = await http.as('operator').post(`/api/schedules/${id}/run`).expect(409);
    expect(busy.body).toMatchObject({ code: 'schedule_busy', detail: expect.stringContaining(task.id) as string });

    const resumed = await http.as('admin').post(`/api/schedules/${id}/resume`).expect(200);
    expect(resumed.body).toMatchObject({
      paused: false,
      last_tick: { cause: 'manual', outcome: 'started', task_id: task.id },
      last_task: { id: task.id, status: 'queued' },
    });
    const ticks = await http.as('viewer').get(`/api/schedules/${id}/ticks`).query({ limit: 1 }).expect(200);
    const { next_cursor: cursor } = ticks.body as { next_cursor: string };
    expect(ticks.body).toMatchObject({ items: [{ outcome: 'started' }] });
    const rest = await http.as('viewer').get(`/api/schedules/${id}/ticks`).query({ cursor }).expect(200);
    expect(rest.body).toEqual({ items: [], next_cursor: null });
    await http.as('viewer').get(`/api/schedules/${id}/ticks`).query({ cursor: 'bm9uZQ' }).expect(422);
  });

  it('previews a schedule, and an expression that is none yet', async () => {
    const { id } = await create('previewed');
    const after = '2027-06-01T00:00:00Z';
    const saved = await http.as('viewer').get(`/api/schedules/${id}/preview`).query({ count: 2, after }).expect(200);
    expect(saved.body).toEqual({
      cron: '0 0 1 1 *',
      time_zone: 'Europe/Berlin',
      fire_times: ['2027-12-31T23:00:00.000Z', '2028-12-31T23:00:00.000Z'],
    });
    const unsaved = await http.as('viewer').post('/api/schedules/preview').send({ cron: '@daily', after }).expect(200);
    expect(unsaved.body).toMatchObject({
      time_zone: 'UTC',
      fire_times: ['02', '03', '04', '05', '06'].map((day) => `2027-06-${day}T00:00:00.000Z`),
    });
    for (const body of [
      { cron: '0 0 30 2 *' },
      { cron: '@daily', count: 1_001 },
      { cron: '@daily', after: '+200000-01-01' },
    ]) {
      await http.as('viewer').post('/api/schedules/preview').send(body).expect(422);
    }
  });

  it('is written by admins only, started by operators, read by viewers', async () => {
    const { id } = await create('guarded');
    const of = `/api/schedules/${id}`;
    await http.as().get('/api/schedules').expect(401);
    await http.as('worker').get('/api/schedules').expect(403);
    await http
      .as('operator')
      .post('/api/schedules')
      .send({ name: 'n', ...NEW_YEAR })
      .expect(403);
    await http.as('operator').patch(of).send({ name: 'n' }).expect(403);
    await http.as('operator').delete(of).expect(403);
    await http.as('operator').post(`${of}/pause`).expect(403);
    await http.as('operator').post(`${of}/resume`).expect(403);
    await http.as('viewer').post(`${of}/run`).expect(403);
  });
});
