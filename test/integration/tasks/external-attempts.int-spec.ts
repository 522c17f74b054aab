import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFile } from 'node:fs/promises';
import { WorkerService } from '../../../src/tasks/index.js';
import { Database } from '../../../src/platform/database/database.js';
import { ClaimDesk } from '../../../src/tasks/external/claim-desk.js';
import { ExternalHttp, SLOPE } from '../../support/external-http.js';
import { startHttp, type StartedHttp } from '../../support/start-http.js';
import { waitFor } from '../../support/wait-for.js';

let http: StartedHttp;
let external: ExternalHttp;

beforeAll(async () => {
  http = await startHttp();
  external = new ExternalHttp(http);
});

beforeEach(async () => {
  await database().query(
    'TRUNCATE live_tasks, finished_tasks, task_events, task_event_batches, task_workers, external_task_types',
  );
  await external.declare();
});

afterAll(() => http.close());

/** Resolves when this many claims wait. */
const waitingClaims = (count = 1) =>
  waitFor(`${count} claims to wait`, () => http.app.get(ClaimDesk).waiting === count);
const database = (): Database => http.app.get(Database);
const until = (id: string, status: string) =>
  waitFor(`task ${id} to be ${status}`, async () => {
    const task = await external.task(id);
    return task.status === status ? task : undefined;
  });

describe('a task of a declared type', () => {
  it('is claimed, reported on and completed, by the rules of every task', async () => {
    const id = await external.enqueue({ tile: 7 });
    const { status, body } = await external.claim({ worker: 'gis-1', lease_ms: 9_000 });
    const [attempt] = body.attempts;
    expect([status, attempt]).toEqual([
      200,
      {
        attempt_id: `${id}.1`,
        task_id: id,
        type: 'raster.slope',
        version: 1,
        params: { tile: 7 },
        checkpoint: null,
        attempt: 1,
        max_attempts: 3,
        crash_count: 0,
        processed: 0,
        total: null,
        priority: 0,
        requested_by: 'token:test-operator',
        timeout_ms: 60_000,
        deadline_at: expect.any(String),
      },
    ]);

    const beat = await external.attempt(`${id}.1`, 'heartbeat', { processed: 3, total: 4, checkpoint: { row: 3 } });
    expect(beat).toEqual({
      status: 200,
      body: {
        attempt_id: `${id}.1`,
        cancel_requested: false,
        cancelled: [],
        lease_expires_at: expect.any(String),
        deadline_at: attempt && Reflect.get(attempt, 'deadline_at'),
      },
    });
    expect(Date.parse(String(beat.body.lease_expires_at))).toBeGreaterThan(Date.parse(body.lease_expires_at ?? ''));
    expect(await external.task(id)).toMatchObject({ status: 'running', processed: 3, total: 4, progress: 75 });

    const completed = { status: 200, body: { attempt_id: `${id}.1`, task_id: id, outcome: 'completed' } };
    expect(await external.attempt(`${id}.1`, 'complete', { result: { b: 1, a: [2] } })).toEqual(completed);
    expect(await external.task(id)).toMatchObject({ status: 'completed', result: { a: [2], b: 1 }, processed: 4 });
    expect(await external.trail(id)).toEqual([
      'created>queued enqueued token:test-operator',
      'queued>running claimed token:test-worker',
      'running>completed completed token:test-worker',
    ]);
    expect(await database().query('SELECT id FROM task_workers WHERE external')).toEqual([]);

    // The answer to the first call may have been lost on its way.
    expect(await external.attempt(`${id}.1`, 'complete', { result: { a: [2], b: 1 } })).toEqual(completed);
    expect(await external.attempt(`${id}.1`, 'complete', { result: { a: [3] } })).toMatchObject({
      status: 409,
      body: { code: 'lease_lost', details: { reason: 'completed', task_status: 'completed' } },
    });
  });

  it.each(['heartbeat', 'release'])('does no more than there is: %s', async (verb) => {
    const id = await external.enqueue();
    await external.claimOne();
    expect(await external.attempt(`${id}.1`, verb, { processed: 11, total: 10 })).toMatchObject({
      status: 422,
      body: {
        code: 'validation_failed',
        errors: [{ field: 'processed', message: 'must not be more than total', value: 11 }],
      },
    });
    expect(await external.task(id)).toMatchObject({ status: 'running', processed: 0, total: null });
    for (const report of [{ processed: 10, total: 10 }, { processed: 11, total: null }, { processed: 12 }]) {
      expect((await external.attempt(`${id}.1`, 'heartbeat', report)).status).toBe(200);
    }
  });

  it.each<[string, unknown, string]>([
    ['U+0000', { a: ['x', '\0'] }, 'a.1'],
    ['half a surrogate pair', { a: 'x\ud800' }, 'a'],
    ['a name with U+0000', { 'a\0': 1 }, String.raw`a\u0000`],
  ])('goes on when what it sends cannot be stored as it is: %s', async (_what, value, place) => {
    const id = await external.enqueue();
    await external.claimOne();

    const answers = [
      await external.attempt(`${id}.1`, 'heartbeat', { checkpoint: value }),
      await external.attempt(`${id}.1`, 'release', { checkpoint: value }),
      await external.attempt(`${id}.1`, 'complete', { result: value }),
    ];
    expect(answers.map(({ status, body }) => [status, body.code, body.errors])).toEqual(
      ['checkpoint', 'checkpoint', 'result'].map((field) => [
        422,
        `invalid_${field}`,
        [expect.objectContaining({ field: `${field}.${place}` })],
      ]),
    );

    expect(await external.task(id)).toMatchObject({ status: 'running' });
    const fine = { result: { text: String.raw`😀 \u0000 \ud800` } };
    expect(await external.attempt(`${id}.1`, 'complete', fine)).toMatchObject({ status: 200 });
    const { body } = await http.as('viewer').get(`/api/tasks/${id}/result`);
    expect(body).toMatchObject(fine);
  });

  it('is tried again after a transient failure with its checkpoint, and ends with a permanent one', async () => {
    const id = await external.enqueue();
    await external.claimOne();
    await external.attempt(`${id}.1`, 'heartbeat', { checkpoint: { row: 5 } });
    const failure = { category: 'transient', code: 'tile_busy', message: 'in use\0' };
    const retried = { status: 200, body: { attempt_id: `${id}.1`, task_id: id, outcome: 'retry' } };
    expect(await external.attempt(`${id}.1`, 'fail', failure)).toEqual(retried);
    expect(await external.claimOne({ wait_ms: 10_000 })).toMatchObject({ attempt: 2, checkpoint: { row: 5 } });

    expect(await external.attempt(`${id}.1`, 'fail', failure)).toEqual(retried); // still, though the next one runs
    expect(await external.attempt(`${id}.1`, 'fail', { ...failure, code: 'other' })).toMatchObject({ status: 409 });
    expect(await external.attempt(`${id}.1`, 'heartbeat')).toMatchObject({
      status: 409,
      body: { code: 'lease_lost', details: { reason: 'backoff', error_code: 'tile_busy', task_status: 'running' } },
    });

    const end = { category: 'permanent', code: 'tile_missing', message: 'no such tile' };
    const failed = { status: 200, body: { attempt_id: `${id}.2`, task_id: id, outcome: 'failed' } };
    expect(await external.attempt(`${id}.2`, 'fail', end)).toEqual(failed);
    expect(await external.attempt(`${id}.2`, 'fail', end)).toEqual(failed);
    expect(await external.task(id)).toMatchObject({
      status: 'failed',
      error_code: 'tile_missing',
      error_category: 'permanent',
      error_message: 'no such tile',
    });
  });

  it('waits as long as a failure asks for, and fails when its attempts are used up', async () => {
    await external.declare({ ...SLOPE, retry: { ...SLOPE.retry, attempts: 2 } });
    const id = await external.enqueue();
    const failure = { category: 'transient', code: 'rate_limited', message: 'later' };
    await external.claimOne();
    await external.attempt(`${id}.1`, 'fail', { ...failure, retry_after_ms: 3_600_000 });
    const { run_at } = await external.task(id);
    expect(Date.parse(String(run_at)) - Date.now()).toBeGreaterThan(3_500_000);
    await database().query('UPDATE live_tasks SET run_at = now()');
    await external.claimOne({ wait_ms: 10_000 });
    expect((await external.attempt(`${id}.2`, 'fail', failure)).body).toMatchObject({ outcome: 'failed' });
  });

  it('goes back with the progress that is reported with its release', async () => {
    const id = await external.enqueue();
    await external.claimOne();
    await external.attempt(`${id}.1`, 'heartbeat', { processed: 5, total: 10 });
    await external.attempt(`${id}.1`, 'release', { processed: 15, total: 20 });
    expect(await external.task(id)).toMatchObject({ status: 'queued', processed: 15, total: 20, progress: 75 });
  });

  it('goes back without an attempt being counted when it is released', async () => {
    const id = await external.enqueue();
    await external.claimOne();
    const released = { status: 200, body: { attempt_id: `${id}.1`, task_id: id, outcome: 'released' } };
    expect(await external.attempt(`${id}.1`, 'release', { checkpoint: 'half' })).toEqual(released);
    expect(await external.attempt(`${id}.1`, 'release', { checkpoint: 'half' })).toEqual(released);
    expect(await external.claimOne()).toMatchObject({ attempt: 1, attempt_id: `${id}.2`, checkpoint: 'half' });
  });

  it.each([12.5, 'text', [1, null], true, null, { mean: 12.5 }])(
    'ends with any JSON, which the document of the API says of what is answered: %j',
    async (result) => {
      const id = await external.enqueue();
      await external.claimOne();
      expect((await external.attempt(`${id}.1`, 'complete', { result })).status).toBe(200);
      const { components } = JSON.parse(await readFile('docs/openapi.json', 'utf8')) as { components: object };
      const schema = { $ref: '#/components/schemas/TaskResultDto', components };
      const fits = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
      const { body } = await http.as('viewer').get(`/api/tasks/${id}/result`);
      expect([(body as { result: unknown }).result, fits(body), fits.errors]).toEqual([result, true, null]);
    },
  );

  it('keeps its attempt when the result does not fit its schema, or no row', async () => {
    await external.declare({ ...SLOPE, version: 2, result_schema: { type: 'object', required: ['mean'] } });
    const id = await external.enqueue();
    await external.claimOne({ types: [{ name: 'raster.slope', versions: [1, 2] }] });
    expect(await external.attempt(`${id}.1`, 'complete', { result: {} })).toMatchObject({
      status: 422,
      body: { code: 'invalid_result', errors: [{ field: 'result.mean', message: 'is missing' }] },
    });
    expect(await external.attempt(`${id}.1`, 'complete')).toMatchObject({ status: 422 });
    const large = await external.attempt(`${id}.1`, 'complete', { result: { mean: 'x'.repeat(1_000_000) } });
    expect(large).toMatchObject({ status: 422, body: { code: 'invalid_result' } });
    const larger = await external.attempt(`${id}.1`, 'complete', { result: { mean: 'x'.repeat(2_000_000) } });
    expect(larger).toMatchObject({ status: 422, body: { code: 'invalid_result' } });
    const noted = await external.attempt(`${id}.1`, 'heartbeat', { checkpoint: 'x'.repeat(2_000_000) });
    expect(noted).toMatchObject({ status: 422, body: { code: 'invalid_checkpoint' } });
    const tooLarge = await external.attempt(`${id}.1`, 'complete', { result: { mean: 'x'.repeat(2_200_000) } });
    expect(tooLarge).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
    const deep = JSON.parse('['.repeat(500) + ']'.repeat(500)) as unknown;
    expect((await external.attempt(`${id}.1`, 'complete', { result: deep })).status).toBe(422);
    const checkpoint = await external.attempt(`${id}.1`, 'heartbeat', { checkpoint: deep });
    expect(checkpoint).toMatchObject({ status: 422, body: { code: 'invalid_checkpoint' } });
    const abyss = `{"result":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect((await external.attempt(`${id}.1`, 'complete', abyss)).status).toBe(422);
    expect((await external.attempt(`${id}.1`, 'complete', { result: { mean: 1 } })).status).toBe(200);
  });
});

describe('a claim', () => {
  it('that waits is answered as soon as there is a task', async () => {
    const waiting = external.claim({ wait_ms: 30_000 });
    await waitingClaims();
    const id = await external.enqueue();
    const enqueued = performance.now();
    expect((await waiting).body.attempts).toMatchObject([{ task_id: id }]);
    expect(performance.now() - enqueued).toBeLessThan(1_000);
  });

  it('that waits in vain is answered with nothing', async () => {
    expect(await external.claim({ wait_ms: 150 })).toMatchObject({
      status: 200,
      body: { attempts: [], lease_expires_at: null, stopped: [] },
    });
  });

  it('gives each task to one of many who wait', async () => {
    const claims = Array.from({ length: 12 }, () => external.claim({ wait_ms: 20_000 }));
    const ids = await Promise.all(claims.map((_, tile) => external.enqueue({ tile })));
    const got = (await Promise.all(claims)).flatMap(({ body }) => body.attempts.map(({ task_id }) => task_id));
    expect(got.sort()).toEqual(ids.sort());
  });

  it('takes a batch under one lease, the best first', async () => {
    const [low, high] = [await external.enqueue({ tile: 1 }), await external.enqueue({ tile: 2 }, { priority: 5 })];
    const { body } = await external.claim({ limit: 5 });
    expect(body.attempts.map(({ task_id }) => task_id)).toEqual([high, low]);
    expect(await database().query('SELECT count(*)::int AS leases FROM task_workers WHERE external')).toEqual([
      { leases: 1 },
    ]);
  });

  it('gives only versions that the worker knows', async () => {
    const old = await external.enqueue();
    await external.declare({ ...SLOPE, version: 2, input_schema: { type: 'object' } });
    const young = await external.enqueue({ anything: true });
    const knows = (...versions: number[]) => ({ types: [{ name: 'raster.slope', versions }] });
    expect((await external.claim(knows(3))).body.attempts).toEqual([]);
    expect(await external.claimOne(knows(2, 3))).toMatchObject({ task_id: young, version: 2 });
    expect(await external.claimOne(knows(1))).toMatchObject({ task_id: old, version: 1 });
  });

  it('is told apart when its types are not known, or built in', async () => {
    for (const name of ['raster.nothing', 'analyze']) {
      expect(await external.claim({ types: [{ name, versions: [1] }] })).toMatchObject({
        status: 422,
        body: { code: 'unknown_task_type', errors: [{ field: 'types', value: name, allowed: 'raster.slope' }] },
      });
    }
  });

  it('is refused with what makes no sense', async () => {
    for (const wrong of [{ limit: null }, { limit: 0 }, { wait_ms: 60_001 }, { lease_ms: null }, { holding: ['x'] }]) {
      const { status, body } = await external.claim(wrong);
      expect([status, Reflect.get(body, 'code')]).toEqual([422, 'validation_failed']);
    }
  });

  it('whose worker hangs up keeps no task', async () => {
    const { port } = http.app.getHttpServer().listen(0).address() as { port: number };
    const secret = await workerSecret();
    const hangUp = new AbortController();
    const waiting = fetch(`http://127.0.0.1:${port}/api/external/claim`, {
      method: 'POST',
      signal: hangUp.signal,
      headers: { connection: 'close', authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ types: [{ name: 'raster.slope', versions: [1] }], wait_ms: 30_000 }),
    }).catch(() => 'gone');
    await waitingClaims();
    hangUp.abort();
    expect(await waiting).toBe('gone');
    await waitingClaims(0);
    const id = await external.enqueue();
    expect(await external.claimOne({ wait_ms: 10_000 })).toMatchObject({ task_id: id, attempt: 1 });
  });

  it('and a worker of this program leave each other their tasks', async () => {
    await http.app.get(WorkerService).start({ pollMs: 20, concurrency: { default: 4, 'raster.slope': 4 } });
    const id = await external.enqueue();
    const own = await external.create({ type: 'sweep_blobs', params: {} });
    await until(String(own.body.id), 'completed');
    expect(await external.task(id)).toMatchObject({ status: 'queued', attempt: 0 });
    expect(await external.claimOne()).toMatchObject({ task_id: id });
  });
});

describe('a worker that goes silent', () => {
  it('loses its tasks when its lease runs out, with their attempts', async () => {
    const ids = [await external.enqueue({ tile: 1 }), await external.enqueue({ tile: 2 })].sort();
    await external.claim({ limit: 2, lease_ms: 2_000 });
    const again = await external.claimOne({ limit: 2, wait_ms: 20_000 });
    // Suspects run alone: the second waits for another claim.
    expect(again).toMatchObject({ task_id: ids[0], attempt: 1, crash_count: 1, attempt_id: `${ids[0] ?? ''}.2` });
    expect(await external.claimOne({ limit: 2 })).toMatchObject({ task_id: ids[1], crash_count: 1 });
    expect(await external.attempt(`${ids[0] ?? ''}.1`, 'complete', { result: 1 })).toMatchObject({
      status: 409,
      body: { code: 'lease_lost', details: { reason: 'worker_lost', actor: 'rescuer', task_status: 'running' } },
    });
  });

  it('keeps them all while a heartbeat names one of them', async () => {
    const ids = [await external.enqueue({ tile: 1 }), await external.enqueue({ tile: 2 })];
    const { body } = await external.claim({ limit: 2, lease_ms: 2_000 });
    const [first = { attempt_id: '' }] = body.attempts;
    const end = Date.now() + 4_500;
    await waitFor(
      'two leases to pass',
      async () => {
        expect((await external.attempt(first.attempt_id, 'heartbeat')).status).toBe(200);
        return Date.now() > end;
      },
      { everyMs: 400 },
    );
    for (const id of ids) expect((await external.attempt(`${id}.1`, 'complete')).status).toBe(200);
  });
});

describe('an attempt', () => {
  it('that takes too long is ended by the server, heartbeats or not', async () => {
    await external.declare({ ...SLOPE, timeout_ms: 1_000, retry: { attempts: 1 } });
    const id = await external.enqueue();
    await external.claimOne();
    await until(id, 'failed');
    expect(await external.task(id)).toMatchObject({ error_code: 'timeout', error_category: 'transient' });
    expect(await external.attempt(`${id}.1`, 'heartbeat')).toMatchObject({
      status: 409,
      body: { details: { reason: 'failed', error_code: 'timeout', actor: 'engine' } },
    });
  });

  it('learns from its heartbeat that it is to be cancelled, and ends so when it is released', async () => {
    const [id, other] = [await external.enqueue({ tile: 1 }), await external.enqueue({ tile: 2 })];
    await external.claim({ limit: 2 });
    await external.cancel(id);
    expect((await external.attempt(`${id}.1`, 'heartbeat')).body).toMatchObject({ cancel_requested: true });
    expect((await external.attempt(`${other}.1`, 'heartbeat')).body).toMatchObject({
      cancel_requested: false,
      cancelled: [`${id}.1`],
    });
    const outcome = { status: 200, body: { attempt_id: `${id}.1`, task_id: id, outcome: 'cancelled' } };
    expect(await external.attempt(`${id}.1`, 'release')).toEqual(outcome);
    expect(await external.attempt(`${id}.1`, 'release')).toEqual(outcome);
    expect((await external.trail(id)).at(-1)).toBe('running>cancelled cancelled token:test-operator');
  });

  it('learns it from a claim that waits, at once', async () => {
    const id = await external.enqueue();
    const lost = `${id}.9`;
    await external.claimOne();
    expect((await external.claim({ wait_ms: 30_000, holding: [`${id}.1`, lost] })).body.stopped).toEqual([lost]);
    const waiting = external.claim({ wait_ms: 30_000, holding: [`${id}.1`] });
    await waitingClaims();
    await external.cancel(id);
    expect((await waiting).body).toMatchObject({ attempts: [], stopped: [`${id}.1`] });
  });

  it('learns from a claim that waits that it was lost, within seconds', async () => {
    await external.declare({ ...SLOPE, timeout_ms: 1_000, retry: { attempts: 1 } });
    const id = await external.enqueue();
    await external.claimOne();
    const { body } = await external.claim({ wait_ms: 30_000, holding: [`${id}.1`] });
    expect(body).toMatchObject({ attempts: [], stopped: [`${id}.1`] });
  }, 20_000);

  it('that does not stop when it is cancelled is ended all the same', async () => {
    const id = await external.enqueue();
    await external.claimOne({ lease_ms: 2_000 });
    await external.cancel(id);
    const beating = setInterval(() => void external.attempt(`${id}.1`, 'heartbeat'), 500);
    await waitFor('the end', async () => (await external.task(id)).status === 'cancelled', {
      timeoutMs: 20_000,
    }).finally(() => clearInterval(beating));
    expect(await external.attempt(`${id}.1`, 'complete')).toMatchObject({ status: 409 });
  });

  it('that never was, or is no external one, is not found', async () => {
    const id = await external.enqueue();
    for (const attempt of [`${id}.1`, id, 'nonsense', `${id}.0`, `${id}.99999999999`]) {
      for (const verb of ['heartbeat', 'complete', 'release']) {
        expect([attempt, (await external.attempt(attempt, verb)).body.code]).toEqual([attempt, 'attempt_not_found']);
      }
    }
  });

  it('is nobody’s who may not work', async () => {
    const claim = { types: [{ name: 'raster.slope', versions: [1] }], wait_ms: 0 };
    const statuses = await Promise.all(
      (['viewer', 'operator', 'worker', 'admin'] as const).map(
        async (role) => (await http.as(role).post('/api/external/claim').send(claim)).status,
      ),
    );
    expect(statuses).toEqual([403, 403, 200, 200]);
    const odd = await http
      .as('worker')
      .post('/api/external/claim')
      .send({ ...claim, types: [[]] });
    expect(odd.body).toMatchObject({ status: 422, errors: [{ field: 'types.0', value: [] }] });
    expect((await http.as('worker').get('/api/tasks')).status).toBe(403);
    expect((await http.as('worker').post('/api/external/types').send(SLOPE)).status).toBe(403);
  });
});

async function workerSecret(): Promise<string> {
  const { body } = await http.as('admin').post('/api/tokens').send({ name: 'hangs-up', role: 'worker' });
  return (body as { token: string }).token;
}
