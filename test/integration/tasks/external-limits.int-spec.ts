import { Database } from '../../../src/platform/database/database.js';
import { type ClaimedTask, ExternalHttp, SLOPE } from '../../support/external-http.js';
import { startHttp, type StartedHttp } from '../../support/start-http.js';
import { waitFor } from '../../support/wait-for.js';

let http: StartedHttp;
let external: ExternalHttp;

beforeEach(async () => {
  http = await startHttp();
  external = new ExternalHttp(http);
});

afterEach(() => http.close());

const claim = async (limit = 10): Promise<ClaimedTask[]> => (await external.claim({ limit, wait_ms: 0 })).body.attempts;
const complete = (attempt: ClaimedTask | undefined): Promise<unknown> =>
  external.attempt(attempt?.attempt_id ?? '', 'complete', { result: {} });
const fail = (attempt: ClaimedTask | undefined): Promise<unknown> =>
  external.attempt(attempt?.attempt_id ?? '', 'fail', {
    category: 'transient',
    code: 'down',
    message: 'the server is down',
  });

describe('limits of a declared type', () => {
  it('are declared with it, kept by claims that race, and give places back', async () => {
    await external.declare({ ...SLOPE, limits: { concurrency: 3 } });
    for (let tile = 0; tile < 8; tile += 1) await external.enqueue({ tile });
    const attempts = (await Promise.all(Array.from({ length: 6 }, () => claim(2)))).flat();
    expect(attempts).toHaveLength(3);
    expect(await claim()).toEqual([]);
    await complete(attempts[0]);
    expect(await claim()).toHaveLength(1);
  });

  it('per key count tasks by a field of their input', async () => {
    await external.declare({ ...SLOPE, limits: { concurrency_per_key: 1 }, concurrency_key: 'tile' });
    for (const tile of [1, 1, 2, 2]) await external.enqueue({ tile });
    const attempts = await claim();
    expect(attempts.map(({ params }) => params)).toEqual([{ tile: 1 }, { tile: 2 }]);
    expect(await claim()).toEqual([]);
    await complete(attempts[1]);
    expect((await claim()).map(({ params }) => params)).toEqual([{ tile: 2 }]);
  });

  it('let a claim that waits for a rate have its task when there is a token for it', async () => {
    await external.declare({ ...SLOPE, limits: { rate: { count: 4, per_ms: 1_000, burst: 1 } } });
    for (let tile = 0; tile < 5; tile += 1) await external.enqueue({ tile });
    const began = performance.now();
    for (let n = 0; n < 5; n += 1)
      expect((await external.claim({ limit: 1, wait_ms: 10_000 })).body.attempts).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(4_000); // one second, by the rate
  });

  it('park it when its workers keep failing, and not for ever', async () => {
    await external.declare({ ...SLOPE, limits: { breaker: { failures: 2, cool_down_ms: 3_000 } } });
    for (let tile = 0; tile < 4; tile += 1) await external.enqueue({ tile });
    const [first, second, third] = await claim(3);
    await fail(first);
    await fail(second);
    expect(await claim()).toEqual([]);
    await fail(third); // under way when it opened
    expect(
      await http.app.get(Database).query(`SELECT attempt FROM live_tasks WHERE id = $1`, [third?.task_id]),
    ).toEqual([{ attempt: 0 }]);
    const tried = await waitFor('one to be tried', async () => {
      const attempts = await claim();
      return attempts.length > 0 ? attempts : undefined;
    });
    expect(tried).toHaveLength(1);
    await complete(tried[0]);
    await waitFor('the others', async () => (await claim()).length > 0);
  });

  it('a pause holds for claims, also for those that wait, and for suspects', async () => {
    await external.declare();
    const waiting = external.claim({ wait_ms: 3_000 });
    await http.as('operator').post('/api/task-types/raster.slope/pause').send({ reason: 'maintenance' }).expect(200);
    const id = await external.enqueue();
    const suspect = await external.enqueue({ tile: 2 });
    await http.app.get(Database).query('UPDATE live_tasks SET ready = false, crash_count = 1 WHERE id = $1', [suspect]);
    expect((await waiting).body.attempts).toEqual([]);
    const { body } = await http.as('viewer').get(`/api/tasks/${id}/explain`).expect(200);
    expect(body.code).toBe('type_paused');
    await http.as('operator').post('/api/task-types/raster.slope/resume').send({}).expect(200);
    expect((await claim(1)).map((attempt) => attempt.task_id)).toEqual([suspect]);
    expect((await claim()).map((attempt) => attempt.task_id)).toEqual([id]);
    await http.as('operator').post('/api/queues/raster.slope/pause').send({}).expect(200);
    await external.enqueue({ tile: 3 });
    expect(await claim()).toEqual([]);
  });
});
