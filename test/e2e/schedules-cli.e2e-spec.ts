import { photosafe } from '../support/photosafe.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

const run = (...args: string[]) => photosafe(['schedule', ...args], { DATABASE_URL: database.url });

const json = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect([args, code, code === 0 ? '' : stderr]).toEqual([args, 0, '']);
  return JSON.parse(stdout) as Record<string, unknown>;
};

describe('photosafe schedule', () => {
  it('makes, changes, shows, pauses, resumes, starts and deletes one', async () => {
    const terms = ['--type', 'sweep_blobs', '--cron', '0 0 1 1 *', '--time-zone', 'Europe/Berlin'];
    const created = await json('create', 'yearly', ...terms, '--params', '{"min_age_ms": 5}', '--overlap', 'queue');
    expect(created).toMatchObject({ name: 'yearly', params: { min_age_ms: 5 }, overlap: 'queue', catch_up: 'latest' });
    expect(await json('update', 'YEARLY', '--catch-up', 'all', '--catch-up-max', '3')).toMatchObject({
      ...{ id: created.id, catch_up: 'all', catch_up_max: 3, cron: '0 0 1 1 *' },
    });
    const timed = await json('update', 'yearly', '--priority', '-5', '--start-within', '15m');
    expect(timed).toMatchObject({ catch_up: 'all', priority: -5, start_within_ms: 900_000 });
    const untimed = await json('update', 'yearly', '--priority', 'none', '--start-within', 'None');
    expect(untimed).toMatchObject({ catch_up: 'all', priority: null, start_within_ms: null });
    expect(await json('pause', 'yearly')).toMatchObject({ paused: true, next_fire_times: [] });
    const task = await json('run', 'yearly');
    expect(task).toMatchObject({
      type: 'sweep_blobs',
      status: 'queued',
      requested_by: expect.stringMatching(/^cli:/) as string,
    });
    expect(await json('resume', 'yearly')).toMatchObject({ paused: false });
    expect(await json('show', 'yearly')).toMatchObject({ ticks: [{ cause: 'manual', task_id: task.id }] });
    const { stdout } = await run('list');
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([
      'name',
      'nightly missing work',
      'nightly retention',
      'weekly sweep of thumbnails',
      'yearly',
      '',
    ]);
    expect(await json('delete', 'yearly')).toMatchObject({ id: created.id });
    expect(await run('show', 'yearly')).toMatchObject({ code: 1, stdout: '' });
  });

  it('previews an expression on the clocks of its zone', async () => {
    const { code, stdout } = await run('preview', '--cron', '0 0 29 2 *', '--time-zone', 'Asia/Tokyo', '--count', '1');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^20\d\d-02-29 00:00:00 \+09:00\n$/)]);
  });

  it.each([
    [['preview'], 2, 'a schedule or --cron'],
    [['preview', '--cron', '0 0 31 2 *'], 1, 'never fire'],
    [['create', 'x', '--cron', '@daily'], 2, '--type and --cron'],
    [['create', 'x', '--cron', '@daily', '--type', 'nothing'], 1, 'there is no task type'],
    [['create', 'x', '--cron', '@daily', '--type', 'sweep_blobs', '--params', '[]'], 2, 'a JSON object'],
    [['update', 'x', '--start-within', '8d'], 2, '--start-within takes a time from 1s to 7d'],
  ])('%j ends with %i and says why', async (args, code, why) => {
    expect(await run(...args)).toMatchObject({ code, stderr: expect.stringContaining(why) as string });
  });
});
