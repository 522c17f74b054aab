import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { generatePlainPhotos } from '../../src/catalogs/sample-library/generate-plain-photos.js';
import { type Child, PROJECT_ROOT } from '../support/child.js';
import { startPhotosafe } from '../support/photosafe.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { SLOPE } from '../support/external-http.js';
import { type ReceivedSpan, TraceReceiver } from '../support/trace-receiver.js';
import { waitFor } from '../support/wait-for.js';

const SLOW = { timeoutMs: 60_000 };
const SERVER = 2;
const PRODUCER = 4;
const CONSUMER = 5;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

let database: TestDatabase;
let receiver: TraceReceiver;
let home: string;
let environment: Record<string, string>;
const token = randomBytes(20).toString('hex');
const children: Child[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  receiver = await TraceReceiver.open();
  home = await mkdtemp(join(tmpdir(), 'photosafe-traces-'));
  environment = {
    DATABASE_URL: database.url,
    PHOTOSAFE_DATA_DIR: join(home, 'data'),
    PHOTOSAFE_BOOTSTRAP_TOKEN: token,
    PHOTOSAFE_DECODER_PROCESSES: '1',
  };
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()));
  await receiver.close();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

/** An API and a worker in processes of their own; gives the API's address. */
async function start(tracing: Record<string, string>): Promise<{ api: Child; worker: Child; url: string }> {
  const api = startPhotosafe(['serve', '--port', '0', '--role', 'api'], { ...environment, ...tracing });
  const worker = startPhotosafe(['worker'], { ...environment, ...tracing, OTEL_SERVICE_NAME: 'photosafe-worker' });
  children.push(api, worker);
  await worker.line(/"msg":"worker started"/, SLOW);
  return { api, worker, url: (JSON.parse(await api.line(/"msg":"listening"/, SLOW)) as { url: string }).url };
}

async function post(
  url: string,
  { body = {}, ...headers }: { readonly body?: object; readonly traceparent?: string },
): Promise<Record<string, unknown>> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close', ...headers },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as Record<string, unknown>;
}

const end = async (...processes: Child[]): Promise<(number | null)[]> => {
  for (const { process } of processes) process.kill('SIGTERM');
  return Promise.all(processes.map(async ({ ended }) => (await ended).code));
};

const named = (name: string): ReceivedSpan[] => receiver.spans.filter((span) => span.name === name);
const logged = (child: Child, pattern: RegExp): Record<string, unknown>[] =>
  child.lines.filter((line) => pattern.test(line)).map((line) => JSON.parse(line) as Record<string, unknown>);

describe('traces', () => {
  it('go from the request over the enqueueing to every attempt and its outcome, through all processes and batches', async () => {
    const { api, worker, url } = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20secret',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    await mkdir(join(home, 'photos'));
    await generatePlainPhotos(join(home, 'photos'), 5, { megapixels: 0.1, seed: 1 });
    const catalog = await post(`${url}/api/catalogs`, { body: { name: 'one', roots: [join(home, 'photos')] } });
    const traceparent = `00-${TRACE}-${CALLER}-01`;
    const rebuild = await post(`${url}/api/jobs/rebuild`, { body: { catalog_id: catalog.id }, traceparent });
    await worker.line(new RegExp(`"jobId":"${String(rebuild.id)}".*"outcome":"completed"`), SLOW);
    expect(await end(api, worker)).toEqual([0, 0]);

    const [request] = named('POST /api/jobs/rebuild');
    expect(request).toMatchObject({
      traceId: TRACE,
      parentSpanId: CALLER,
      kind: SERVER,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/api/jobs/rebuild',
        'http.response.status_code': 202,
      },
      resource: { 'service.name': 'photosafe', 'deployment.environment.name': 'test', 'process.pid': api.pid },
    });
    const [enqueue] = named('enqueue rebuild');
    expect(enqueue).toMatchObject({
      traceId: TRACE,
      parentSpanId: request?.spanId,
      kind: PRODUCER,
      attributes: { jobId: rebuild.id, taskName: 'rebuild', queue: expect.any(String), tasks: 1 },
    });
    const [attempt] = named('run rebuild');
    expect(attempt).toMatchObject({
      traceId: TRACE,
      parentSpanId: enqueue?.spanId,
      kind: CONSUMER,
      attributes: {
        jobId: rebuild.id,
        taskName: 'rebuild',
        taskVersion: 1,
        attempt: 1,
        queue: 'default',
        outcome: 'waiting',
      },
      resource: { 'service.name': 'photosafe-worker', 'process.pid': worker.pid },
    });
    // What a task splits into, and how that is written, hangs below its attempt.
    const spans = receiver.spans.filter(({ traceId }) => traceId === TRACE);
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const above = (span: ReceivedSpan): string[] => {
      const parent = byId.get(span.parentSpanId ?? '');
      return parent === undefined ? [span.name] : [...above(parent), span.name];
    };
    const paths = spans.map((span) => above(span).join(' > '));
    const begin = 'POST /api/jobs/rebuild > enqueue rebuild > run rebuild';
    expect(paths).toContain(`${begin} > settle`);
    expect(paths).toContainEqual(
      expect.stringMatching(/> run analyze > settle > enqueue analyze_batch > run analyze_batch > settle$/),
    );
    expect(paths).toContainEqual(expect.stringMatching(/> run thumbnails_batch > settle$/));
    expect(paths.filter((path) => !path.startsWith('POST /api/jobs/rebuild'))).toEqual([]);
    expect(
      receiver.batches.every(({ path, headers }) => path === '/v1/traces' && headers['x-key'] === 'a secret'),
    ).toBe(true);

    // Logs say where in which trace they were written.
    expect(logged(worker, /"attempt ended"/).find(({ jobId }) => jobId === rebuild.id)).toMatchObject({
      trace_id: TRACE,
      span_id: attempt?.spanId,
    });
    expect(logged(api, /jobs\/rebuild.*"request finished"/)[0]).toMatchObject({
      trace_id: TRACE,
      span_id: request?.spanId,
    });
    expect(named('GET /api/health/ready')).toEqual([]);
  });

  it('show every attempt of a task and why it failed; run again by a person, it goes on in the trace of that request', async () => {
    const { api, worker, url } = await start({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/elsewhere`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    });
    const params = { catalog_id: '019b0000-0000-7000-8000-000000000000' };
    const task = await post(`${url}/api/tasks`, { body: { type: 'analyze', params } });
    await worker.line(/"outcome":"failed"/, SLOW);
    const again = `00-${TRACE}-${CALLER}-01`;
    await waitFor('it to be retried', async () => {
      const { status } = await post(`${url}/api/tasks/${String(task.id)}/retry`, { traceparent: again });
      return status === 'queued';
    });
    await waitFor('the second failure', () => logged(worker, /"outcome":"failed"/).length === 2, SLOW);
    await end(api, worker);

    const attempts = named('run analyze');
    expect(attempts).toHaveLength(2);
    for (const attempt of attempts) {
      expect(attempt).toMatchObject({
        status: { code: 2, message: expect.stringContaining('catalog') as string },
        attributes: { jobId: task.id, outcome: 'failed', errorCode: expect.any(String), errorCategory: 'permanent' },
      });
    }
    const traces = attempts.map(({ traceId }) => traceId);
    expect(traces[0]).toBe(named('POST /api/tasks')[0]?.traceId);
    expect(traces[1]).toBe(TRACE);
    expect(receiver.batches.every(({ path }) => path === '/elsewhere')).toBe(true);
  });

  it('go on in the trace of an operation on many tasks that runs them again', async () => {
    const { api, worker, url } = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    });
    const params = { catalog_id: '019b0000-0000-7000-8000-000000000000' };
    await post(`${url}/api/tasks`, { body: { type: 'analyze', params } });
    await worker.line(/"outcome":"failed"/, SLOW);
    const body = { action: 'retry', filter: { status: 'failed' }, dry_run: false, expected_count: 1 };
    await waitFor('it to be retried', async () => {
      const { changed } = await post(`${url}/api/tasks/bulk`, { body, traceparent: `00-${TRACE}-${CALLER}-01` });
      return changed === 1;
    });
    await waitFor('the second failure', () => logged(worker, /"outcome":"failed"/).length === 2, SLOW);
    await end(api, worker);
    expect(named('run analyze').map(({ traceId }) => traceId === TRACE)).toEqual([false, true]);
  });

  it('show attempts of external workers, from the claim to the end', async () => {
    const { api, worker, url } = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    });
    await post(`${url}/api/external/types`, { body: SLOPE });
    const traceparent = `00-${TRACE}-${CALLER}-01`;
    const task = await post(`${url}/api/tasks`, { body: { type: SLOPE.name, params: { tile: 1 } }, traceparent });
    const claim = async (): Promise<string> => {
      const types = [{ name: SLOPE.name, versions: [1] }];
      const { attempts } = await post(`${url}/api/external/claim`, { body: { types, wait_ms: 5_000 } });
      const [{ attempt_id: id }] = attempts as [{ attempt_id: string }];
      return `${url}/api/external/attempts/${id}`;
    };
    const first = await claim();
    const claimedAt = Date.now();
    await post(`${first}/fail`, { body: { code: 'no_tile', message: 'not there yet', category: 'transient' } });
    await post(`${await claim()}/complete`, { body: { result: 1 } });
    await end(api, worker);

    const [enqueue] = named(`enqueue ${SLOPE.name}`);
    const attempts = named(`run ${SLOPE.name}`);
    expect(attempts).toMatchObject([
      {
        ...{
          traceId: TRACE,
          parentSpanId: enqueue?.spanId,
          kind: CONSUMER,
          status: { code: 2, message: 'not there yet' },
        },
        attributes: { jobId: task.id, attempt: 1, outcome: 'retry', errorCode: 'no_tile', errorCategory: 'transient' },
      },
      { parentSpanId: enqueue?.spanId, attributes: { jobId: task.id, attempt: 2, outcome: 'completed' } },
    ]);
    expect(Number(attempts[0]?.startTimeUnixNano) / 1e6).toBeLessThanOrEqual(claimedAt);
    expect(logged(api, /"attempt ended"/)).toMatchObject(attempts.map(({ spanId }) => ({ span_id: spanId })));
  });

  it('hold the nodes of a workflow together', async () => {
    const { api, worker, url } = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    });
    const params = { catalog_id: '019b0000-0000-7000-8000-000000000000' };
    const nodes = [
      { name: 'first', type: 'analyze', params },
      { name: 'second', type: 'analyze', params, after: [{ node: 'first', on_failure: 'run_anyway' }] },
    ];
    const workflow = await post(`${url}/api/workflows`, { body: { name: 'two', nodes } });
    await waitFor('both to fail', () => logged(worker, /"outcome":"failed"/).length === 2, SLOW);
    await end(api, worker);
    const [enqueue] = named('enqueue workflow');
    expect(enqueue).toMatchObject({ kind: PRODUCER, attributes: { workflowId: workflow.id, tasks: 2 } });
    const runs = receiver.spans.filter(({ name }) => name.startsWith('run '));
    expect(runs.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([
      ['run analyze', enqueue?.spanId],
      ['run analyze', enqueue?.spanId],
    ]);
  });

  it('are sent as protobuf unless told otherwise', async () => {
    const { api, worker, url } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    await post(`${url}/api/tasks`, { body: { type: 'analyze', params: {} } });
    await end(api, worker);
    const [first] = receiver.batches;
    expect(first?.headers['content-type']).toBe('application/x-protobuf');
    expect(first?.body.includes('POST /api/tasks')).toBe(true);
  });

  it('hold nothing up where nobody receives them, and the log says so', async () => {
    const gone = receiver.url;
    await receiver.close();
    receiver = await TraceReceiver.open();
    const { api, worker, url } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: gone });
    await post(`${url}/api/tasks`, {
      body: { type: 'analyze', params: { catalog_id: '019b0000-0000-7000-8000-000000000000' } },
    });
    await worker.line(/"outcome":"failed"/, SLOW);
    await worker.line(/"traces are not sent"/, SLOW);
    const began = performance.now();
    expect(await end(api, worker)).toEqual([0, 0]);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(logged(worker, /traces are not sent/)).toHaveLength(1);
  });

  it('load nothing where they are off', async () => {
    const main = pathToFileURL(join(PROJECT_ROOT, 'dist/src/main.js')).href;
    const program = `
      import { createRequire } from 'node:module';
      const { start } = await import(${JSON.stringify(main)});
      const running = await start({ PORT: '0', LOG_LEVEL: 'silent' });
      const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => /@opentelemetry.(?!api.)/.test(path));
      console.log(JSON.stringify(loaded.length));
      await running.stop();`;
    const count = async (tracing: Record<string, string>): Promise<number> => {
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
        cwd: PROJECT_ROOT,
        env: { PATH: process.env.PATH, ...environment, ...tracing },
      });
      return Number(stdout.trim().split('\n').at(-1));
    };
    expect(await count({})).toBe(0);
    expect(await count({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SDK_DISABLED: 'true' })).toBe(0);
    expect(await count({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })).toBeGreaterThan(10);
  });
});
