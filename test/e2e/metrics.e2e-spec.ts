import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MetricsServer } from '../../src/platform/metrics/metrics-server.js';
import { startHttp, type StartedHttp } from '../support/start-http.js';

let http: StartedHttp;

beforeAll(async () => {
  http = await startHttp([], { PHOTOSAFE_METRICS_PORT: '0' });
});
afterAll(() => http.close());

const scrape = async (): Promise<string> => {
  const { text } = await http.as('viewer').get('/api/metrics').expect(200);
  return text;
};

/** Values by series. */
function seriesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

const monitoringFiles = (): string[] =>
  ['docker/prometheus', 'docker/grafana/dashboards'].flatMap((folder) =>
    readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8')),
  );

describe('metrics', () => {
  it('are all there that the dashboard and the alert rules name', async () => {
    const exported = new Set((await scrape()).match(/(?<=^# TYPE )\w+/gm));
    const named = monitoringFiles().flatMap((text) => text.match(/\b(photosafe|nodejs|process)_[a-z0-9_]+/g) ?? []);
    const metrics = named.filter((name) => name !== 'photosafe_token'); // a file in prometheus.yml
    expect(metrics.length).toBeGreaterThan(20);
    const base = (name: string): string => (exported.has(name) ? name : name.replace(/_(bucket|count|sum)$/, ''));
    expect([...new Set(metrics.map(base))].filter((name) => !exported.has(name))).toEqual([]);
  });

  it('label requests with the declared route, so that no caller can make series', async () => {
    const id = '01890000-0000-7000-8000-000000000000';
    await http.as('viewer').get(`/api/tasks/${id}`).expect(404);
    await http.as('viewer').get('/api/v1/tasks/0189').expect(404);
    await http.as('viewer').get('/api/no/such/path/as/this').expect(404);
    await http.as().get('/api/tasks').expect(401);
    const counts = [...seriesOf(await scrape())].filter(([name]) =>
      name.startsWith('photosafe_http_request_seconds_count'),
    );
    expect(Object.fromEntries(counts)).toMatchObject({
      'photosafe_http_request_seconds_count{method="GET",route="/api/tasks/:id",status="4xx"}': 2,
      'photosafe_http_request_seconds_count{method="GET",route="none",status="4xx"}': 1,
    });
    expect(counts.filter(([name]) => name.includes('such') || name.includes(id))).toEqual([]);
  });

  it('count tasks that are asked for once, however often', async () => {
    const body = { type: 'maintenance.find-missing-work', params: {} };
    await http.as('operator').post('/api/tasks').send(body).expect(202);
    await http.as('operator').post('/api/tasks').send(body).expect(202); // the same: it is unfinished
    const series = seriesOf(await scrape());
    expect(series.get('photosafe_tasks_enqueued_total{type="maintenance.find-missing-work"}')).toBe(1);
    expect(series.get('photosafe_database_up')).toBe(1);
  });

  it('of a process without the API are on a port of their own', async () => {
    const port = await http.app.get(MetricsServer).start();
    const response = await fetch(`http://127.0.0.1:${String(port)}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(seriesOf(await response.text()).get('photosafe_database_up')).toBe(1);
    expect((await fetch(`http://127.0.0.1:${String(port)}/api/tasks`)).status).toBe(404);
  });
});
