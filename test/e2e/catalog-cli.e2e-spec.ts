import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { photosafe, startPhotosafe } from '../support/photosafe.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Every command is a process of its own, and they share two processors with other tests. */
jest.setTimeout(300_000);

let database: TestDatabase;
let home: string;
let environment: Record<string, string>;

beforeAll(async () => {
  [database, home] = [await createTestDatabase(), await mkdtemp(join(tmpdir(), 'photosafe-cli-'))];
  environment = { DATABASE_URL: database.url, PHOTOSAFE_DATA_DIR: join(home, 'data'), PORT: '0' };
});
afterAll(async () => {
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

async function folderOf(name: string, photos: number): Promise<string> {
  const folder = join(home, name);
  await mkdir(folder);
  for (let number = 0; number < photos; number += 1) {
    const background = { r: number % 256, g: 60, b: 120 };
    await sharp({ create: { width: 64, height: 48, channels: 3, background } })
      .withMetadata({ density: 72 + number })
      .jpeg()
      .toFile(join(folder, `${number}.jpg`));
  }
  return folder;
}

const json = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { code, stdout, stderr } = await photosafe([...args, '--json'], environment);
  expect([args, code, code === 0 ? '' : stderr]).toEqual([args, 0, '']);
  return JSON.parse(stdout) as Record<string, unknown>;
};

describe('photosafe', () => {
  it('imports a folder, finds it again, and rebuilds it with no server running', async () => {
    const folder = await folderOf('family', 3);
    await writeFile(join(folder, 'broken.jpg'), 'no picture');
    const imported = await json('import', folder, '--name', 'Family');
    expect(imported).toMatchObject({
      created: true,
      task: { type: 'analyze', status: 'completed', result: { photos: 4, analyzed: 3, failed: 1 } },
    });
    expect(await json('import', folder)).toMatchObject({
      catalog_id: imported.catalog_id,
      created: false,
      task: { result: { up_to_date: true } },
    });
    expect(await json('rebuild', 'family')).toMatchObject({
      task: { status: 'completed', result: { thumbnails: { rendered: 3 } } },
      failures: [{ phase: 'analyze', code: 'not_an_image', count: 1 }],
    });
    const again = await photosafe(['rebuild', folder], environment);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('nothing was done');
  });

  it('lists, shows and removes catalogues', async () => {
    const { items } = (await json('catalog', 'list')) as { items: { id: string; name: string }[] };
    expect(items).toMatchObject([{ name: 'Family', images: { active: 4 } }]);
    expect(await json('catalog', 'show', 'FAMILY')).toMatchObject({ id: items[0]?.id });
    expect(await json('catalog', 'coverage', 'family')).toMatchObject({ catalog_id: items[0]?.id });
    expect(await json('catalog', 'plan', 'family')).toMatchObject({
      phases: [{ type: 'analyze' }, { type: 'thumbnails' }],
    });
    expect(await json('catalog', 'remove', 'family')).toEqual({ removed: items[0]?.id });
    expect(await json('catalog', 'list')).toEqual({ items: [] });
    const gone = await photosafe(['catalog', 'show', 'family'], environment);
    expect(gone).toMatchObject({ code: 1, stdout: '' });
    expect(gone.stderr).toContain('there is no catalogue family');
  });

  it('refuses a folder that is not there, and says why', async () => {
    const { code, stderr } = await photosafe(['import', join(home, 'nowhere')], environment);
    expect(code).toBe(1);
    expect(stderr).toContain('does not exist');
  });

  it('only hands the work over with --no-wait', async () => {
    const folder = await folderOf('handed-over', 1);
    const { task } = (await json('import', folder, '--no-wait')) as { task: { id: string; status: string } };
    expect(task.status).toBe('queued');
    expect(await json('task', 'cancel', task.id)).toMatchObject({ status: 'cancelled' });
  });

  it('interrupted, says how to go on, and goes on', async () => {
    const folder = await folderOf('interrupted', 400);
    const child = startPhotosafe(['rebuild', folder], environment);
    await child.line(/Analyse photos/, { timeoutMs: 60_000 });
    await child.kill('SIGINT');
    expect(await child.ended).toMatchObject({ code: 130 });
    expect(child.lines.join('\n')).toContain('Nothing is lost');
    expect(await json('rebuild', folder)).toMatchObject({
      task: { status: 'completed', result: { analyze: { photos: 400, failed: 0 }, thumbnails: { failed: 0 } } },
    });
  });

  it('shows it all in a demo', async () => {
    const folder = await folderOf('demo', 2);
    const { code, stdout, stderr } = await photosafe(['demo', folder, '--exit'], environment);
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/thumbnails\s+2\s+2\s+0\s+0\s+0/);
    expect(stdout).toContain('/api/docs');
    expect(stdout).toMatch(/ps_\S{20,}/);
  });
});
