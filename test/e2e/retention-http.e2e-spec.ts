import { startHttp, type StartedHttp } from '../support/start-http.js';

let http: StartedHttp;

beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.close());

describe('retention and lineage over HTTP', () => {
  it('lets an admin set and take back how long tasks of a type are kept', async () => {
    const path = '/api/retention/types/analyze_batch';
    await http.as('operator').put(path).send({ completed: 7 }).expect(403);
    await http.as('admin').put(path).send({ completed: 7, failed: 'forever' }).expect(200);
    const { body } = await http.as('viewer').get('/api/retention').expect(200);
    expect(body.items).toMatchObject([{ type: 'analyze_batch' }]);
    await http.as('admin').put(path).send({ completed: 0 }).expect(422);
    await http.as('admin').put('/api/retention/types/analyse').send({ completed: 7 }).expect(422);
    await http.as('admin').delete(path).expect(204);
    expect((await http.as('viewer').get(path).expect(404)).body.code).toBe('retention_policy_not_found');
    expect((await http.as('viewer').get('/api/retention/archives').expect(200)).body.items).toEqual([]);
  });

  it('tells the lineage of a task, and refuses ids and cursors that are none', async () => {
    const task = { type: 'maintenance.find-missing-work', params: {} };
    const created = await http.as('operator').post('/api/tasks').send(task).expect(202);
    const path = `/api/tasks/${String(created.body.id)}/lineage`;
    const { body } = await http.as('viewer').get(path).expect(200);
    expect(body).toMatchObject({
      task: { type: task.type },
      ancestors: [],
      children: [],
      items: [],
      next_cursor: null,
    });
    await http.as('viewer').get(`${path}?cursor=rubbish`).expect(422);
    await http.as('viewer').get('/api/images/01890000-0000-7000-8000-000000000000/lineage').expect(404);
  });
});
