import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { ImagesHttpModule } from '../../src/images/images-http.module.js';
import { WorkerService } from '../../src/tasks/index.js';
import { startHttp, type StartedHttp } from '../support/start-http.js';
import { waitFor } from '../support/wait-for.js';

/** What a photo says of itself: all optional. */
interface Said {
  readonly taken?: string;
  readonly model?: string;
  /** Degrees, as EXIF rationals. */
  readonly latitude?: { readonly value: string; readonly ref: 'N' | 'S' };
  readonly longitude?: { readonly value: string; readonly ref: 'E' | 'W' };
}

async function aPhoto(red: number, { taken, model, latitude, longitude }: Said = {}): Promise<Buffer> {
  return sharp({ create: { width: 60, height: 40, channels: 3, background: { r: red, g: 90, b: 30 } } })
    .withExif({
      ...(model !== undefined && { IFD0: { Make: 'Canon', Model: model } }),
      ...(taken !== undefined && { IFD2: { DateTimeOriginal: taken } }),
      ...(latitude &&
        longitude && {
          IFD3: {
            GPSLatitudeRef: latitude.ref,
            GPSLatitude: latitude.value,
            GPSLongitudeRef: longitude.ref,
            GPSLongitude: longitude.value,
          },
        }),
    })
    .jpeg()
    .toBuffer();
}

let http: StartedHttp;
let home: string;
let folder: string;
let catalogId: string;

interface Reply {
  readonly [field: string]: unknown;
  readonly items?: unknown;
  readonly status?: unknown;
  readonly code?: unknown;
  readonly kinds?: unknown;
  readonly failures?: unknown;
}
type Item = Reply & { id: string; path: string };

const get = async (path: string): Promise<Reply> => {
  const { status, body } = await http.as('viewer').get(path);
  expect([path, status, body.code]).toEqual([path, 200, undefined]);
  return body as Reply;
};

const images = async (query = ''): Promise<Item[]> => (await get(`/api/images${query}`)).items as Item[];
const paths = async (query: string): Promise<string[]> => (await images(query)).map(({ path }) => path);
const idOf = async (path: string): Promise<string> =>
  (await images('?limit=500')).find((image) => image.path === path)?.id ?? '';

async function run(job: string, body: object = {}): Promise<Reply> {
  const started = await http.as('operator').post(`/api/jobs/${job}`).send(body).expect(202);
  const { id } = started.body as { id: string };
  expect(started.headers.location).toBe(`/api/tasks/${id}`);
  return waitFor(
    `${job} to end`,
    async () => {
      const task = await get(`/api/jobs/${id}`);
      return ['completed', 'failed', 'cancelled'].includes(String(task.status)) ? task : undefined;
    },
    { timeoutMs: 60_000 },
  );
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'photosafe-e2e-'));
  folder = join(home, 'photos');
  http = await startHttp([ImagesHttpModule], {
    PHOTOSAFE_DATA_DIR: join(home, 'data'),
    PHOTOSAFE_DECODER_PROCESSES: '1',
  });
  await http.app.get(WorkerService, { strict: false }).start({ pollMs: 300 });
  await mkdir(join(folder, 'trip'), { recursive: true });
  const equator: Said = {
    latitude: { value: '0/1 0/1 0/1', ref: 'N' },
    longitude: { value: '32/1 30/1 0/1', ref: 'E' },
  };
  const meridian: Said = {
    latitude: { value: '51/1 28/1 30/1', ref: 'N' },
    longitude: { value: '0/1 0/1 0/1', ref: 'W' },
  };
  const fiji: Said = {
    latitude: { value: '17/1 0/1 0/1', ref: 'S' },
    longitude: { value: '179/1 30/1 0/1', ref: 'E' },
  };
  await writeFile(join(folder, 'first.jpg'), await aPhoto(10, { taken: '2020:01:05 10:00:00', model: 'EOS R5' }));
  await writeFile(join(folder, 'trip', 'equator.jpg'), await aPhoto(20, { taken: '2021:06:01 12:00:00', ...equator }));
  await writeFile(
    join(folder, 'trip', 'fiji.jpg'),
    await aPhoto(30, { taken: '2022:06:01 23:30:00', model: 'EOS 5D', ...fiji }),
  );
  await writeFile(join(folder, 'undated 100%.jpg'), await aPhoto(40, meridian));
  await writeFile(join(folder, 'broken.jpg'), 'this is no picture');
});
afterAll(async () => {
  await http.close();
  await rm(home, { recursive: true, force: true });
});

describe('a catalogue over HTTP', () => {
  it('is needed before there is work', async () => {
    const { status, body } = await http.as('operator').post('/api/jobs/rebuild').send({});
    expect([status, body.code]).toEqual([422, 'catalog_id_needed']);
  });

  it('is refused with every folder that will not do', async () => {
    const { status, body } = await http
      .as('operator')
      .post('/api/catalogs')
      .send({ name: 'x', roots: ['relative', '/nowhere', folder] });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'unusable_roots', errors: [{ field: 'roots.0' }, { field: 'roots.1' }] });
  });

  it('is created, named once, listed and renamed', async () => {
    const created = await http
      .as('operator')
      .post('/api/catalogs')
      .send({ name: 'Family', roots: [folder] })
      .expect(201);
    catalogId = (created.body as { id: string }).id;
    expect(created.headers.location).toBe(`/api/catalogs/${catalogId}`);
    expect(created.body).toMatchObject({
      name: 'Family',
      roots: [{ path: folder, state: 'online' }],
      images: { active: 0 },
    });
    const again = await http
      .as('operator')
      .post('/api/catalogs')
      .send({ name: 'FAMILY', roots: [folder] });
    expect([again.status, again.body.code]).toEqual([409, 'catalog_name_taken']);
    await http.as('operator').patch(`/api/catalogs/${catalogId}`).send({ name: 'Our photos' }).expect(200);
    expect(await get('/api/catalogs')).toMatchObject({
      items: [{ id: catalogId, name: 'Our photos' }],
      next_cursor: null,
    });
  });

  it('is rebuilt, and says what it knows and what is missing', async () => {
    expect(await get(`/api/catalogs/${catalogId}/coverage`)).toMatchObject({ catalog_id: catalogId });
    const task = await run('rebuild');
    expect(task).toMatchObject({
      status: 'completed',
      progress: 100,
      result: {
        analyze: { photos: 5, read: 5, analyzed: 4, failed: 1 },
        thumbnails: { rendered: 4 },
        up_to_date: false,
      },
    });
    const coverage = await get(`/api/catalogs/${catalogId}/coverage`);
    const kinds = coverage.kinds as {
      kind: string;
      eligible: number;
      done: number;
      absent: number;
      failed: number;
      gap: number;
    }[];
    for (const { eligible, done, absent, failed, gap } of kinds) expect(done + absent + failed + gap).toBe(eligible);
    expect(kinds.map(({ gap }) => gap)).toEqual(kinds.map(() => 0));
    expect(coverage.failures).toEqual([{ phase: 'analyze', code: 'not_an_image', count: 1 }]);
    expect(await get(`/api/catalogs/${catalogId}/plan`)).toMatchObject({
      phases: [
        { type: 'analyze', items: 0, depends_on: [] },
        { type: 'thumbnails', items: 0, depends_on: ['analyze'] },
      ],
    });
  });

  it('rebuilt again does nothing, and says so', async () => {
    expect(await run('rebuild', { catalog_id: catalogId })).toMatchObject({
      status: 'completed',
      result: { up_to_date: true },
    });
  });

  it('of another id has no work', async () => {
    const { status, body } = await http
      .as('operator')
      .post('/api/jobs/analyze')
      .send({ catalog_id: '0197c2a0-0000-7000-8000-000000000000' });
    expect([status, body.code]).toEqual([404, 'catalog_not_found']);
  });

  it('has its jobs listed, each under both its names', async () => {
    const { items } = (await get('/api/jobs?limit=2')) as { items: { id: string; type: string }[] };
    expect(items.map(({ type }) => type)).toEqual(['rebuild', 'rebuild']);
    expect(await get(`/api/v1/tasks/${items[0]?.id ?? ''}`)).toMatchObject({ id: items[0]?.id });
    const retried = await http.as('operator').post(`/api/jobs/${items[0]?.id ?? ''}/retry-failed-batches`);
    expect([retried.status, retried.body.code]).toEqual([409, 'nothing_to_retry']);
  });
});

describe('images over HTTP', () => {
  it('are listed newest first, undated last, in pages that join', async () => {
    const all = ['trip/fiji.jpg', 'trip/equator.jpg', 'first.jpg'];
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const page = (await get(`/api/images?limit=2&with_total=true${cursor}`)) as {
        items: Item[];
        total: number;
        next_cursor: string | null;
      };
      seen.push(...page.items.map(({ path }) => path));
      expect(page.total).toBe(5);
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(seen).toHaveLength(5);
    expect(seen.filter((path) => all.includes(path))).toEqual(all);
  });

  it.each(['taken', 'path', 'imported', 'size'])('page alike in both directions of %s', async (sort) => {
    const forwards = await pages(`sort=${sort}&order=asc`);
    expect(forwards).toHaveLength(5);
    expect((await pages(`sort=${sort}&order=desc`)).reverse()).toEqual(forwards);
  });

  it('refuse the cursor of another order, and filters that make no sense', async () => {
    const { next_cursor: cursor } = await get('/api/images?limit=1&sort=path');
    const queries = [
      `sort=size&cursor=${String(cursor)}`,
      'cursor=nonsense',
      'state=gone',
      'bbox=1,2,3',
      'taken_from=2023-02-30',
      'limit=501',
      'nonsense=1',
    ];
    for (const query of queries) {
      const { status, body } = await http.as('viewer').get(`/api/images?${query}`);
      expect([query, status, body.code]).toEqual([query, 422, 'validation_failed']);
    }
  });

  it.each([
    ['has_gps=true&sort=path', ['trip/equator.jpg', 'trip/fiji.jpg', 'undated 100%.jpg']],
    ['bbox=32,-1,33,0', ['trip/equator.jpg']],
    ['bbox=-1,51,0,52', ['undated 100%.jpg']],
    ['bbox=170,-20,-170,-10', ['trip/fiji.jpg']],
    ['camera=eos&sort=path', ['first.jpg', 'trip/fiji.jpg']],
    ['taken_from=2021-06-01&taken_to=2022-06-01&sort=path', ['trip/equator.jpg', 'trip/fiji.jpg']],
    ['taken_from=2021-06-01T12:00:01&taken_to=2022-06-01T23:30', []],
    ['text=100%25', ['undated 100%.jpg']],
    ['text=TRIP/&sort=path', ['trip/equator.jpg', 'trip/fiji.jpg']],
    ['failed=true', ['broken.jpg']],
    ['problem=not_an_image', ['broken.jpg']],
    ['format=png,heic', []],
    ['state=missing,offline', []],
  ])('are found by %s', async (query, expected) => {
    expect(await paths(`?${query}`)).toEqual(expected);
  });

  it('tell all that is known, and which task found it out', async () => {
    const image = await get(`/api/images/${await idOf('trip/equator.jpg')}`);
    expect(image).toMatchObject({
      state: 'active',
      format: 'jpeg',
      width: 60,
      height: 40,
      latitude: 0,
      longitude: 32.5,
      geohash: expect.stringMatching(/^[a-z0-9]{7}$/),
      taken_local: '2021-06-01T12:00:00',
      thumbnails: [256, 512],
      errors: [],
      analysis: { task_type: 'analyze_batch', task_version: 1 },
      renditions: [{ size: 256, width: 60, current: true, task_type: 'thumbnails_batch' }, { size: 512 }],
      last_change: 'new',
    });
    expect(await get(`/api/images/${await idOf('broken.jpg')}`)).toMatchObject({
      format: null,
      errors: ['not_an_image'],
      problems: [{ phase: 'analyze', code: 'not_an_image', severity: 'error' }],
    });
    const missing = await http.as('viewer').get('/api/images/0197c2a0-0000-7000-8000-000000000000');
    expect([missing.status, missing.body.code]).toEqual([404, 'image_not_found']);
  });
});

describe('a thumbnail over HTTP', () => {
  it('is a picture that is asked for again in vain', async () => {
    const url = `/api/images/${await idOf('first.jpg')}/thumbnail/256`;
    const first = await http.as('viewer').get(url).buffer(true).expect(200);
    expect(first.headers).toMatchObject({ 'content-type': 'image/jpeg', 'cache-control': 'private, no-cache' });
    expect(await sharp(first.body as Buffer).metadata()).toMatchObject({ format: 'jpeg', width: 60 });
    const again = await http.as('viewer').get(url).set('If-None-Match', String(first.headers.etag)).expect(304);
    expect(again.headers.etag).toBe(first.headers.etag);
  });

  it.each([
    ['first.jpg', '1024', 404, 'thumbnail_pending'],
    ['broken.jpg', '256', 404, 'thumbnail_failed'],
    ['first.jpg', '5', 422, 'validation_failed'],
    ['first.jpg', 'large', 422, 'validation_failed'],
  ])('of %s at %s is refused with %i %s', async (...row) => {
    const [path, size, status, code] = row;
    const reply = await http.as('viewer').get(`/api/images/${await idOf(path)}/thumbnail/${size}`);
    expect([reply.status, (reply.body as Reply).code]).toEqual([status, code]);
  });
});

describe('an original over HTTP', () => {
  const original = async (path: string): Promise<string> => `/api/images/${await idOf(path)}/original`;

  it('is the file, byte for byte, whole or in parts', async () => {
    const bytes = await readFile(join(folder, 'first.jpg'));
    const url = await original('first.jpg');
    const whole = await http.as('viewer').get(url).buffer(true).expect(200);
    expect((whole.body as Buffer).equals(bytes)).toBe(true);
    expect(whole.headers).toMatchObject({
      'content-type': 'image/jpeg',
      'accept-ranges': 'bytes',
      'content-length': String(bytes.length),
    });
    expect(whole.headers['content-disposition']).toContain('inline; filename="first.jpg"');
    const part = await http.as('viewer').get(url).set('Range', 'bytes=10-19').buffer(true).expect(206);
    expect((part.body as Buffer).equals(bytes.subarray(10, 20))).toBe(true);
    expect(part.headers['content-range']).toBe(`bytes 10-19/${bytes.length}`);
    const beyond = await http.as('viewer').get(url).set('Range', 'bytes=999999-').expect(416);
    expect(beyond.body).toMatchObject({ code: 'range_not_satisfiable' });
    await http.as('viewer').get(url).set('If-None-Match', String(whole.headers.etag)).expect(304);
    await http.as('viewer').get(url).set('Range', 'bytes=0-1').set('If-Range', '"other"').expect(200);
  });

  it('that is no picture is saved, not shown', async () => {
    const reply = await http
      .as('viewer')
      .get(await original('broken.jpg'))
      .buffer(true)
      .expect(200);
    expect(reply.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
    });
    expect(reply.headers['content-disposition']).toContain('attachment;');
  });

  it('is never one outside the folder, whatever has taken its place', async () => {
    const url = await original('undated 100%.jpg');
    const path = join(folder, 'undated 100%.jpg');
    await rename(path, join(home, 'kept.jpg'));
    await symlink('/etc/passwd', path);
    const asLink = await http.as('viewer').get(url);
    expect([asLink.status, asLink.body.code]).toEqual([404, 'original_missing']);
    await unlink(path);
    const gone = await http.as('viewer').get(url);
    expect([gone.status, gone.body.code]).toEqual([404, 'original_missing']);
    await rename(join(folder, 'trip'), join(home, 'trip-away'));
    await symlink(join(home, 'trip-away'), join(folder, 'trip'));
    const inLinkedFolder = await http.as('viewer').get(await original('trip/fiji.jpg'));
    expect([inLinkedFolder.status, inLinkedFolder.body.code]).toEqual([404, 'original_missing']);
    await unlink(join(folder, 'trip'));
    await rename(join(home, 'trip-away'), join(folder, 'trip'));
    await rename(join(home, 'kept.jpg'), path);
  });

  it('waits while its disk is away', async () => {
    await rename(folder, `${folder}-away`);
    const before = await http.as('viewer').get(await original('first.jpg'));
    expect([before.status, before.body.code]).toEqual([503, 'original_offline']);
    expect(await run('analyze')).toMatchObject({ result: { offline: 5 } });
    const after = await http.as('viewer').get(await original('first.jpg'));
    expect([after.status, after.body.code]).toEqual([503, 'original_offline']);
    await http
      .as('viewer')
      .get(`/api/images/${await idOf('first.jpg')}/thumbnail/256`)
      .expect(200);
    await rename(`${folder}-away`, folder);
    expect(await run('analyze')).toMatchObject({ result: { offline: 0, analyzed: 0 } });
  });
});

describe('a catalogue removed over HTTP', () => {
  it('is gone with its images, and the photos are not', async () => {
    await http.as('operator').delete(`/api/catalogs/${catalogId}`).expect(403);
    await http.as('admin').delete(`/api/catalogs/${catalogId}`).expect(204);
    expect(await images()).toEqual([]);
    await http.as('viewer').get(`/api/catalogs/${catalogId}`).expect(404);
    expect(await readdir(folder)).toHaveLength(4);
    await waitFor('the files of its thumbnails to go', async () => {
      const files = await readdir(join(home, 'data', 'blobs', 'thumbnails'), { recursive: true, withFileTypes: true });
      return files.every((file) => !file.isFile());
    });
  });
});

async function pages(order: string): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor = ''; ;) {
    const page = (await get(`/api/images?limit=2&${order}${cursor}`)) as { items: Item[]; next_cursor: string | null };
    seen.push(...page.items.map(({ path }) => path));
    if (page.next_cursor === null) return seen;
    cursor = `&cursor=${page.next_cursor}`;
  }
}
