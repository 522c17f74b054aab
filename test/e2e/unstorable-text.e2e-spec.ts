import { Controller, Get, Module } from '@nestjs/common';
import { Public } from '../../src/access/index.js';
import { Database } from '../../src/platform/database/database.js';
import { startHttp, type StartedHttp } from '../support/start-http.js';

/** What no real endpoint does: hand the database text that nobody has looked at. */
@Controller('test')
class CarelessController {
  constructor(private readonly database: Database) {}

  @Get('text')
  @Public()
  async readText(): Promise<void> {
    await this.database.query('SELECT $1::text', ['a\0']);
  }

  @Get('json')
  @Public()
  async readJson(): Promise<void> {
    await this.database.query('SELECT $1::jsonb', [JSON.stringify('a\0')]);
  }
}

@Module({ controllers: [CarelessController] })
class CarelessModule {}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly { readonly field: string; readonly value: string; readonly allowed: string }[];
}

const NOWHERE = '01900000-0000-7000-8000-000000000000';
const SCHEDULE = { name: 'refused', cron: '@yearly', task_type: 'sweep_blobs' };
const NODE = { name: 'scan', type: 'analyze', params: { catalog_id: NOWHERE } };
const WHEN = { node: 'scan', path: '/photos', equals: 'none\0' };

describe('text that the database cannot hold', () => {
  let http: StartedHttp;

  beforeAll(async () => {
    http = await startHttp([CarelessModule]);
  });
  afterAll(() => http.close());

  it.each([
    ['/api/tasks?text=a%00', 'text'],
    ['/api/tasks?queue=a%00', 'queue'],
    ['/api/tasks?type=a%00', 'type'],
    ['/api/tasks?task_type=a%00', 'task_type'],
    ['/api/images?text=a%00', 'text'],
    ['/api/images?camera=a%00', 'camera'],
    ['/api/tasks/a%00', 'id'],
    ['/api/workflows/a%00', 'id'],
    ['/api/tasks/bulk/a%00', 'token'],
  ])('is refused in the address: %s', async (path, field) => {
    const { body } = await http.as('viewer').get(path);
    expect(body as Refusal).toMatchObject({
      status: 422,
      code: 'validation_failed',
      errors: [{ field, value: String.raw`a\u0000`, allowed: expect.any(String) as string }],
    });
  });

  it.each<[string, object, string]>([
    ['/api/tasks', { type: 'analyze', name: 'a\ud800' }, 'name'],
    ['/api/tasks', { type: 'analyze', task_metadata: { 'a\0': [1] } }, String.raw`task_metadata.a\u0000`],
    ['/api/tasks/bulk', { action: 'cancel', filter: { text: 'a\0' } }, 'filter.text'],
    ['/api/tasks/bulk', { action: 'cancel', filter: { queue: 'a\0' } }, 'filter.queue'],
    ['/api/queues/default/pause', { reason: 'a\0' }, 'reason'],
    ['/api/task-types/analyze/pause', { reason: '\ude00\ud83d' }, 'reason'],
    ['/api/schedules', { ...SCHEDULE, description: 'a\0' }, 'description'],
    ['/api/schedules', { ...SCHEDULE, params: { a: ['\0'] } }, 'params.a.0'],
    ['/api/workflows', { name: 'a\0', nodes: [NODE] }, 'name'],
    ['/api/workflows', { nodes: [NODE, { ...NODE, params: { a: '\0' } }] }, 'nodes.1.params.a'],
    [
      '/api/workflows',
      { nodes: [NODE, { ...NODE, name: 'b', after: ['scan'], skip_if: WHEN }] },
      'nodes.1.skip_if.equals',
    ],
    ['/api/tokens', { name: 'a\0', role: 'viewer' }, 'name'],
  ])('is refused in the body: %s %j', async (path, sent, field) => {
    const { body } = await http.as('admin').post(path).send(sent);
    const { status, code, errors } = body as Refusal;
    expect([status, code, errors.map((error) => error.field)]).toEqual([422, 'validation_failed', [field]]);
    expect(JSON.stringify(errors)).toMatch(/\\\\u0000|\\\\ud83d|\\\\ud800/); // escaped once more than JSON does
  });

  it('is refused with the code of the input where the type of a task has the say', async () => {
    const sent = { type: 'analyze', params: { catalog_id: 'a\0' } };
    expect((await http.as('operator').post('/api/tasks').send(sent)).body).toMatchObject({
      status: 422,
      code: 'invalid_task_input',
    });
  });

  it.each<[string, object]>([
    ['/api/tokens', { name: '❤️'.repeat(51), role: 'viewer' }],
    ['/api/catalogs', { name: '❤️'.repeat(101), roots: ['/tmp'] }],
    ['/api/schedules', { ...SCHEDULE, name: '❤️'.repeat(51) }],
  ])('is also what only the database finds too long: %s', async (path, sent) => {
    const { status, errors } = (await http.as('admin').post(path).send(sent)).body as Refusal;
    expect([status, errors.map(({ field }) => field)]).toEqual([422, ['name']]);
  });

  it('is told from whole characters and from text that looks like an escape', async () => {
    const name = String.raw`😀 \u0000 \ud800`;
    const { body } = await http.as('admin').post('/api/tokens').send({ name, role: 'viewer' }).expect(201);
    expect(body).toMatchObject({ name });
  });

  it.each(['text', 'json'])('is no bug of ours when the database is the first to see it, as %s', async (kind) => {
    expect((await http.as().get(`/api/test/${kind}`)).body).toMatchObject({ status: 422, code: 'validation_failed' });
  });
});
