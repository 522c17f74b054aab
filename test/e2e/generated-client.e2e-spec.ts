import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import createClient, { type Client } from 'openapi-fetch';
import sharp from 'sharp';
import { generatePlainPhotos } from '../../src/catalogs/sample-library/generate-plain-photos.js';
import type { paths } from '../support/api.js';
import { PROJECT_ROOT } from '../support/child.js';
import { startPhotosafe } from '../support/photosafe.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait-for.js';

const TOKEN = 'generated-client-test-token-0123456789';
const PHOTOS = 12;

describe('a client generated from docs/openapi.json', () => {
  let folder: string;
  let database: TestDatabase;
  let server: ReturnType<typeof startPhotosafe>;
  let api: Client<paths>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'photosafe-client-'));
    await mkdir(join(folder, 'photos'));
    await generatePlainPhotos(join(folder, 'photos'), PHOTOS, { megapixels: 1 });
    database = await createTestDatabase();
    server = startPhotosafe(['serve', '--port', '0'], {
      DATABASE_URL: database.url,
      PHOTOSAFE_DATA_DIR: join(folder, 'data'),
      PHOTOSAFE_BOOTSTRAP_TOKEN: TOKEN,
    });
    const line = JSON.parse(await server.line(/"msg":"listening"/, { timeoutMs: 60_000 })) as { url: string };
    api = createClient<paths>({ baseUrl: line.url, headers: { authorization: `Bearer ${TOKEN}` } });
  });

  afterAll(async () => {
    await server.kill('SIGTERM');
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has the types that the document gives now', async () => {
    const program = join(PROJECT_ROOT, 'node_modules', 'openapi-typescript', 'bin', 'cli.js');
    const output = join(folder, 'api.d.ts');
    await promisify(execFile)(process.execPath, [
      program,
      join(PROJECT_ROOT, 'docs', 'openapi.json'),
      '--output',
      output,
    ]);
    const [generated, committed] = await Promise.all(
      [output, join(PROJECT_ROOT, 'test', 'support', 'api.d.ts')].map((path) => readFile(path, 'utf8')),
    );
    if (generated !== committed)
      throw new Error('test/support/api.d.ts is behind docs/openapi.json: npm run snapshots');
  });

  it('drives import, rebuild, list and thumbnail', async () => {
    const created = await api.POST('/api/catalogs', { body: { name: 'client', roots: [join(folder, 'photos')] } });
    const catalogId = created.data?.id ?? '';
    const started = await api.POST('/api/jobs/rebuild', { body: { catalog_id: catalogId } });
    expect([started.response.status, started.response.headers.get('location')]).toEqual([
      202,
      `/api/tasks/${started.data?.id ?? ''}`,
    ]);
    const job = await waitFor(
      'the rebuild to complete',
      async () => {
        const { data } = await api.GET('/api/jobs/{id}', { params: { path: { id: started.data?.id ?? '' } } });
        return data?.status === 'completed' || data?.status === 'failed' ? data : undefined;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    expect([job.status, job.error_code, job.progress]).toEqual(['completed', null, 100]);

    const { data: page } = await api.GET('/api/images', { params: { query: { catalog_id: catalogId, limit: 5 } } });
    expect(page?.items).toHaveLength(5);
    const imageId = page?.items[0]?.id ?? '';
    const thumbnail = await api.GET('/api/images/{id}/thumbnail/{size}', {
      params: { path: { id: imageId, size: 256 } },
      parseAs: 'arrayBuffer',
    });
    const { format, width, height } = await sharp(Buffer.from(thumbnail.data as unknown as ArrayBuffer)).metadata();
    expect([format, Math.max(width, height)]).toEqual(['jpeg', 256]);
    const { data: coverage } = await api.GET('/api/catalogs/{id}/coverage', { params: { path: { id: catalogId } } });
    expect(coverage?.kinds.find(({ kind }) => kind === 'thumbnails')).toMatchObject({
      eligible: PHOTOS,
      done: PHOTOS,
      gap: 0,
    });
  });

  it('gets problems as data, typed', async () => {
    const { error, response } = await api.POST('/api/jobs/rebuild', {
      body: { catalog_id: '00000000-0000-7000-8000-000000000000' },
    });
    expect([response.status, error?.code]).toEqual([404, 'catalog_not_found']);
  });
});
