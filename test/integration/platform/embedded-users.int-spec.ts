import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { findBinaries } from '../../../src/platform/database/embedded/binaries.js';
import { EmbeddedPostgres } from '../../../src/platform/database/embedded/embedded-postgres.js';
import { locateHome, type Home } from '../../../src/platform/database/embedded/location.js';
import { canEnter } from '../../../src/platform/database/embedded/server-owner.js';
import { PROJECT_ROOT } from '../../support/child.js';
import { ask, EmbeddedFixture, leave } from './embedded-fixture.js';

const NOBODY = { name: 'nobody', uid: 65_534, gid: 65_534 };

const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot('the embedded PostgreSQL of root (skipped for other users)', () => {
  let parent: string;
  let stateRoot: string;
  let dataDir: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'photosafe-users-'));
    stateRoot = join(parent, 'state');
    dataDir = join(parent, 'closed', 'var');
    await mkdir(dirname(dataDir), { mode: 0o700 });
    await chmod(parent, 0o755);
  });

  afterEach(async () => {
    await rm(parent, { recursive: true, force: true });
  });

  it('stays in a data folder that is root’s alone, which the server’s user alone may then pass through', async () => {
    const own = join(parent, 'closed');
    const home = await locateHome(own, stateRoot);
    expect(home.path).toBe(join(own, 'postgres'));
    const { mode, uid, gid } = await stat(own);
    expect([mode & 0o777, uid, gid]).toEqual([0o710, 0, home.owner?.gid]);
  });

  it('works below a folder that is closed to others, which stays closed, by living elsewhere', async () => {
    const server = new EmbeddedPostgres({ dataDir, database: 'photosafe', stateRoot });
    const url = new URL(await server.ensure());
    await server.release();
    const home = await readFile(join(dataDir, 'postgres-is-at'), 'utf8');
    expect(dirname(home)).toBe(stateRoot);
    expect(url.searchParams.get('host')).toBe(join(home, 'run'));
    expect((await stat(dirname(dataDir))).mode & 0o777).toBe(0o700);
    expect(await locateHome(dataDir, stateRoot)).toMatchObject({ path: home });
  });

  it('is found by all when several make a home elsewhere at once', async () => {
    const homes = await Promise.all(Array.from({ length: 5 }, () => locateHome(dataDir, stateRoot)));
    expect(new Set(homes.map((home) => home.path)).size).toBe(1);
    expect(await readdir(stateRoot)).toHaveLength(1);
  });

  it('moves with its data folder, but is not shared with a copy of it', async () => {
    const { path } = await locateHome(dataDir, stateRoot);
    const copy = join(dirname(dataDir), 'copy');
    await cp(dataDir, copy, { recursive: true });
    await expect(locateHome(copy, stateRoot)).rejects.toMatchObject({ code: 'embedded_postgres_shared' });
    await rm(dataDir, { recursive: true });
    expect(await locateHome(copy, stateRoot)).toMatchObject({ path });
    await rm(path, { recursive: true });
    await expect(locateHome(copy, stateRoot)).rejects.toMatchObject({ code: 'embedded_postgres_lost' });
  });

  it('says what to do when there is no place elsewhere either', async () => {
    await writeFile(stateRoot, 'not a folder');
    await expect(locateHome(dataDir, stateRoot)).rejects.toThrow(/closed to the user .*Set PHOTOSAFE_DATA_DIR/);
  });

  it('copies its programs once when node_modules is closed to the server’s user', async () => {
    const home: Home = { path: join(parent, 'state'), owner: NOBODY };
    await mkdir(home.path, { mode: 0o755 });
    const shipped = join(dirname(dataDir), 'package', 'native');
    const original = dirname(dirname((await findBinaries({ path: home.path, owner: undefined })).postgres));
    await mkdir(shipped, { recursive: true });
    await cp(join(original, '..', 'package.json'), join(shipped, '..', 'package.json'));
    await cp(original, shipped, { recursive: true, verbatimSymlinks: true });
    const [first, second] = await Promise.all([findBinaries(home, shipped), findBinaries(home, shipped)]);
    expect(second).toEqual(first);
    expect(resolve(first.postgres, '..', '..', '..')).toBe(home.path);
    expect(await readdir(home.path)).toHaveLength(1);
  });
});

asRoot('the embedded PostgreSQL of an ordinary user (tried by root only)', () => {
  let fixture: EmbeddedFixture;

  beforeEach(async () => {
    fixture = await EmbeddedFixture.create();
    await fixture.giveTo(NOBODY.uid, NOBODY.gid);
  });

  afterEach(async () => {
    await fixture.cleanUp();
  });

  it('runs as that user, also when root starts it later', async () => {
    if (!(await canEnter(NOBODY, PROJECT_ROOT))) return; // a checkout that only root can read
    const user = { uid: NOBODY.uid, gid: NOBODY.gid };
    const first = await fixture.attached(user);
    await leave(first);
    const root = await fixture.attached();
    const again = await fixture.attached(user);
    expect(await ask(again)).toBe(await ask(root));
    expect(await fixture.clusterOwner()).toEqual(user);
    await leave(root);
    await leave(again);
    expect(await fixture.postmaster()).toBeUndefined();
  });
});

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('a data folder (skipped where there is no /proc)', () => {
  it.each(['/proc/none', '/proc/none/below', '/etc/passwd', '/etc/passwd/below'])('cannot be %s', async (dataDir) => {
    const refusal = { code: 'data_dir_unusable', message: expect.stringContaining(dataDir) as string };
    await expect(locateHome(dataDir)).rejects.toMatchObject(refusal);
  });

  it('is made with the folders above it, by all who want it at once', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'photosafe-folders-'));
    try {
      const dataDir = join(parent, 'a', 'b', 'c');
      const homes = await Promise.all([1, 2, 3].map(() => locateHome(dataDir, join(parent, 'state'))));
      expect(new Set(homes.map(({ path }) => path)).size).toBe(1);
      expect((await stat(dataDir)).isDirectory()).toBe(true);
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  });
});
