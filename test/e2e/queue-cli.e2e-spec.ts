import { photosafe } from '../support/photosafe.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

const run = (...args: string[]) => photosafe(['queue', ...args], { DATABASE_URL: database.url });

const json = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect([args, code, code === 0 ? '' : stderr]).toEqual([args, 0, '']);
  return JSON.parse(stdout) as Record<string, unknown>;
};

const TYPE = 'maintenance.find-missing-work';
const LONGEST = ['--longest-cool-down', '100'];

describe('photosafe queue', () => {
  it('lists, pauses, resumes and limits queues and types, and says who did', async () => {
    expect(await json('pause', 'default', '--reason', 'full')).toMatchObject({ paused: { reason: 'full' } });
    expect((await run('list')).stdout).toMatch(/default.*paused by cli:.*: full/);
    expect(await json('resume', 'default')).toMatchObject({ paused: null });
    expect(await json('limit', 'default', '--concurrency', '3')).toMatchObject({ limits: { concurrency: 3 } });
    expect(
      await json(
        'limit-type',
        TYPE,
        '--rate',
        '100/1m',
        '--burst',
        '5',
        '--breaker',
        '4',
        '--cool-down',
        '100',
        ...LONGEST,
      ),
    ).toMatchObject({
      limits: {
        rate: { count: 100, per_ms: 60_000, burst: 5 },
        breaker: { failures: 4, cool_down_ms: 100, longest_cool_down_ms: 100 },
      },
    });
    expect(await json('pause-type', TYPE)).toMatchObject({ name: TYPE, paused: { reason: null } });
    expect(await json('resume-type', TYPE)).toMatchObject({ paused: null });
    expect(await json('close-circuit', TYPE)).toMatchObject({ circuit: { state: 'closed' } });
    expect((await run('types')).stdout).toMatch(/100\/60000 ms, parked after 4 failures/);
    const { items } = await json('events');
    expect((items as { action: string }[]).map(({ action }) => action)).toEqual([
      ...['resumed', 'paused', 'limits_set', 'limits_set', 'resumed', 'paused'],
    ]);
  });

  it('lifts limits that the code declares, and its own', async () => {
    const unlimited = {
      overridden: { concurrency: null, concurrency_per_key: null, rate: null, breaker: null },
      limits: {},
    };
    const none = ['--concurrency', '--per-key', '--rate', '--breaker'].flatMap((option) => [option, 'none']);
    expect(await json('limit-type', TYPE, ...none)).toMatchObject(unlimited);
    expect((await json('limit', 'default', '--concurrency', 'None')).limits).toEqual({});
  });

  it.each([
    [['pause', 'nothing'], 1, 'there is no queue'],
    [['limit-type', TYPE, '--rate', '5'], 2, 'a count and a time'],
    [['limit-type', TYPE, '--burst', '5'], 2, 'goes with --rate'],
    [['limit', 'default', '--concurrency', '0'], 2, '--concurrency'],
    [['limit-type', TYPE, '--breaker', '5', '--longest-cool-down', '29999'], 2, 'less than --cool-down, 30000'],
    [['pause', 'default', '--reason', 'x'.repeat(1_001)], 2, '--reason takes 1 to 1000 characters'],
    [['limit-type', TYPE, '--longest-cool-down', '5'], 2, 'goes with --breaker'],
    [['limit-type', TYPE, '--breaker', 'none', '--cool-down', '5'], 2, 'goes with --breaker'],
    [['limit-type', TYPE, '--rate', 'none', '--burst', '5'], 2, 'goes with --rate'],
    [['pause-type', 'nothing'], 1, 'there is no task type'],
  ])('%j ends with %i and says why', async (args, code, why) => {
    expect(await run(...args)).toMatchObject({ code, stderr: expect.stringContaining(why) as string });
  });
});
