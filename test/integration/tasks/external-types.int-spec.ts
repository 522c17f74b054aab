import { Database } from '../../../src/platform/database/database.js';
import { TaskService } from '../../../src/tasks/index.js';
import { Engine } from '../../support/engine-harness.js';
import { ExternalHttp, SLOPE } from '../../support/external-http.js';
import { startHttp, type StartedHttp } from '../../support/start-http.js';

let http: StartedHttp;
let external: ExternalHttp;

beforeAll(async () => {
  http = await startHttp();
  external = new ExternalHttp(http);
});

beforeEach(async () => {
  await http.app
    .get(Database)
    .query('TRUNCATE live_tasks, finished_tasks, task_events, task_event_batches, external_task_types');
});

afterAll(() => http.close());

const any = (schema: object) => ({ ...SLOPE, input_schema: { type: 'object', ...schema } });
const counts = async (): Promise<unknown> =>
  (await http.app.get(Database).query('SELECT count(*)::int AS tasks FROM tasks'))[0];
const listed = async (name: string): Promise<unknown> => {
  const { body } = await http.as('viewer').get('/api/task-types');
  return (body as { items: { name: string }[] }).items.find((item) => item.name === name);
};

describe('a task type that is declared', () => {
  it('is there at once, beside those that are built in', async () => {
    expect(await external.tryToDeclare(SLOPE)).toEqual({
      status: 201,
      body: { name: 'raster.slope', version: 1, queue: 'raster.slope', created: true },
    });
    expect(await listed('raster.slope')).toEqual({
      name: 'raster.slope',
      version: 1,
      versions: [1],
      title: 'Slope of a raster',
      queue: 'raster.slope',
      max_attempts: 3,
      timeout_ms: 60_000,
      params: ['tile', 'unit'],
      external: true,
      input_schema: SLOPE.input_schema,
      result_schema: null,
    });
    expect(await listed('analyze')).toMatchObject({
      external: false,
      input_schema: { properties: { catalog_id: { type: 'string', format: 'uuid' } }, required: ['catalog_id'] },
    });
    expect(await external.task(await external.enqueue({ tile: 3 }))).toMatchObject({
      type: 'raster.slope',
      name: 'Slope of a raster',
      status: 'queued',
      params: { tile: 3 },
      queue: 'raster.slope',
      max_attempts: 3,
      timeout_ms: 60_000,
    });
  });

  it('may be declared again as it is, or with another policy, but not with another schema', async () => {
    await external.declare();
    expect(await external.tryToDeclare(SLOPE)).toMatchObject({ status: 200, body: { created: false } });
    expect(await external.tryToDeclare({ ...SLOPE, timeout_ms: 5_000, title: 'Slopes' })).toMatchObject({
      status: 200,
    });
    expect(await listed('raster.slope')).toMatchObject({ timeout_ms: 5_000, title: 'Slopes' });
    for (const other of [any({}), { ...SLOPE, result_schema: {} }, { ...SLOPE, queue: 'elsewhere' }]) {
      expect(await external.tryToDeclare(other)).toMatchObject({
        status: 409,
        body: { code: 'task_type_declared_otherwise' },
      });
    }
    expect(await listed('raster.slope')).toMatchObject({ input_schema: SLOPE.input_schema });
  });

  it('is checked in its newest version when a task is added', async () => {
    await external.declare();
    await external.declare({ ...any({ required: ['dem'] }), version: 2 });
    expect(await listed('raster.slope')).toMatchObject({ version: 2, versions: [1, 2] });
    expect((await external.create({ type: 'raster.slope', params: { tile: 1 } })).status).toBe(422);
    expect((await external.create({ type: 'RASTER.Slope', params: { dem: 'a' } })).body).toMatchObject({ version: 2 });
  });

  it('refuses input that does not fit before anything is written, and names each field', async () => {
    await external.declare();
    expect(await external.create({ type: 'raster.slope', params: { tile: 'x', unit: 'km', more: 1 } })).toMatchObject({
      status: 422,
      body: {
        code: 'invalid_task_input',
        errors: [
          { field: 'params.more', message: 'is not a known field' },
          { field: 'params.tile', message: 'must be integer', value: 'x', allowed: 'integer' },
          { field: 'params.unit', value: 'km', allowed: 'one of "degrees", "percent"' },
        ],
      },
    });
    expect(await counts()).toEqual({ tasks: 0 });
    expect(await external.create({ type: 'raster.nothing' })).toMatchObject({
      status: 422,
      body: { code: 'unknown_task_type', errors: [{ allowed: expect.stringContaining('raster.slope') as string }] },
    });
  });

  it('cannot take the name of one that is built in, in any letter case, or its queue', async () => {
    expect(await external.tryToDeclare({ ...SLOPE, name: 'analyze' })).toMatchObject({
      status: 409,
      body: { code: 'builtin_task_type' },
    });
    expect(await external.tryToDeclare({ ...SLOPE, name: 'Analyze' })).toMatchObject({ status: 422 });
    expect(await external.tryToDeclare({ ...SLOPE, queue: 'default' })).toMatchObject({
      status: 409,
      body: { code: 'builtin_queue' },
    });
  });

  it('is known to other processes and after a restart, with dedup keys and idempotency as ever', async () => {
    const elsewhere = await Engine.open(http.database.url);
    try {
      await external.declare();
      const tasks = elsewhere.app.get(TaskService);
      const options = { actor: 'cli:anna', dedupKey: 'tile 1' };
      const first = await tasks.create('raster.slope', { tile: 1 }, options);
      const second = await tasks.create('raster.slope', { tile: 1 }, options);
      expect([first.created, second]).toEqual([true, { id: first.id, created: false }]);
      await expect(tasks.create('raster.slope', {}, options)).rejects.toMatchObject({ code: 'invalid_task_input' });
      const third = await tasks.create('raster.slope', { tile: 2 }, { actor: 'cli:anna', idempotencyKey: 'k' });
      const again = await tasks.create('raster.slope', { tile: 2 }, { actor: 'cli:anna', idempotencyKey: 'k' });
      expect(again).toEqual({ id: third.id, created: false });
    } finally {
      await elsewhere.close();
    }
  });

  it('may be declared by several at once', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => external.tryToDeclare(SLOPE)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    const others = await Promise.all(
      [any({ minProperties: 1 }), any({ minProperties: 2 })].map((type) =>
        external.tryToDeclare({ ...type, version: 2 }),
      ),
    );
    expect(others.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it.each([
    [
      'a remote reference',
      any({ properties: { a: { $ref: 'https://example.com/a.json' } } }),
      'input_schema.properties.a.$ref',
    ],
    ['a schema that is too large', any({ description: 'x'.repeat(70_000) }), 'input_schema'],
    ['a misspelt keyword', any({ requred: ['a'] }), 'input_schema'],
    ['endless references', any({ allOf: [{ $ref: '#' }] }), 'input_schema'],
    ['an input that is no object', { ...SLOPE, input_schema: { type: 'string' } }, 'input_schema.type'],
    ['a broken schema of its result', { ...SLOPE, result_schema: { type: 'nothing' } }, 'result_schema'],
  ])('is refused with %s', async (_what, type, field) => {
    const { status, body } = await external.tryToDeclare(type);
    expect([status, body.code, (body.errors as { field: string }[])[0]?.field]).toEqual([422, 'invalid_schema', field]);
    expect(await listed('raster.slope')).toBeUndefined();
  });

  it('is refused with what cannot be stored, or makes no sense', async () => {
    expect((await external.tryToDeclare(any({ description: 'a\0b' }))).body).toMatchObject({
      code: 'invalid_schema',
      errors: [{ field: 'input_schema.description' }],
    });
    const wrong = { ...SLOPE, version: 0, retry: { attempts: 0 }, timeout_ms: 1, surplus: true };
    expect((await external.tryToDeclare(wrong)).body).toMatchObject({
      code: 'validation_failed',
      errors: expect.arrayContaining(
        ['version', 'retry.attempts', 'timeout_ms', 'surplus'].map(
          (field) => expect.objectContaining({ field }) as object,
        ),
      ) as object[],
    });
  });

  it.each([
    [{ retry: [] }, 'retry'],
    [{ limits: [] }, 'limits'],
    [{ limits: { rate: [] } }, 'limits.rate'],
  ])('is refused with a list in the place of an object: %j', async (more, field) => {
    const { status, body } = await external.tryToDeclare({ ...SLOPE, ...more });
    expect([status, (body.errors as { field: string }[]).map((error) => error.field)]).toEqual([422, [field]]);
  });

  it('may have fields that are called as what every object inherits', async () => {
    const field = { type: 'string' };
    const properties = { constructor: field, toString: field, hasOwnProperty: field };
    const required = Object.keys(properties);
    await external.declare({
      ...SLOPE,
      input_schema: { type: 'object', properties, required, additionalProperties: false },
    });
    const params = { constructor: 'Ferrari', toString: 'a', hasOwnProperty: 'b' };
    expect(await external.create({ type: 'raster.slope', params: { constructor: 'Ferrari' } })).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'params.toString', message: 'is missing' }, { field: 'params.hasOwnProperty' }] },
    });
    const schedule = { name: 'inherited', cron: '@yearly', type: 'raster.slope', params };
    const { status, body } = await http.as('admin').post('/api/schedules').send(schedule);
    expect([status, (body as { params: unknown }).params]).toEqual([201, params]);
    const task_metadata = { ...params, deep: [params] };
    const id = await external.enqueue(params, { task_metadata });
    const claimed = await external.claimOne();
    expect(claimed.params).toEqual(params);
    expect((await external.attempt(claimed.attempt_id, 'complete', { result: params })).status).toBe(200);
    expect((await http.as('viewer').get(`/api/tasks/${id}/result`)).body).toMatchObject({ result: params });
    expect(await external.task(id)).toMatchObject({ task_metadata });
  });

  it('with a pattern that backtracks for ever costs a moment at most', async () => {
    await external.declare(any({ properties: { a: { type: 'string', pattern: '^(a+)+$' } } }));
    const started = performance.now();
    const answer = await external.create({ type: 'raster.slope', params: { a: `${'a'.repeat(40)}!` } });
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_task_input' } });
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('with such a pattern stops the check of a workflow at the first node that takes too long', async () => {
    await external.declare(any({ properties: { a: { type: 'string', pattern: '^(a+)+$' } } }));
    const node = (name: string) => ({ name, type: 'raster.slope', params: { a: `${'a'.repeat(40)}!` } });
    const nodes = Array.from({ length: 1_000 }, (_, nth) => node(`n${String(nth)}`));
    const { body } = await http.as('operator').post('/api/workflows').send({ nodes });
    expect(body).toMatchObject({ status: 422, errors: [{ field: 'nodes.0.params' }] });
  });
});
