import { mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { Cluster } from '../../../src/platform/database/embedded/cluster.js';
import { locateHome } from '../../../src/platform/database/embedded/location.js';
import { ask, attachedUrl, EmbeddedFixture, leave } from './embedded-fixture.js';

describe('the embedded PostgreSQL', () => {
  let fixture: EmbeddedFixture;

  beforeEach(async () => {
    fixture = await EmbeddedFixture.create();
  });

  afterEach(async () => {
    await fixture.cleanUp();
  });

  it('is shared by six processes that start at once on nothing, and stopped by the last one out', async () => {
    const programs = Array.from({ length: 6 }, () => fixture.program());
    const urls = await Promise.all(programs.map(attachedUrl));
    expect(new Set(urls).size).toBe(1);
    const starts = await Promise.all(programs.map(ask));
    expect(new Set(starts).size).toBe(1);

    await Promise.all(programs.slice(1).map(leave));
    expect(await ask(programs[0]!)).toBe(starts[0]);
    await leave(programs[0]!);
    expect(await fixture.postmaster()).toBeUndefined();
    expect(await readdir(fixture.home)).toEqual(['data', 'password', 'run', 'server.log']);
  });

  it('comes back by itself after a kill -9, for every process that uses it', async () => {
    const programs = [await fixture.attached(), await fixture.attached()];
    const before = await ask(programs[0]!);
    await fixture.killPostmaster();
    const [first, second] = await Promise.all(programs.map(ask));
    expect(first).not.toBe(before);
    expect(second).toBe(first);
  });

  it('goes on when the process that started it is killed, and stops when a later one leaves', async () => {
    const starter = await fixture.attached();
    const started = await ask(starter);
    await starter.kill('SIGKILL');
    const next = await fixture.attached();
    expect(await ask(next)).toBe(started);
    await leave(next);
    expect(await fixture.postmaster()).toBeUndefined();
  });

  it('recovers from a first start that was killed half-way', async () => {
    const half = fixture.program();
    await half.kill('SIGKILL');
    await mkdir(join(fixture.home, 'data.new-0123456789ab'), { recursive: true });
    await writeFile(join(fixture.home, 'start.lock'), JSON.stringify({ pid: half.pid, startedAt: '1' }));
    const next = await fixture.attached();
    await ask(next);
    expect(await readdir(fixture.home)).toEqual(['data', 'password', 'run', 'server.log']);
  });

  it('is not begun where there is no room for it, and started again whatever room there is', async () => {
    const home = await locateHome(fixture.dataDir);
    const cluster = new Cluster(home);
    await expect(cluster.requireRoom(2 ** 60)).rejects.toMatchObject({
      ...{ kind: 'invalid', code: 'data_dir_unusable' }, // which ends the wait for a database
      message: expect.stringContaining(home.path) as string,
    });
    await expect(cluster.requireRoom()).resolves.toBeUndefined();
    await leave(await fixture.attached());
    await expect(cluster.requireRoom(2 ** 60)).resolves.toBeUndefined();
  });

  it('is begun on a file system that does not tell how much room it has', async () => {
    const cluster = new Cluster({ path: '/proc', owner: undefined });
    await expect(cluster.requireRoom()).resolves.toBeUndefined();
  });

  it('listens on a socket that only its user can reach, with a password that only its user can read', async () => {
    const { url } = await fixture.attached();
    const { pid } = (await fixture.postmaster())!;
    expect(await tcpListeners(pid)).toEqual([]);
    const mode = async (path: string): Promise<number> => (await stat(join(fixture.home, path))).mode & 0o777;
    expect(await Promise.all(['data', 'run', 'password', 'server.log', 'run/.s.PGSQL.5432'].map(mode))).toEqual([
      0o700, 0o700, 0o600, 0o600, 0o700,
    ]);
    const wrong = new URL(url);
    wrong.password = 'guess';
    const client = new pg.Client({ connectionString: wrong.href });
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  });

  it('has its socket elsewhere when the path of the data folder is too long for one', async () => {
    const parent = join(fixture.dataDir, 'a-rather-long-name-for-a-folder'.repeat(4));
    await mkdir(parent);
    const deep = await EmbeddedFixture.create(parent);
    try {
      const program = await deep.attached();
      const socketDir = new URL(program.url).searchParams.get('host') ?? '';
      expect(socketDir).toMatch(/^\/tmp\/photosafe-/);
      await ask(program);
      await leave(program);
      await rm(socketDir, { recursive: true });
    } finally {
      await deep.cleanUp();
    }
  });
});

/** The TCP sockets on which a process listens, as "address:port" in hexadecimal (proc(5), /proc/net/tcp). */
async function tcpListeners(pid: number): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  const folder = `/proc/${String(pid)}/fd`;
  const links = await Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')));
  const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && sockets.has(fields[9] ?? ''))
    .map((fields) => fields[1] ?? '');
}
